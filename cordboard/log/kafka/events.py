"""What the Kafka log lets be seen of itself: small events, for metrics and logs. None holds a record's content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """Records were sent to a topic, and acknowledged or not, within so many seconds."""

    topic: str
    records: int
    seconds: float
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Fetched:
    """A reader returned records; `lag` is how many more there were in its partitions, as far as is known."""

    topic: str
    partition: int
    records: int
    lag: int


@dataclass(frozen=True, slots=True)
class Restoring:
    """A ledger partition is being read: so many of its records, up to this offset, of this end."""

    partition: int
    records: int
    offset: int
    end: int


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

    topic: str
    partition: int
    offsets: int


@dataclass(frozen=True, slots=True)
class PassedOver:
    """So many offsets were passed over, because what stands there cannot be read."""

    topic: str
    partition: int
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


Event = Written | Fetched | Restoring | Claimed | Overtaken | PassedOver | Rebalanced | SeatLost
Observer = Callable[[Event], None]


def ignore(_: Event) -> None:
    """Look away."""
