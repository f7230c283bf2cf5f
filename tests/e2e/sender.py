"""A good client: whatever breaks, it sends the same command again under the same id, until it knows it was taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final, Protocol, TypeVar

import grpc.aio

from cordboard.client import Client, CommandRefused
from cordboard.v1 import (
    PLACEMENT_NOW,
    Command,
    CommandResult,
    ExecuteStreamRequest,
    Refusal,
    SubmitStreamRequest,
)
from tests.e2e.checker import Sent, Told
from tests.e2e.observer import told_of

T = TypeVar("T")

_SUBMIT_SECONDS: Final = 5.0
_EXECUTE_SECONDS: Final = 40.0
_PAUSE_SECONDS: Final = (0.05, 0.3)
_AGAIN_SHARE: Final = 0.1  # So many commands are sent twice although nothing broke.


class GaveUp(Exception):
    """The command's time was over before anybody said whether it had been taken."""


class Journal:
    """What clients sent, and what they know of it."""

    def __init__(self) -> None:
        self._sent: dict[str, Sent] = {}
        self.acknowledged: set[str] = set()
        self.answers: list[Told] = []
        self.retries = 0

    def sending(self, command: Command) -> None:
        """A command is sent for the first time: of each call in the order in which they are to be accepted."""
        self._sent[command.command_id] = Sent(
            command_id=command.command_id,
            call=command.call_control_id,
            action=command.WhichOneof("action") or "",
            mark=command.client_state,
            passes=command.placement == PLACEMENT_NOW,
        )

    def answered(self, result: CommandResult) -> CommandResult:
        """Execute has said what became of a command."""
        self.answers.append(told_of("replayed" if result.replayed else "answer", result))
        return result

    def sent(self) -> list[Sent]:
        """All of it."""
        return [replace(sent, acknowledged=sent.command_id in self.acknowledged) for sent in self._sent.values()]


Way = Callable[[Sequence[Command]], Coroutine[Any, Any, Any]]


class Straight(Protocol):
    """A way to the log past the doors."""

    async def produce(self, commands: Sequence[Command]) -> set[str]:
        """Write commands; the ids of those that are acknowledged."""


class Sender:
    """Sends commands of one call, in their order, in each of the ways there are."""

    def __init__(self, client: Client, journal: Journal, rng: Random, straight: Straight | None = None) -> None:
        self._client = client
        self._journal = journal
        self._rng = rng
        self._straight = straight

    @property
    def ways(self) -> list[Way]:
        """All of them."""
        every: list[Way] = [self.submit, self.submit_stream, self.execute, self.execute_stream]
        return [*every, self.produce] if self._straight is not None else every

    @property
    def ways_in_turn(self) -> list[Way]:
        """Those by which numbered commands come in order: where brokers fail, one of a stream may come before another.

        It is turned away then, because it came before its turn, and nobody sends it again.
        """
        return [self.submit, self.execute] if self._straight is not None else self.ways

    async def submit(self, commands: Sequence[Command]) -> None:
        """One after the other: the next one when the last was taken."""
        for command in commands:
            self._journal.sending(command)
            for _ in range(self._times()):
                try:
                    await self._persist(command, lambda: self._client.submit(command, timeout=_SUBMIT_SECONDS))  # noqa: B023 - awaited at once
                except GaveUp:
                    break
                self._journal.acknowledged.add(command.command_id)

    async def execute(self, commands: Sequence[Command]) -> CommandResult:
        """One after the other: the next one when it is known what became of the last; that of the last one."""
        for command in commands:
            self._journal.sending(command)
            for _ in range(self._times()):
                result = await self._executed(command)
        return result

    async def submit_stream(self, commands: Sequence[Command]) -> None:
        """All at once, in one stream; what was not answered when it broke goes into the next one, in the same order."""
        waiting = self._sending(commands)
        while waiting:
            call = self._client.stub.SubmitStream(self._requests(waiting, SubmitStreamRequest), timeout=_SUBMIT_SECONDS)
            async for response in self._until_it_breaks(call):
                self._check(response.refused)
                if response.HasField("accepted"):
                    self._journal.acknowledged.add(response.command_id)
                    waiting.pop(response.command_id, None)

    async def execute_stream(self, commands: Sequence[Command]) -> None:
        """The same, until it is known what became of each."""
        waiting = self._sending(commands)
        while waiting:
            requests = self._requests(waiting, ExecuteStreamRequest)
            call = self._client.stub.ExecuteStream(requests, timeout=_EXECUTE_SECONDS)
            async for response in self._until_it_breaks(call):
                self._check(response.refused)
                if response.HasField("executed"):
                    self._journal.acknowledged.add(response.command_id)
                if response.executed.HasField("result"):
                    self._journal.answered(response.executed.result)
                    waiting.pop(response.command_id, None)

    async def produce(self, commands: Sequence[Command]) -> None:
        """All at once, without any door."""
        assert self._straight is not None, "this log takes nothing from outside"
        sending = [command for command in self._sending(commands).values() for _ in range(self._times())]
        self._journal.acknowledged |= await self._straight.produce(sending)

    async def slip_in(self, command: Command) -> None:
        """Send a command that must not count, because its id is another's."""
        await self._persist(command, lambda: self._client.submit(command, timeout=_SUBMIT_SECONDS))

    def _sending(self, commands: Sequence[Command]) -> dict[str, Command]:
        for command in commands:
            self._journal.sending(command)
        return {command.command_id: command for command in commands}

    def _times(self) -> int:
        return 2 if self._rng.random() < _AGAIN_SHARE else 1

    async def _requests(self, waiting: dict[str, Command], kind: Callable[..., Any]) -> AsyncIterator[Any]:
        for command in list(waiting.values()):
            for _ in range(self._times()):
                yield kind(command=command)

    async def _executed(self, command: Command) -> CommandResult:
        """What became of a command; asked again for as long as it is open."""
        while True:
            answer = await self._persist(command, lambda: self._client.execute(command, timeout=_EXECUTE_SECONDS))
            self._journal.acknowledged.add(command.command_id)
            if answer.HasField("result"):
                return self._journal.answered(answer.result)

    async def _persist(self, command: Command, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until there is an answer. Raises CommandRefused where asking again is no use; GaveUp."""
        while True:
            try:
                return await ask()
            except CommandRefused as refused:
                if refused.retry_delay is None:
                    if command.HasField("expire_time"):
                        raise GaveUp from refused
                    raise
            except grpc.aio.AioRpcError:
                pass  # It says nothing: ask again.
            await self._pause()

    async def _until_it_breaks(self, call: Any) -> AsyncIterator[Any]:
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError:
            await self._pause()

    def _check(self, refusal: Refusal) -> None:
        """A refusal in a stream must be one after which the same may be sent again."""
        assert not refusal.reason or refusal.HasField("retry_delay"), refusal

    async def _pause(self) -> None:
        self._journal.retries += 1
        await asyncio.sleep(self._rng.uniform(*_PAUSE_SECONDS))
