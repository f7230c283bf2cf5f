"""The client: one channel, and a method for each thing that can be asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

import grpc
import grpc.aio

from cordboard.client.context import context
from cordboard.client.errors import refusing
from cordboard.client.watch import Watch
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from cordboard.v1.command_pb2 import Command
from cordboard.v1.view_pb2 import CallView, CommandView

TIMEOUT_SECONDS: Final = 30.0
_SERVICE: Final = service.DESCRIPTOR.services_by_name["DispatcherService"].full_name

# Only what certainly was not served, or may be asked again without harm, is asked again: and every command may be,
# because the repeat has the same command_id.
_SERVICE_CONFIG: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [{"service": _SERVICE}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}
_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    ("grpc.enable_retries", 1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),  # A dispatcher that restarts is back soon.
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)


class Client:
    """Asks a dispatcher. `target` is gRPC's, such as localhost:50051 or dns:///dispatcher:50051; use as a context.

    Methods raise CommandRefused where the dispatcher says why. Any other error is gRPC's own (grpc.aio.AioRpcError)
    and says nothing about what will happen: send the same command again under the same command_id, which is never
    done twice. Timeouts are in seconds.
    """

    def __init__(
        self,
        target: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        options: Sequence[tuple[str, Any]] = (),
        stub: stubs.DispatcherServiceAsyncStub | None = None,
    ) -> None:
        """`stub` is asked instead of a `target`, where somebody has one: a test, a simulation."""
        # For what has no method here, such as the streams, it is there for all.
        self._channel: grpc.aio.Channel | None = None
        self.stub: stubs.DispatcherServiceAsyncStub
        if stub is not None:
            self.stub = stub
            return
        every = (*_OPTIONS, *options)
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(target, every)
        else:
            self._channel = grpc.aio.secure_channel(target, credentials, every)
        self.stub = stubs.DispatcherServiceStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up."""
        if self._channel is not None:
            await self._channel.close()

    @refusing
    async def submit(self, command: Command, *, timeout: float = TIMEOUT_SECONDS) -> service.SubmitResponse:
        """Send a command; it is durable when this returns. What becomes of it is not waited for."""
        return await self.stub.Submit(service.SubmitRequest(command=command), timeout=timeout, metadata=context())

    @refusing
    async def execute(
        self,
        command: Command,
        *,
        wait_for: service.WaitFor.ValueType = service.WAIT_FOR_RESULT,
        timeout: float = TIMEOUT_SECONDS,
    ) -> service.ExecuteResponse:
        """Send a command and wait for what becomes of it; `result` is unset where that is still open at the end."""
        request = service.ExecuteRequest(command=command, wait_for=wait_for)
        return await self.stub.Execute(request, timeout=timeout, metadata=context())

    @refusing
    async def get_command(
        self, command_id: str, call_control_id: str = "", account: str = "", *, timeout: float = TIMEOUT_SECONDS
    ) -> CommandView:
        """How far a command has come; a dial has no call."""
        request = service.GetCommandRequest(command_id=command_id, call_control_id=call_control_id, account=account)
        return (await self.stub.GetCommand(request, timeout=timeout)).command

    @refusing
    async def get_call(self, call_control_id: str, account: str = "", *, timeout: float = TIMEOUT_SECONDS) -> CallView:
        """How far a call has come."""
        request = service.GetCallRequest(call_control_id=call_control_id, account=account)
        return (await self.stub.GetCall(request, timeout=timeout)).call

    @refusing
    async def cancel(
        self,
        call_control_id: str = "",
        command_ids: Iterable[str] = (),
        *,
        group: str = "",
        account: str = "",
        timeout: float = TIMEOUT_SECONDS,
    ) -> service.CancelCommandsResponse:
        """Take back what waits: of a call all, those named, or those of a group; or one dial by its id alone."""
        request = service.CancelCommandsRequest(
            account=account, call_control_id=call_control_id, command_ids=command_ids, group=group
        )
        return await self.stub.CancelCommands(request, timeout=timeout)

    def watch(
        self,
        *,
        account: str = "",
        call_control_id: str = "",
        kinds: Iterable[service.WatchKind.ValueType] = (),
        cursor: str = "",
    ) -> Watch:
        """Results, completions and events as they happen: from a cursor, or from when it is `positioned`."""
        request = service.WatchRequest(account=account, call_control_id=call_control_id, kinds=kinds, cursor=cursor)
        return Watch(self.stub, request)
