"""The streams beneath the client: commands go out in order, and each step of each comes back.

An item is on one stream at a time. Where that breaks off, it is opened anew, and all that has no last word goes out
again in order: the same bytes, which the dispatcher knows. What is refused for a while goes out again after it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Final

import grpc
import grpc.aio

from cordboard.client.errors import refusal_in
from cordboard.client.refusing import refused_by
from cordboard.v1 import (
    PHASE_OPEN,
    STATE_SUCCEEDED,
    WAIT_FOR_COMPLETION,
    Command,
    CommandCompletion,
    CommandResult,
    GetCommandRequest,
)
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs

ROOM: Final = 200  # Items of one stream; a dispatcher reads no more than 256 before it has answered.
RETRY_SECONDS_MIN: Final = 0.1
RETRY_SECONDS_MAX: Final = 5.0
ASK_SECONDS: Final = 10.0
_UNAUTHENTICATED: Final = "UNAUTHENTICATED"
# Trying again mends these; all others are told to whoever waits.
_PASSING: Final = frozenset(
    {
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.UNKNOWN,
    }
)


class Item:
    """A command on its way: what is known of it so far, as futures. `completion` None: none will come."""

    def __init__(self, command: Command) -> None:
        loop = asyncio.get_running_loop()
        self.command = command
        self.accepted: asyncio.Future[None] = loop.create_future()
        self.result: asyncio.Future[CommandResult] = loop.create_future()
        self.completion: asyncio.Future[CommandCompletion | None] = loop.create_future()
        for future in (self.accepted, self.result, self.completion):
            future.add_done_callback(_looked_at)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be known."""
        return self.completion.done()

    def accept(self) -> None:
        """It was taken."""
        if not self.accepted.done():
            self.accepted.set_result(None)

    def learn(self, result: CommandResult) -> None:
        """Its result is known; the first one that came counts, for those that are said again know less."""
        self.accept()
        if not self.result.done():
            self.result.set_result(result)

    def complete(self, completion: CommandCompletion | None) -> None:
        """That is all."""
        if not self.completion.done():
            self.completion.set_result(completion)

    def fail(self, error: Exception) -> None:
        """Nothing more will be known, because of this."""
        for future in (self.accepted, self.result, self.completion):
            if not future.done():
                future.set_exception(error)


def _looked_at(future: asyncio.Future[Any]) -> None:
    """Whoever does not ask does not want to be told of an error either."""
    if not future.cancelled():
        future.exception()


class _Stale(Exception):
    """A stream that was let in is not any more: its token was replaced, and the next stream shows the new one."""


class Streams:
    """As many streams as there are items for. All belong to one event loop."""

    def __init__(self, stub: stubs.DispatcherServiceAsyncStub) -> None:
        self._stub = stub
        self._streams: list[_Stream] = []

    def send(self, command: Command) -> Item:
        """Send a command, behind those that were sent before it on its stream."""
        item = Item(command)
        for stream in self._streams:
            if stream.has_room_for(item):
                stream.put(item)
                return item
        stream = _Stream(self._stub)
        self._streams.append(stream)
        stream.put(item)
        return item

    def let_go(self, item: Item) -> None:
        """Send it no more."""
        for stream in self._streams:
            stream.let_go(item)

    async def close(self) -> None:
        """Hang up; what has no last word yet has none."""
        streams, self._streams = self._streams, []
        await asyncio.gather(*(stream.close() for stream in streams))


class _Stream:
    """One ExecuteStream, opened anew as often as it breaks off."""

    def __init__(self, stub: stubs.DispatcherServiceAsyncStub) -> None:
        self._stub = stub
        self._items: dict[str, Item] = {}  # Those without a last word, in the order in which they were sent.
        self._to_send: deque[Item] = deque()
        self._more = asyncio.Event()
        self._failures = 0
        self._asking: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._run(), name="commands to Cordboard")
        self._task.add_done_callback(self._ended)

    def has_room_for(self, item: Item) -> bool:
        """Whether it can take one more. Answers name only ids: two commands with one id need a stream each."""
        is_alive = not self._task.done()
        return is_alive and len(self._items) < ROOM and item.command.command_id not in self._items

    def put(self, item: Item) -> None:
        """Send it."""
        self._items[item.command.command_id] = item
        self._to_send.append(item)
        self._more.set()

    def let_go(self, item: Item) -> None:
        """Send it no more, should the stream break off."""
        if self._items.get(item.command.command_id) is item:
            del self._items[item.command.command_id]

    async def close(self) -> None:
        """Hang up."""
        tasks = [self._task, *self._asking]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._fail(ConnectionError("the client was closed"))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(ConnectionError(f"the stream broke off for good: {error!r}"))

    async def _run(self) -> None:
        while True:
            await self._more.wait()
            call: Any = self._stub.ExecuteStream()
            writing = asyncio.create_task(self._write(call))
            seconds_min = 0.0
            try:
                await self._read(call)
            except grpc.aio.AioRpcError as error:
                refused = refusal_in(error)
                seconds_min = (refused and refused.retry_delay) or 0.0
                if error.code() not in _PASSING:
                    self._fail(refused or error)
            except _Stale:
                pass  # Everything goes out again; a token that is no good lets no stream in.
            finally:
                writing.cancel()
                call.cancel()
                await asyncio.gather(writing, return_exceptions=True)
            await self._pause(seconds_min)
            self._to_send = deque(self._items.values())
            if self._to_send:
                self._more.set()  # What was sent on the stream that broke off waits for nothing more to be sent.
            else:
                self._more.clear()

    async def _write(self, call: Any) -> None:
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # Whoever reads is told why.
            while True:
                await self._more.wait()
                while self._to_send:
                    item = self._to_send.popleft()
                    await call.write(
                        service.ExecuteStreamRequest(command=item.command, wait_for=WAIT_FOR_COMPLETION, steps=True)
                    )
                self._more.clear()

    async def _read(self, call: Any) -> None:
        while (response := await call.read()) is not grpc.aio.EOF:
            self._failures = 0
            item = self._items.get(response.command_id)
            if item is not None:
                self._take(item, response)

    def _take(self, item: Item, response: service.ExecuteStreamResponse) -> None:
        match response.WhichOneof("outcome"):
            case "accepted":
                item.accept()
            case "result":
                item.learn(response.result)
            case "refused":
                self._refused(item, response.refused)
            case "executed":
                self._executed(item, response.executed)

    def _refused(self, item: Item, refusal: service.Refusal) -> None:
        if refusal.HasField("retry_delay"):
            self._later(self._again(item, refusal.retry_delay.ToMilliseconds() / 1000))
            return
        refused = refused_by(refusal)
        if refused.reason == _UNAUTHENTICATED:
            raise _Stale
        item.fail(refused)
        self.let_go(item)

    def _executed(self, item: Item, executed: service.ExecuteResponse) -> None:
        if not executed.HasField("result"):
            # The dispatcher's patience was over, or it stops: the same again goes on waiting.
            self._later(self._again(item, RETRY_SECONDS_MIN))
            return
        item.learn(executed.result)
        if executed.HasField("completion") or executed.result.state != STATE_SUCCEEDED:
            item.complete(executed.completion if executed.HasField("completion") else None)
            self.let_go(item)
        else:
            self._later(self._ask(item))

    async def _ask(self, item: Item) -> None:
        """A success without a completion: it is still awaited, or there is none."""
        request = GetCommandRequest(
            command_id=item.command.command_id,
            call_control_id=item.command.call_control_id,
            account=item.command.account,
        )
        try:
            view = (await self._stub.GetCommand(request, timeout=ASK_SECONDS)).command
        except grpc.aio.AioRpcError as error:
            if error.code() in _PASSING:
                await self._again(item, RETRY_SECONDS_MAX)
                return
            item.complete(None)  # It is known no longer; or it can never be told.
            self.let_go(item)
            return
        if view.phase == PHASE_OPEN:
            await self._again(item, RETRY_SECONDS_MIN)
            return
        item.complete(view.completion if view.HasField("completion") else None)
        self.let_go(item)

    async def _again(self, item: Item, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._items.get(item.command.command_id) is item and item not in self._to_send:
            self._to_send.append(item)
            self._more.set()

    def _later(self, doing: Any) -> None:
        task = asyncio.create_task(doing)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _pause(self, seconds_min: float) -> None:
        backoff = min(RETRY_SECONDS_MIN * 2**self._failures, RETRY_SECONDS_MAX)
        self._failures = min(self._failures + 1, 10)
        await asyncio.sleep(max(backoff, seconds_min))

    def _fail(self, error: Exception) -> None:
        for item in self._items.values():
            item.fail(error)
        self._items.clear()
