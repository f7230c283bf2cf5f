"""What several in-memory logs have in common: the records, the ledger, the groups. It survives them all.

Every write is one step, here, and atomic; what may go wrong around it is its writer's affair (memory.py).
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cordboard.clock import Clock
from cordboard.log.groups import Group
from cordboard.log.ledger import Entry, Ledger
from cordboard.log.port import Appended, NewRecord, Record, TopicPartition, TopicSpec

CommitKey = tuple[str, str, int]


@dataclass(slots=True)
class Partition:
    """One partition's records; `next` is the offset that the next one will have."""

    records: list[Record] = field(default_factory=list)
    next: int = 0
    waiters: dict[asyncio.Event, None] = field(default_factory=dict)  # In the order in which they came.

    def index(self, offset: int) -> int:
        """Where the first record at or after an offset lies."""
        return bisect_left(self.records, offset, key=lambda record: record.offset)


class MemoryBroker:
    """The storage behind in-memory logs. Connect with `MemoryLog(broker)`, as many as there are processes.

    `gap` says how many offsets to leave out before each record: Kafka's are not contiguous either.
    """

    def __init__(
        self,
        topics: Sequence[TopicSpec],
        ledger_partitions: int,
        clock: Clock,
        inputs: Sequence[str],
        *,
        gap: Callable[[], int] = lambda: 0,
    ) -> None:
        self.counts = {spec.name: spec.partitions for spec in topics}
        self.partitions = {
            TopicPartition(spec.name, number): Partition() for spec in topics for number in range(spec.partitions)
        }
        self.inputs = tuple(inputs)
        self._clock = clock
        self._gap = gap
        self._time_ms = 0
        self._entries: list[list[tuple[int, Entry]]] = [[] for _ in range(ledger_partitions)]
        self._ledgers = [Ledger() for _ in range(ledger_partitions)]
        self._commits: dict[CommitKey, int] = {}
        self._groups: dict[tuple[str, str], Group] = {}

    def now_ms(self) -> int:
        """The log's time: the clock's, but never going back."""
        self._time_ms = max(self._time_ms, self._clock.now_ms())
        return self._time_ms

    def append(self, number: int, new: NewRecord) -> Appended:
        """Write a record into a partition of its topic."""
        partition = self.partitions[TopicPartition(new.topic, number)]
        offset = partition.next + self._gap()
        partition.next = offset + 1
        record = Record(new.topic, number, offset, self.now_ms(), new.key, new.value, new.headers)
        partition.records.append(record)
        for waiter in partition.waiters:
            waiter.set()
        return Appended(number, offset, record.time_ms)

    def append_entry(self, partition: int, entry: Entry) -> int:
        """Write into the ledger; return the offset. What counts is for those who read to find out."""
        entries = self._entries[partition]
        offset = len(entries)
        entries.append((offset, entry))
        self._ledgers[partition].take(offset, entry)
        return offset

    def ledger(self, partition: int) -> Ledger:
        """What the entries of a ledger partition amount to now."""
        return self._ledgers[partition]

    def entries(self, partition: int) -> list[tuple[int, Entry]]:
        """A ledger partition's entries and their offsets, for tests that look closely."""
        return list(self._entries[partition])

    def group(self, name: str, topic: str) -> Group:
        """A consumer group; its members may be of several logs."""
        found = self._groups.get((name, topic))
        if found is None:
            found = self._groups[name, topic] = Group(name, topic, self.counts[topic], self)
        return found

    async def store_commits(self, offsets: Mapping[CommitKey, int]) -> None:
        """Store a group's offsets."""
        self._commits |= offsets

    def stored_commit(self, key: CommitKey) -> int | None:
        """A group's stored offset."""
        return self._commits.get(key)

    def lose_positions(self, partition: int) -> None:
        """Forget an owner's positions, as a badly configured compaction would."""
        self._ledgers[partition].positions.clear()

    def lose_ledger(self, partition: int) -> None:
        """Begin a ledger partition anew, as deleting the topic and creating it again would."""
        self._entries[partition] = []
        self._ledgers[partition] = Ledger()
