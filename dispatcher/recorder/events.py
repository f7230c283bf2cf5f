"""What the recorder lets be seen of itself: small facts, for metrics and logs. None holds a call or a content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recorded:
    """A batch was written: how many entries of each kind, and how long the database took (seconds)."""

    kinds: Mapping[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Missed:
    """Retention had removed records before they were recorded: so many offsets of a topic."""

    topic: str
    offsets: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something could not be done; it is tried again. `doing` is one of a few fixed words."""

    doing: str
    error: str


@dataclass(frozen=True, slots=True)
class GoesOn:
    """It records, for the first time or after trouble."""


@dataclass(frozen=True, slots=True)
class Behind:
    """How many records of each topic are not recorded yet."""

    records: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Dropped:
    """So many calls were dropped, because they are older than what is kept."""

    calls: int


@dataclass(frozen=True, slots=True)
class BrokeOff:
    """The recorder ended though nobody had it end: a bug."""

    error: BaseException


Event = Recorded | Missed | Trouble | GoesOn | Behind | Dropped | BrokeOff
Observer = Callable[[Event], None]


def ignore(_: Event) -> None:
    """Look away."""
