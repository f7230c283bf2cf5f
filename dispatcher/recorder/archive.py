"""The tables as the dispatcher uses them: calls told, searched and forgotten. Whoever asks waits for a bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeVar

from cordboard.clock import Clock
from dispatcher.recorder.database import TablesUnavailable
from dispatcher.recorder.story import Entry, Story, name_of
from dispatcher.recorder.tables import Search, Tables

ANSWER_SECONDS_MAX: Final = 5.0
T = TypeVar("T")


class Archive:
    """`reading` are tables that are only read; `changing` those in which calls are forgotten.

    `number` makes of a number what is recorded of it.
    """

    def __init__(self, reading: Tables, changing: Tables, number: Callable[[str], str], clock: Clock) -> None:
        self._reading = reading
        self._changing = changing
        self._number = number
        self._clock = clock

    async def story(self, call: str) -> tuple[Story | None, list[Entry]]:
        """A call, and what was recorded of it, oldest first. Raises TablesUnavailable."""
        return await _in_time(self._reading.story(call))

    async def search(self, wanted: Search) -> list[Story]:
        """Calls, the latest first. Raises TablesUnavailable."""
        number = name_of(self._number(wanted.number)) if wanted.number else ""
        return await _in_time(self._reading.search(replace(wanted, number=number)))

    async def forget(self, call: str) -> int | None:
        """Take away a call's contents; how many entries had some, None for a call that was not recorded."""
        return await _in_time(self._changing.forget(call, self._clock.now_ms()))

    async def close(self) -> None:
        """Close the connections."""
        await self._reading.close()
        await self._changing.close()


async def _in_time(asked: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await asked
    except TimeoutError as error:
        raise TablesUnavailable(f"the tables did not answer within {ANSWER_SECONDS_MAX:g} s") from error
