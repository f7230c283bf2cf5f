"""The log's port: the ordered, partitioned, durable record through which everything flows.

Two kinds stand behind it, SQLite on one machine and Kafka in deployments, and nothing outside `cordboard.log` knows
which one it runs on. The rules every kind keeps, held by one conformance suite:

Rule 1: what `append` returned for is durable; what it raised `LogUnavailable` for was certainly not written; what it
raised `AppendUncertain` for may have been.
Rule 2: records of one partition have growing offsets (not always contiguous) and are read in that order by everybody.
Rule 3: `settle` is the only verb by which an owner writes. Pages become durable no later than the outputs they owe, and
outputs no later than the positions of the inputs they came from. A new owner's `claim` finishes what the last one's
pages still owe, byte for byte, before it returns.
Rule 4: after `claim` returned, no older claim on that partition can settle: it raises `Fenced`. A `settle` that raises
leaves its owner without a claim, whatever was written: it must claim anew, and reads its pages again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What a topic must be: as many partitions, kept for so long; `retention_ms` None keeps everything.

    Of a `compacted` topic the last record of each key is kept, whatever its age, and earlier ones need not be.
    """

    name: str
    partitions: int
    retention_ms: int | None
    compacted: bool = False


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to be appended; without a partition its key decides."""

    topic: str
    key: bytes | None
    value: bytes
    headers: Headers = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record as read; `time_ms` is when the log took it (Unix milliseconds, the log's clock)."""

    topic: str
    partition: int
    offset: int
    time_ms: int
    key: bytes | None
    value: bytes
    headers: Headers = ()

    @property
    def source(self) -> TopicPartition:
        """Where it was read."""
        return TopicPartition(self.topic, self.partition)


def size_of(record: NewRecord | Record) -> int:
    """The bytes of a record's key, value and headers: what it adds to a batch, but for a few."""
    of_headers = sum(len(name) + len(value) for name, value in record.headers)
    return len(record.key or b"") + len(record.value) + of_headers


class Appended(NamedTuple):
    """Where an appended record landed, and the log's time of it (Unix milliseconds)."""

    partition: int
    offset: int
    time_ms: int


@dataclass(slots=True)
class Claim:
    """An owner's hold on one partition of the co-partitioned topics.

    `epoch` grows with every claim on the partition. `positions` are the offsets, by topic, from which the inputs are to
    be read: everything before them has been settled. `warm`: nobody has written to the partition since this process
    settled its last claim on it, so whoever kept its pages need not read them again.
    """

    partition: int
    epoch: int
    positions: dict[str, int] = field(default_factory=dict)
    warm: bool = False


class LogError(Exception):
    """Any trouble with the log; the message is fit for a person and holds no payload."""


class LogUnavailable(LogError):
    """The log cannot be written or read now; nothing of this request was written."""


class RecordRefused(LogUnavailable):
    """A record of this request can never be written as it is, at any time; the message says why."""


class AppendUncertain(LogError):
    """The write was not acknowledged: it may or may not be there."""


class Fenced(LogError):
    """Another owner has claimed the partition; this claim is void."""


class LogInUse(LogError):
    """Another process holds the embedded log."""


class LogUnusable(LogError):
    """The stored log is corrupt, or of a newer version; it was left untouched."""


class PositionsLost(LogError):
    """A partition that was owned before has no stored positions; going on would repeat or skip inputs."""


class Reader(Protocol):
    """Reads a fixed set of partitions from given offsets, by plain assignment, outside any group."""

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        """Return the next records, at least one; none only when the time is over. Order is kept within a partition.

        Topics are served in the order in which the reader was given them: the first one's records come first.
        """

    async def read_past(self, time_ms: int) -> bool:
        """Whether every record that the log took before `time_ms` has been returned by `read`, in all partitions.

        Those do not count that nobody can read yet, because a transaction of another's is open before them.
        """

    def positions(self) -> Mapping[TopicPartition, int]:
        """The offsets of the next records to be read."""

    def interrupt(self) -> None:
        """Make a waiting `read`, or else the next one, return at once, perhaps with nothing."""

    async def close(self) -> None:
        """Stop reading."""


class GroupListener(Protocol):
    """What a member of a group is told; both calls are awaited before the group goes on."""

    async def assigned(self, partitions: frozenset[int]) -> None:
        """These partitions are now this member's, besides those it has."""

    async def revoked(self, partitions: frozenset[int]) -> None:
        """These partitions are about to be another's: stop, then commit what is true, then return."""


class Member(Protocol):
    """A seat in a group that shares one topic's partitions."""

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """Store, durably, the next offset to be read by partition. Raises Fenced for a partition no longer held."""

    async def committed(self, partition: int) -> int | None:
        """The stored offset of a partition, or None when nothing was ever stored."""

    async def leave(self) -> None:
        """Give up all partitions (revoked is called first) and the seat."""


class Appending(Protocol):
    """What takes records: all that an ingress asks of a log."""

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See Log."""


class Log(Protocol):
    """The port. Every coroutine may raise LogUnavailable; after `close` all do."""

    @property
    def healthy(self) -> bool:
        """Whether the log can be written, as far as is known: for readiness."""

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """Write records, durable when this returns, in this order within each partition."""

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises KeyError for a topic that was not declared."""

    def partition_for(self, topic: str, key: bytes) -> int:
        """The partition in which records of a key belong; equal for topics of equal partition count."""

    async def start(self, at: TopicPartition) -> int:
        """The oldest offset still kept."""

    async def end(self, at: TopicPartition) -> int:
        """The offset that the next record will have, or a lower bound of it."""

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        """The first offset whose record was taken at or after `time_ms`; the end when there is none."""

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """Read these partitions from these offsets; what retention has removed is passed over."""

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        """Take a seat in a group. Partitions are spread evenly over the members and move as they come and go.

        `name` is what `holders` tells the others of this member.
        """

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        """By partition, the name of the member that holds it in this group; what is being moved is missing.

        It may be out of date when it comes: a member that died holds its partitions until the group has noticed.
        """

    async def claim(self, partition: int) -> Claim:
        """Become the owner of a partition: fence all earlier owners, and send again what the last pages owe.

        The first claim of all begins at offset 0 of every input. Raises PositionsLost.
        """

    def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        """The claimed partition's pages, each key once, as last written. Raises Fenced when the claim is void."""

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        """Make a batch of decisions true: pages (None deletes), the outputs they owe, and the inputs they came from.

        Whatever happens, the next claim finds all of it or nothing of it. Raises Fenced, and AppendUncertain.
        """

    async def close(self) -> None:
        """Stop; everything acknowledged is on disk."""
