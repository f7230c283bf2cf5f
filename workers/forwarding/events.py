"""What forwarding tells about itself: small facts, for metrics and logs. None holds a body or an address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workers.core.forwarding import Answer, GivenUp, Parcel


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event was taken, so long after the log had taken it."""

    parcel: Parcel
    seconds: float


@dataclass(frozen=True, slots=True)
class TriedInVain:
    """An event was not taken; it is tried again, unless it is given up next."""

    parcel: Parcel
    answer: Answer


@dataclass(frozen=True, slots=True)
class Abandoned:
    """An event was given up, and is a dead letter."""

    parcel: Parcel
    answer: Answer
    why: GivenUp


@dataclass(frozen=True, slots=True)
class LogTrouble:
    """The log could not be used; it is tried again. `doing` is one of a few fixed words."""

    doing: str
    error: str


@dataclass(frozen=True, slots=True)
class BrokeOff:
    """Forwarding ended though nobody had it end: a bug."""

    error: BaseException


Event = Delivered | TriedInVain | Abandoned | LogTrouble | BrokeOff
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
