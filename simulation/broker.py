"""The storage behind the simulated logs, with a journal of everything that was ever written, in order, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cordboard.clock import Clock
from cordboard.log.ledger import Done, Entry, Ledger, Owing, PageWritten
from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.port import Appended, NewRecord, Record
from cordboard.topics import Topics
from simulation.breakage import Breakage, Broken


@dataclass(frozen=True, slots=True)
class Written:
    """A record in the journal: the how manieth of all, when (virtual seconds), and by which life of which process."""

    number: int
    at: float
    writer: str
    record: Record


@dataclass(frozen=True, slots=True)
class Decided:
    """A settle that counts: what it owes, and where in the journal and when (virtual seconds) it began to count."""

    number: int
    partition: int
    outputs: tuple[NewRecord, ...]
    at: float
    positions: Mapping[str, int]  # How far the inputs were read.


class JournalBroker(MemoryBroker):
    """A broker that remembers."""

    def __init__(
        self,
        topics: Topics,
        accounts: Sequence[str],
        partitions: int,
        clock: Clock,
        gap: Callable[[], int],
        broken: Broken,
        at: Callable[[], float],
    ) -> None:
        super().__init__(topics.specs(accounts, partitions), partitions, clock, topics.inputs, gap=gap)
        self.journal: list[Written] = []
        self.decided: list[Decided] = []
        self.commits: dict[tuple[str, str, int], int] = {}  # Of groups, where the log keeps them itself.
        self._unfenced = bool(broken & {Breakage.NO_FENCING, Breakage.NEITHER_FENCE})
        self._at = at
        self.on_append: list[Callable[[int, NewRecord], None]] = []
        self._writer = ""
        self._stamp_ms: int | None = None
        self._numbers = 0

    def now_ms(self) -> int:
        """The log's time, or that of the batch whose records are being written."""
        return super().now_ms() if self._stamp_ms is None else self._stamp_ms

    @contextmanager
    def writing(self, writer: str, stamp_ms: int | None = None) -> Iterator[None]:
        """What is written in this block is this writer's, and has this time where one is given."""
        self._writer, self._stamp_ms = writer, stamp_ms
        try:
            yield
        finally:
            self._writer, self._stamp_ms = "", None

    def append(self, number: int, new: NewRecord) -> Appended:
        """Write a record."""
        appended = super().append(number, new)
        record = Record(new.topic, number, appended.offset, appended.time_ms, new.key, new.value, new.headers)
        self.journal.append(Written(self.next_number(), self._at(), self._writer, record))
        for heard in self.on_append:
            heard(number, new)
        return appended

    def append_entry(self, partition: int, entry: Entry) -> int:
        """Write into the ledger, and note a settle that counts."""
        ledger: Ledger = self.ledger(partition)
        if self._unfenced and isinstance(entry, PageWritten | Owing | Done) and ledger.epoch is not None:
            entry = replace(entry, epoch=ledger.epoch)
        if isinstance(entry, Owing) and entry.epoch == ledger.epoch and entry.settle not in ledger.owed:
            self.note_decided(partition, entry.outputs, entry.positions)
        return super().append_entry(partition, entry)

    def note_decided(self, partition: int, outputs: Sequence[NewRecord], positions: Mapping[str, int]) -> None:
        """A settle counts from now on."""
        self.decided.append(Decided(self.next_number(), partition, tuple(outputs), self._at(), dict(positions)))

    def next_number(self) -> int:
        """The place of whatever happens next among all that happens to the log."""
        self._numbers += 1
        return self._numbers
