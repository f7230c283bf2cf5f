"""Reading the in-memory log."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.port import LogUnavailable, Record, TopicPartition


class MemoryReader:
    """Follows partitions by plain assignment. One task reads at a time."""

    def __init__(self, broker: MemoryBroker, positions: Mapping[TopicPartition, int]) -> None:
        self._broker = broker
        self._positions = dict(positions)
        topics = list(dict.fromkeys(at.topic for at in positions))
        self._turns = [deque(at for at in positions if at.topic == topic) for topic in topics]
        self._woken = asyncio.Event()
        self._interrupted = False
        self._closed = False
        for at in positions:
            broker.partitions[at].waiters[self._woken] = None

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        """See the port."""
        records = self._take(records_max)
        if not records and not self._interrupted:
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), timeout_seconds)
            except TimeoutError:
                pass  # The time is over: whatever is there now is what there is.
            records = self._take(records_max)
        self._interrupted = False
        return records

    async def read_past(self, time_ms: int) -> bool:
        """See the port."""
        self._must_be_open()
        return self._broker.now_ms() >= time_ms and not any(
            record.time_ms < time_ms
            for at, offset in self._positions.items()
            for record in self._following(at, offset, 1)
        )

    def positions(self) -> Mapping[TopicPartition, int]:
        """See the port."""
        return dict(self._positions)

    def interrupt(self) -> None:
        """See the port."""
        self._interrupted = True
        self._woken.set()

    async def close(self) -> None:
        """See the port."""
        self.stop()

    def stop(self) -> None:
        """Stop at once; a waiting `read` raises LogUnavailable."""
        self._closed = True
        for at in self._positions:
            self._broker.partitions[at].waiters.pop(self._woken, None)
        self._woken.set()

    def _must_be_open(self) -> None:
        if self._closed:
            raise LogUnavailable("this reader is closed")

    def _take(self, records_max: int) -> list[Record]:
        self._must_be_open()
        taken: list[Record] = []
        for partitions in self._turns:
            for at in partitions:
                records = self._following(at, self._positions[at], records_max - len(taken))
                if records:
                    self._positions[at] = records[-1].offset + 1
                    taken += records
            partitions.rotate(-1)  # So that a full partition does not keep the others of its topic waiting.
        return taken

    def _following(self, at: TopicPartition, offset: int, count: int) -> list[Record]:
        partition = self._broker.partitions[at]
        first = partition.index(offset)
        return partition.records[first : first + count]
