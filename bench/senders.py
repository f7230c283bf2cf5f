"""The ways to have Telnyx do something: each sends one command, and returns when it is known what became of it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, Protocol

import grpc.aio
from telnyx import AsyncTelnyx, DefaultAioHttpClient

from bench.cells import (
    EXECUTE,
    KAFKA_EXECUTE,
    KAFKA_STREAM,
    SDK,
    SDK_AIOHTTP,
    STREAM,
    TOPICS,
    WEBHOOKS,
    Place,
)
from bench.commands import DIGITS, command, wrong
from bench.topic_sender import topics_sender
from bench.webhook_sender import webhook_sender
from cordboard.client import Client
from cordboard.v1 import dispatcher_service_pb2 as service

_WAIT_SECONDS: Final = 60.0
_CONNECTIONS: Final = 16  # As of so many services; one server takes in the calls of one connection one by one.


class Sender(Protocol):
    """Sends commands. `keeps_order`: those of one call may be sent without waiting for each other."""

    keeps_order: bool

    async def send(self, call: str, command_id: str) -> str:
        """Have one command done; returns what went wrong, or ""."""


class Sdk:
    """The official SDK, straight to the API."""

    keeps_order = False

    def __init__(self, client: AsyncTelnyx) -> None:
        self._actions = client.calls.actions

    async def send(self, call: str, command_id: str) -> str:
        try:
            await self._actions.send_dtmf(call, digits=DIGITS, command_id=command_id)
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return ""


class Execute:
    """A unary call for each command, by the connections of several clients in turn."""

    keeps_order = False

    def __init__(self, clients: Iterable[Client]) -> None:
        self._methods = itertools.cycle([client.stub.Execute for client in clients])

    async def send(self, call: str, command_id: str) -> str:
        request = service.ExecuteRequest(command=command(call, command_id))
        try:
            response = await next(self._methods)(request, timeout=_WAIT_SECONDS)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        return wrong(response.result)


class Stream:
    """One stream for all commands: answers come in any order and find their senders by command id."""

    keeps_order = True

    def __init__(self, client: Client) -> None:
        self._stream: Any = client.stub.ExecuteStream()
        self._requests: asyncio.Queue[service.ExecuteStreamRequest] = asyncio.Queue()
        self._waiting: dict[str, asyncio.Future[service.ExecuteStreamResponse]] = {}

    async def send(self, call: str, command_id: str) -> str:
        answered = self._waiting[command_id] = asyncio.get_running_loop().create_future()
        self._requests.put_nowait(service.ExecuteStreamRequest(command=command(call, command_id)))
        response = await answered
        if response.WhichOneof("outcome") == "refused":
            return f"refused: {response.refused.message}"
        return wrong(response.executed.result)

    async def run(self) -> None:
        """Carry both ways until cancelled; who still waits then, or when the stream breaks, is told."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._write())
                group.create_task(self._read())
        finally:
            for answered in self._waiting.values():
                answered.set_exception(ConnectionError("the stream has ended"))

    async def _write(self) -> None:
        while True:
            await self._stream.write(await self._requests.get())

    async def _read(self) -> None:
        while (response := await self._stream.read()) is not grpc.aio.EOF:
            self._waiting.pop(response.command_id).set_result(response)
        raise ConnectionError("the stream was closed")


@asynccontextmanager
async def _sdk(place: Place) -> AsyncIterator[Sender]:
    async with AsyncTelnyx(api_key="bench", base_url=place.api_url) as client:
        yield Sdk(client)


@asynccontextmanager
async def _sdk_aiohttp(place: Place) -> AsyncIterator[Sender]:
    async with AsyncTelnyx(api_key="bench", base_url=place.api_url, http_client=DefaultAioHttpClient()) as client:
        yield Sdk(client)


@asynccontextmanager
async def _execute(place: Place) -> AsyncIterator[Sender]:
    async with AsyncExitStack() as stack:
        # Clients of one process would else share one connection.
        apart = (("grpc.use_local_subchannel_pool", 1),)
        clients = [Client(place.grpc_target, options=apart) for _ in range(_CONNECTIONS)]
        yield Execute([await stack.enter_async_context(client) for client in clients])


@asynccontextmanager
async def _stream(place: Place) -> AsyncIterator[Sender]:
    async with Client(place.grpc_target) as client:
        stream = Stream(client)
        carrying = asyncio.create_task(stream.run())
        yield stream
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)


SENDERS: Final[Mapping[str, Callable[[Place], Any]]] = {
    SDK: _sdk,
    SDK_AIOHTTP: _sdk_aiohttp,
    EXECUTE: _execute,
    STREAM: _stream,
    KAFKA_EXECUTE: _execute,
    KAFKA_STREAM: _stream,
    TOPICS: topics_sender,
    WEBHOOKS: webhook_sender,
}
