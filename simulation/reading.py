"""Reading a simulated log: with the delays of a network, and with the log's word on what is still to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.memory_reader import MemoryReader
from cordboard.log.port import LogUnavailable, Record, TopicPartition
from simulation.loop import Life

SLUGGISH_SECONDS_MAX: Final = 4.0
_FIRST_FETCHES: Final = 3


class DelayedReader(MemoryReader):
    """A reader of one life: its fetches take `delay()` seconds, and fail while the life is cut off.

    `few` draws a number from 0 to 1: below 0.15 a fetch brings two records at most. The first ones bring one each, as
    from whichever broker answers first; while the life is sluggish all do, and late.
    """

    def __init__(
        self,
        broker: MemoryBroker,
        positions: Mapping[TopicPartition, int],
        delay: Callable[[], float],
        life: Life,
        none_older: Callable[[int], bool],
        few: Callable[[], float] = lambda: 1.0,
    ) -> None:
        super().__init__(broker, positions)
        self._delay = delay
        self._life = life
        self._none_older = none_older
        self._few = few
        self._fetches = 0

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        """See the port."""
        delay = self._delay() + (SLUGGISH_SECONDS_MAX * self._few() if self._life.sluggish else 0.0)
        if delay:
            await asyncio.sleep(delay)
        self._must_reach()
        records = await super().read(timeout_seconds, min(records_max, self._brings(records_max)))
        if not records:
            self._must_reach()
        return records

    async def read_past(self, time_ms: int) -> bool:
        """See the port."""
        return self._none_older(time_ms) and await super().read_past(time_ms)

    def _brings(self, records_max: int) -> int:
        """How many records a fetch brings: what it likes of what there is, so that nobody takes it for the end."""
        self._fetches += 1
        if self._life.sluggish or self._fetches <= _FIRST_FETCHES:
            return 1
        return records_max if self._few() > 0.15 else 2

    def _must_reach(self) -> None:
        if self._life.cut_off:
            raise LogUnavailable("fetch: no way to the log")
