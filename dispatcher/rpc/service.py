"""The methods of DispatcherService: each is handed to the module that knows how."""

# ruff: noqa: N802 (the methods are named as in the contract)

from __future__ import annotations

from typing import Any

from cordboard.v1 import dispatcher_service_pb2 as service
from dispatcher.acceptance.execute import Executor, check_wait
from dispatcher.acceptance.intake import Intake
from dispatcher.acceptance.stopping import Stopping
from dispatcher.acceptance.views import timestamp
from dispatcher.rpc.asking import Asking
from dispatcher.rpc.callers import calling
from dispatcher.rpc.streams import ExecuteStream, SubmitStream
from dispatcher.rpc.tracing import traceparent_of
from dispatcher.rpc.watch import Watching


class Service:
    """What gRPC calls; the guard stands before it. `context` is a grpc.aio.ServicerContext.

    No child of the generated class: that one knows streams as generators only.
    """

    def __init__(
        self, intake: Intake, executor: Executor, asking: Asking, watching: Watching, stopping: Stopping
    ) -> None:
        self._intake = intake
        self._executor = executor
        self._asking = asking
        self._watching = watching
        self._stopping = stopping

    async def Submit(self, request: service.SubmitRequest, context: Any) -> service.SubmitResponse:
        """Take a command."""
        admitted = await self._intake.admit_again(request.command, traceparent_of(context), calling())
        appended = await self._intake.accept((admitted,))
        accept_time = timestamp(appended[0].time_ms)
        return service.SubmitResponse(command_id=request.command.command_id, accept_time=accept_time)

    async def SubmitStream(self, request: object, context: Any) -> None:
        """Take many."""
        await SubmitStream(self._intake, context, self._stopping, traceparent_of(context), calling()).run()

    async def Execute(self, request: service.ExecuteRequest, context: Any) -> service.ExecuteResponse:
        """Take a command and wait for what becomes of it."""
        check_wait(request.wait_for)
        admitted = await self._intake.admit_again(request.command, traceparent_of(context), calling())
        return await self._executor.execute(admitted, request.wait_for, context.time_remaining())

    async def ExecuteStream(self, request: object, context: Any) -> None:
        """Take many and wait for what becomes of them."""
        trace = traceparent_of(context)
        await ExecuteStream(self._intake, context, self._stopping, trace, calling(), self._executor).run()

    async def GetCommand(self, request: service.GetCommandRequest, context: Any) -> service.GetCommandResponse:
        """Say how far a command has come."""
        return await self._asking.command(request, calling())

    async def GetCall(self, request: service.GetCallRequest, context: Any) -> service.GetCallResponse:
        """Say how far a call has come."""
        return await self._asking.call(request, calling())

    async def Watch(self, request: service.WatchRequest, context: Any) -> None:
        """Hand on what happens."""
        await self._watching.watch(request, context, calling())

    async def CancelCommands(
        self, request: service.CancelCommandsRequest, context: Any
    ) -> service.CancelCommandsResponse:
        """Take back what waits."""
        return await self._asking.cancel(request, context.time_remaining(), calling())

    async def PauseAccount(self, request: service.PauseAccountRequest, context: Any) -> service.PauseAccountResponse:
        """Have nothing sent for an account but hangups and rejects."""
        return await self._asking.ordering.pause(request, context.time_remaining, calling())

    async def ResumeAccount(self, request: service.ResumeAccountRequest, context: Any) -> service.ResumeAccountResponse:
        """Have everything sent again."""
        return await self._asking.ordering.resume(request, context.time_remaining, calling())
