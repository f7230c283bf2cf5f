"""What an owner does while the log is behind its own clock: it looks again soon, but not on and on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from cordboard.log.memory import MemoryLog
from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.memory_reader import MemoryReader
from cordboard.log.port import Reader, Record, TopicPartition
from tests.dispatcher.harness import HandClock, make_broker, speak, staged


class CountingReader(MemoryReader):
    """A reader that has never been read past anything, as where a write takes long or the log's clock is behind."""

    reads = 0
    is_behind = False

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        type(self).reads += 1
        return await super().read(timeout_seconds, records_max)

    async def read_past(self, time_ms: int) -> bool:
        return not self.is_behind and await super().read_past(time_ms)


class CountedLog(MemoryLog):
    """A log whose reads are counted."""

    def __init__(self, broker: MemoryBroker) -> None:
        super().__init__(broker)
        self._counted = broker

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        return CountingReader(self._counted, positions)


async def test_a_timer_that_the_inputs_have_not_reached_is_waited_for_in_steps() -> None:
    """
    While a timer is due and the log has not passed it, the owner sleeps between its looks instead of spinning.
    """
    clock = HandClock()
    async with staged(CountedLog(make_broker(clock)), clock) as stage:
        await stage.submit(speak("a"))
        await stage.until(lambda: stage.dispatcher.pages == 1)
        await stage.applied()
        CountingReader.is_behind = True
        clock.time_ms += 16_000
        await stage.submit(speak("b"))  # Wakes the owner, which finds its timer due.
        before, turns = CountingReader.reads, 2_000
        for _ in range(turns):
            await asyncio.sleep(0)
        assert CountingReader.reads - before < turns / 20
        CountingReader.is_behind = False
