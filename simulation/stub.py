"""What the product's client speaks through: its stub, whose every call is a request to some simulated door.

The client's own code runs above it unchanged: what it makes of errors, and how a watch goes on. Its channel, which
tries again by itself, is gRPC's and is not simulated: a sender tries again here as one without it has to.
"""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import grpc.aio

from cordboard.v1 import dispatcher_service_pb2 as service
from dispatcher.acceptance.refusals import Refused
from simulation.doors import Doors
from simulation.senders import Broken


class DoorStub:
    """The methods that senders and watchers use, by the names of gRPC's own stub."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def Submit(self, request: service.SubmitRequest, timeout: float, metadata: object = ()) -> Any:  # noqa: N802 - gRPC's name.
        """Raises AioRpcError."""
        return await self._ask("Submit", request, timeout)

    async def Execute(self, request: service.ExecuteRequest, timeout: float, metadata: object = ()) -> Any:  # noqa: N802 - gRPC's name.
        """Raises AioRpcError."""
        return await self._ask("Execute", request, timeout)

    async def CancelCommands(self, request: service.CancelCommandsRequest, timeout: float) -> Any:  # noqa: N802 - gRPC's.
        """Raises AioRpcError."""
        return await self._ask("CancelCommands", request, timeout)

    async def PauseAccount(self, request: service.PauseAccountRequest, timeout: float) -> Any:  # noqa: N802 - gRPC's.
        """Raises AioRpcError."""
        return await self._ask("PauseAccount", request, timeout)

    async def ResumeAccount(self, request: service.ResumeAccountRequest, timeout: float) -> Any:  # noqa: N802 - gRPC's.
        """Raises AioRpcError."""
        return await self._ask("ResumeAccount", request, timeout)

    def Watch(self, request: service.WatchRequest) -> _Watching:  # noqa: N802 - gRPC's name.
        """A stream, from some door."""
        return _Watching(self._doors, request)

    async def _ask(self, method: str, request: Any, timeout: float) -> Any:
        try:
            return await self._doors.ask(method, request, timeout)
        except (Refused, Broken) as error:
            raise as_of_grpc(error) from error


class _Watching:
    """One call of Watch: what its door writes, until it breaks."""

    def __init__(self, doors: Doors, request: service.WatchRequest) -> None:
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self._serving = asyncio.create_task(self._serve(doors, request))

    async def _serve(self, doors: Doors, request: service.WatchRequest) -> None:
        try:
            await doors.watch(request, self._heard.put_nowait)
        except (Refused, Broken) as error:
            self._heard.put_nowait(as_of_grpc(error))
        else:
            self._heard.put_nowait(grpc.aio.EOF)

    async def read(self) -> Any:
        """The next response, or EOF. Raises AioRpcError."""
        heard = await self._heard.get()
        if isinstance(heard, grpc.aio.AioRpcError):
            raise heard
        return heard

    def cancel(self) -> None:
        """Hear no more."""
        self._serving.cancel()


def as_of_grpc(error: Refused | Broken) -> grpc.aio.AioRpcError:
    """What a door's refusal, or a broken connection, is for gRPC's client."""
    if isinstance(error, Broken):
        return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), str(error))
    status = error.status()
    trailing = grpc.aio.Metadata(*status.trailing_metadata)
    return grpc.aio.AioRpcError(status.code, grpc.aio.Metadata(), trailing, status.details)
