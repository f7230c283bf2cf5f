"""Reading a simulated log: with the delays of a network, and with the log's word on what is still to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.memory_reader import MemoryReader
from cordboard.log.port import LogUnavailable, Record, TopicPartition
from simulation.loop import Life


class DelayedReader(MemoryReader):
    """A reader of one life: its fetches take `delay()` seconds, and fail while the life is cut off.

    `few` draws a number from 0 to 1: below 0.15 a fetch brings two records at most.
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

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        """See the port."""
        if delay := self._delay():
            await asyncio.sleep(delay)
        self._must_reach()
        # A fetch brings what it likes of what there is: so that nobody takes it for the end.
        few = records_max if self._few() > 0.15 else 2
        records = await super().read(timeout_seconds, min(records_max, few))
        if not records:
            self._must_reach()
        return records

    async def read_past(self, time_ms: int) -> bool:
        """See the port."""
        return self._none_older(time_ms) and await super().read_past(time_ms)

    def _must_reach(self) -> None:
        if self._life.cut_off:
            raise LogUnavailable("fetch: no way to the log")
