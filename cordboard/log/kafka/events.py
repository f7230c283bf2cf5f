"""What the Kafka log lets be seen of itself: small events, for metrics and logs. None holds a record's content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cordboard.log.port import TopicPartition


@dataclass(frozen=True, slots=True)
class Written:
    """Records were sent to a topic, and acknowledged or not, within so many seconds."""

    topic: str
    records: int
    seconds: float
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Following:
    """A reader has begun to fetch these partitions."""

    reader: int
    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records of a partition came, the oldest so long after the broker took it (seconds).

    `lag` is how many the reader had not returned by then, those that came among them, as far as is known.
    """

    reader: int
    at: TopicPartition
    records: int
    lag: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """A reader was closed."""

    reader: int
    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class Restoring:
    """A ledger partition is being read, from `start` to `end`: so many of its records, up to `offset`."""

    partition: int
    records: int
    start: int
    offset: int
    end: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RestoreEnded:
    """A ledger partition was read to its end, or (`is_whole` is false) reading broke off.

    `is_rest`: it was read before, and this was only what had come meanwhile.
    """

    partition: int
    records: int
    pages: int
    seconds: float
    is_whole: bool
    is_rest: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """A partition was claimed; `warm`: nobody else had written, so nothing had to be read. `stale` ones were mended."""

    partition: int
    warm: bool
    pages: int
    stale: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Overtaken:
    """Retention had removed records before they were read: so many offsets were passed over."""

    at: TopicPartition
    offsets: int


@dataclass(frozen=True, slots=True)
class PassedOver:
    """So many offsets were passed over, because what stands there cannot be read."""

    at: TopicPartition
    offsets: int


@dataclass(frozen=True, slots=True)
class Rebalanced:
    """A group gave this member these partitions, so long after it had taken away what the member had."""

    group: str
    partitions: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SeatLost:
    """A seat broke and is taken anew."""

    group: str
    why: str


Event = (
    Written
    | Following
    | Fetched
    | Unfollowed
    | Restoring
    | RestoreEnded
    | Claimed
    | Overtaken
    | PassedOver
    | Rebalanced
    | SeatLost
)
Observer = Callable[[Event], None]


def ignore(_: Event) -> None:
    """Look away."""
