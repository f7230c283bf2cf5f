"""What a sent command becomes, to be asked for when it matters."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from cordboard.client.errors import CommandFailed, NotCompleted
from cordboard.client.streams import Item
from cordboard.v1 import (
    COMPLETION_STATE_COMPLETED,
    REASON_ALREADY_ENDED,
    STATE_SUCCEEDED,
    Command,
    CommandCompletion,
    CommandResult,
)

T = TypeVar("T")


class Action:
    """A command that was accepted: it will have exactly one result. Whoever does not ask for it misses nothing else."""

    def __init__(self, item: Item) -> None:
        self._item = item

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.command.WhichOneof('action')} {self.command_id}>"

    @property
    def command(self) -> Command:
        """What was sent."""
        return self._item.command

    @property
    def command_id(self) -> str:
        """Its id."""
        return self._item.command.command_id

    async def outcome(self, timeout: float | None = None) -> CommandResult:
        """The result, whatever it is. `timeout` is in seconds; raises TimeoutError, and the command goes on."""
        return await _within(self._item.result, timeout)

    async def result(self, timeout: float | None = None) -> CommandResult:
        """The result: Telnyx has accepted it. Raises CommandFailed for any other result, and as `outcome` does."""
        result = await self.outcome(timeout)
        if result.state != STATE_SUCCEEDED:
            raise CommandFailed(result)
        return result

    async def completed(self, timeout: float | None = None) -> CommandCompletion:
        """Return when what it started is in effect, such as that a text was spoken to its end.

        Raises NotCompleted where that failed or will never be known, and as `result` does.
        """
        async with asyncio.timeout(timeout):
            result = await self.result()
            completion = await _within(self._item.completion, None)
        if completion is None and result.reason == REASON_ALREADY_ENDED:
            return _ended_already(result)
        if completion is None or completion.state != COMPLETION_STATE_COMPLETED:
            raise NotCompleted(self.command_id, completion)
        return completion


def _ended_already(result: CommandResult) -> CommandCompletion:
    """A hangup of a call that was over: nothing follows it, and what was asked for is so."""
    return CommandCompletion(
        command_id=result.command_id,
        call_control_id=result.call_control_id,
        account=result.account,
        action=result.action,
        state=COMPLETION_STATE_COMPLETED,
        finish_time=result.finish_time,
    )


async def _within(future: asyncio.Future[T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await asyncio.shield(future)  # Others may wait for the same.
