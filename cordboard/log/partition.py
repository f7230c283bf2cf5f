"""One partition of a topic as the embedded log keeps it in memory: where it begins and ends, and its newest records."""

from __future__ import annotations

from typing import Final, Protocol

from cordboard.log.port import Record, TopicPartition

TAIL_RECORDS_MAX: Final = 1_024
TAIL_BYTES_MAX: Final = 512 * 1024


class Follower(Protocol):
    """Who wants to know that a partition has grown."""

    def grown(self, partition: Partition) -> None:
        """New records can be read."""


class Partition:
    """`end` is the offset after the last committed record, `next` the one after the last that was given a place."""

    def __init__(self, ident: int, at: TopicPartition, start: int, end: int) -> None:
        self.ident = ident
        self.at = at
        self.start = start
        self.end = end
        self.next = end
        self.followers: set[Follower] = set()
        self._tail: list[Record] = []
        self._tail_start = end
        self._tail_bytes = 0

    def extend(self, records: list[Record]) -> None:
        """Take records that have been committed, and tell those who follow."""
        tail = self._tail
        tail += records
        self.end += len(records)
        self._tail_bytes += sum([len(record.value) for record in records])
        if len(tail) > TAIL_RECORDS_MAX or self._tail_bytes > TAIL_BYTES_MAX:
            self._shorten()
        for follower in self.followers:
            follower.grown(self)

    def forget(self, start: int) -> None:
        """Take note that the records before `start` are gone."""
        self.start = start
        gone = start - self._tail_start
        if gone > 0:
            self._cut(gone)

    def read(self, offset: int, count: int) -> list[Record] | None:
        """The records from an offset on that are in memory; None when the offset is older than that."""
        first = offset - self._tail_start
        return None if first < 0 else self._tail[first : first + count]

    def _shorten(self) -> None:
        # Down to half of what is allowed, so that it is done once in many records.
        records, size, keep = len(self._tail), 0, 0
        for record in reversed(self._tail):
            size += len(record.value)
            if keep >= TAIL_RECORDS_MAX // 2 or size > TAIL_BYTES_MAX // 2:
                break
            keep += 1
        self._cut(records - keep)

    def _cut(self, count: int) -> None:
        self._tail_bytes -= sum([len(record.value) for record in self._tail[:count]])
        del self._tail[:count]
        self._tail_start += count
