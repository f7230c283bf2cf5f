"""Reading the embedded log: from memory while a reader keeps up, from the file while it is behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from cordboard.log.partition import Partition
from cordboard.log.port import LogUnavailable, Record, TopicPartition


class Source(Protocol):
    """What a reader needs of the log."""

    def records(self, partition: Partition, offset: int, count: int) -> list[Record]:
        """Records from the file."""

    def time_at(self, partition: Partition, offset: int) -> int:
        """When the record at an offset was taken."""

    def none_older(self, partition: Partition, time_ms: int) -> bool:
        """Whether no record older than `time_ms` can still be added to the partition."""


class EmbeddedReader:
    """Follows partitions by plain assignment. One task reads at a time."""

    def __init__(self, source: Source, positions: Mapping[Partition, int]) -> None:
        self._source = source
        self._positions = dict(positions)
        # By topic, in the order of service: the partitions that have something, in the order of their turns.
        self._behind: dict[str, dict[Partition, None]] = {partition.at.topic: {} for partition in positions}
        self._waiter: asyncio.Future[None] | None = None
        self._interrupted = False
        self._closed = False
        for partition in positions:
            partition.followers.add(self)
            self.grown(partition)

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        """See the port."""
        records = await self._take(records_max)
        if not records and not self._interrupted:
            await self._wait(timeout_seconds)
            records = await self._take(records_max)
        self._interrupted = False
        return records

    async def read_past(self, time_ms: int) -> bool:
        """See the port."""
        self._must_be_open()
        return all(self._is_past(partition, offset, time_ms) for partition, offset in self._positions.items())

    def positions(self) -> Mapping[TopicPartition, int]:
        """See the port."""
        return {partition.at: offset for partition, offset in self._positions.items()}

    def interrupt(self) -> None:
        """See the port."""
        self._interrupted = True
        self._wake()

    async def close(self) -> None:
        """See the port."""
        self.stop()

    def stop(self) -> None:
        """Stop at once; a waiting `read` raises LogUnavailable."""
        self._closed = True
        for partition in self._positions:
            partition.followers.discard(self)
        self._wake()

    def grown(self, partition: Partition) -> None:
        """A followed partition has new records."""
        if self._positions[partition] < partition.end:
            self._behind[partition.at.topic][partition] = None
            self._wake()

    def _must_be_open(self) -> None:
        if self._closed:
            raise LogUnavailable("this reader is closed")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, timeout_seconds: float | None) -> None:
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = None if timeout_seconds is None else loop.call_later(timeout_seconds, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    async def _take(self, records_max: int) -> list[Record]:
        self._must_be_open()
        taken: list[Record] = []
        for behind in self._behind.values():
            while behind and len(taken) < records_max:
                partition = next(iter(behind))
                taken += await self._take_from(partition, records_max - len(taken))
                del behind[partition]
                if self._positions[partition] < partition.end:
                    behind[partition] = None  # At the end: the others have their turn first.
        return taken

    async def _take_from(self, partition: Partition, count: int) -> list[Record]:
        offset = max(self._positions[partition], partition.start)
        records = partition.read(offset, count)
        if records is None:
            records = self._source.records(partition, offset, count)
            await asyncio.sleep(0)  # Others go on while somebody catches up.
        # Where there is nothing any more, it is passed over: else it would be looked at again and again.
        self._positions[partition] = records[-1].offset + 1 if records else offset
        return records

    def _is_past(self, partition: Partition, offset: int, time_ms: int) -> bool:
        if offset < partition.end:
            following = partition.read(max(offset, partition.start), 1)
            at = following[0].time_ms if following else self._source.time_at(partition, max(offset, partition.start))
            return at >= time_ms
        return self._source.none_older(partition, time_ms)
