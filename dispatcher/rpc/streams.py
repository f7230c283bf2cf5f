"""SubmitStream and ExecuteStream: many commands in, an answer for each, in any order.

    read -> check -> ready ──(everything that is ready, in one append)──▶ accepted -> [wait] -> answers -> write

Rule 1: one append of a stream is under way at a time, and it takes all that is ready, in the order in which it was
sent. So the log's order is the stream's on any log, and the more comes the fewer appends it takes.
Rule 2: an item holds a slot from before it is read until its last answer (of three at most) is written. So a client
that does not read its answers is not read from, and nothing here grows beyond the slots.
Rule 3: what is wrong with an item is its answer, never the stream's end. Half-close waits for the answers.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from functools import partial
from typing import Any, Final, Protocol

import grpc.aio

from cordboard.access import Caller
from cordboard.log.port import Appended
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.v1 import result_pb2
from dispatcher.acceptance.execute import Executor, check_wait, patience
from dispatcher.acceptance.intake import Admitted, Intake
from dispatcher.acceptance.refusals import Refused, shutting_down
from dispatcher.acceptance.stopping import Stopping
from dispatcher.acceptance.views import timestamp
from dispatcher.acceptance.waiting import Waiter
from dispatcher.rpc.requests import UNREADABLE, unreadable

IN_FLIGHT_MAX: Final = 256


class Wire(Protocol):
    """What a stream needs of gRPC."""

    def read(self) -> Awaitable[Any]:
        """The next request, or grpc.aio.EOF."""

    def write(self, message: Any) -> Awaitable[None]:
        """Send an answer; returns when there is room for the next."""

    def time_remaining(self) -> float | None:
        """How long the caller waits (seconds); None: for ever."""


class Stream(ABC):
    """One stream, from its first item to its last answer. See the head of this module."""

    def __init__(self, intake: Intake, wire: Wire, stopping: Stopping, traceparent: str, caller: Caller) -> None:
        self._caller = caller
        self._intake = intake
        self._wire = wire
        self._stopping = stopping
        self._traceparent = traceparent
        self._slots = asyncio.Semaphore(IN_FLIGHT_MAX)
        self._ready: list[tuple[Any, Admitted]] = []
        self._more = asyncio.Event()
        self._all_read = False
        self._answers: asyncio.Queue[Any] = asyncio.Queue()
        self._waits: asyncio.TaskGroup  # Of those who wait for results.

    async def run(self) -> None:
        """Serve the stream. Raises Refused when the process stops, after everything that was read is answered."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write())
            async with asyncio.TaskGroup() as self._waits:
                self._waits.create_task(self._append())
                reading = self._waits.create_task(self._read())
                reading.add_done_callback(self._end_of_items)
                with self._stopping.telling(reading.cancel):
                    await asyncio.wait((reading,))
            self._answers.put_nowait(None)
        if self._stopping.begun:
            raise shutting_down()

    @abstractmethod
    def prepare(self, request: Any, admitted: Admitted) -> Any:
        """What is needed before a command is appended. Raises Refused."""

    @abstractmethod
    def accepted(self, prepared: Any, admitted: Admitted, appended: Appended) -> None:
        """A command was appended: answer it now, or when there is something to say."""

    @abstractmethod
    def refused(self, prepared: Any, command_id: str, refused: Refused) -> None:
        """A command was turned away: answer so. `prepared` is None where it did not come so far."""

    def answer(self, message: Any, *, is_last: bool = True) -> None:
        """Have an answer written; with an item's last one its slot is freed."""
        self._answers.put_nowait((message, is_last))

    async def _read(self) -> None:
        while True:
            await self._slots.acquire()
            request = await self._wire.read()
            if request is grpc.aio.EOF:
                return
            await self._take(request)

    def _end_of_items(self, _: object) -> None:
        self._all_read = True
        self._more.set()

    async def _take(self, request: Any) -> None:
        if request is UNREADABLE:
            self.refused(None, "", unreadable())
            return
        try:
            admitted = await self._intake.admit_again(request.command, self._traceparent, self._caller)
            self._ready.append((self.prepare(request, admitted), admitted))
        except Refused as refused:
            self.refused(None, request.command.command_id, refused)
        else:
            self._more.set()

    async def _append(self) -> None:
        while self._ready or not self._all_read:
            await self._more.wait()
            self._more.clear()
            batch, self._ready = self._ready, []
            if batch:
                await self._append_batch(batch)

    async def _append_batch(self, batch: list[tuple[Any, Admitted]]) -> None:
        try:
            every = await self._intake.accept([admitted for _, admitted in batch])
        except Refused as refused:
            for prepared, admitted in batch:
                self.refused(prepared, admitted.command.command_id, refused)
            return
        for (prepared, admitted), appended in zip(batch, every, strict=True):
            self.accepted(prepared, admitted, appended)

    async def _write(self) -> None:
        heard = True
        while (answer := await self._answers.get()) is not None:
            message, is_last = answer
            try:
                if heard:
                    await self._wire.write(message)
            except grpc.aio.InternalError:
                heard = False  # The caller has hung up. What was read is seen to all the same.
            if is_last:
                self._slots.release()


class SubmitStream(Stream):
    """Answers when a command is accepted."""

    def prepare(self, request: service.SubmitStreamRequest, admitted: Admitted) -> None:
        """Nothing."""

    def accepted(self, prepared: Any, admitted: Admitted, appended: Appended) -> None:
        """Say so."""
        command_id = admitted.command.command_id
        said = service.SubmitResponse(command_id=command_id, accept_time=timestamp(appended.time_ms))
        self.answer(service.SubmitStreamResponse(command_id=command_id, accepted=said))

    def refused(self, prepared: Any, command_id: str, refused: Refused) -> None:
        """Say so."""
        self.answer(service.SubmitStreamResponse(command_id=command_id, refused=refused.refusal()))


class ExecuteStream(Stream):
    """Answers when it is known what became of a command; before that, each step, where that is asked for."""

    def __init__(
        self,
        intake: Intake,
        wire: Wire,
        stopping: Stopping,
        traceparent: str,
        caller: Caller,
        executor: Executor,
    ) -> None:
        super().__init__(intake, wire, stopping, traceparent, caller)
        self._executor = executor
        self._open: set[Waiter] = set()

    async def run(self) -> None:
        """See Stream. However it ends, nobody waits afterwards."""
        try:
            await super().run()
        finally:
            for waiter in self._open:
                waiter.close()

    def prepare(self, request: service.ExecuteStreamRequest, admitted: Admitted) -> tuple[Waiter, int, bool]:
        """Register the wait before the command is appended."""
        check_wait(request.wait_for)
        waiter = self._executor.waiter(admitted)
        self._open.add(waiter)
        return waiter, request.wait_for, request.steps

    def accepted(self, prepared: Any, admitted: Admitted, appended: Appended) -> None:
        """Wait."""
        waiter, wait_for, steps = prepared
        if steps:
            command_id = admitted.command.command_id
            taken = service.SubmitResponse(command_id=command_id, accept_time=timestamp(appended.time_ms))
            self._step(command_id, accepted=taken)
        self._waits.create_task(self._wait(waiter, wait_for, admitted, appended, steps=steps))

    def refused(self, prepared: Any, command_id: str, refused: Refused) -> None:
        """Say so."""
        if prepared is not None:
            self._close(prepared[0])
        self.answer(service.ExecuteStreamResponse(command_id=command_id, refused=refused.refusal()))

    async def _wait(
        self,
        waiter: Waiter,
        wait_for: service.WaitFor.ValueType,
        admitted: Admitted,
        appended: Appended,
        *,
        steps: bool,
    ) -> None:
        command_id = admitted.command.command_id
        tell = partial(self._tell, command_id) if steps else None
        timer = asyncio.get_running_loop().call_later(patience(self._wire.time_remaining()), waiter.give_up)
        try:
            executed = await self._executor.outcome(waiter, admitted, appended, wait_for, tell)
        finally:
            timer.cancel()
            self._close(waiter)
        self.answer(service.ExecuteStreamResponse(command_id=command_id, executed=executed))

    def _tell(self, command_id: str, result: result_pb2.CommandResult) -> None:
        self._step(command_id, result=result)

    def _step(self, command_id: str, **step: Any) -> None:
        self.answer(service.ExecuteStreamResponse(command_id=command_id, **step), is_last=False)

    def _close(self, waiter: Waiter) -> None:
        self._open.discard(waiter)
        waiter.close()
