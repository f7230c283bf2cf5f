"""What the workers tell about themselves: small facts, to which metrics and logs listen. None holds a body or a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cordboard.work import Lane, Outcome, Work
from workers.core.outcome import Reading


@dataclass(frozen=True, slots=True)
class Tried:
    """One request has ended; `resend` counts those before it in the same release."""

    work: Work
    reading: Reading
    seconds: float
    resend: int


@dataclass(frozen=True, slots=True)
class Ended:
    """One release has its outcome; `lag_ms` is what passed from the release to the worker's start on it."""

    work: Work
    outcome: Outcome
    lag_ms: int


@dataclass(frozen=True, slots=True)
class Load:
    """How many releases of a lane are in flight, and how many are reserved and not started."""

    lane: Lane
    in_flight: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Voided:
    """A copy of work that was already taken; it is not sent."""

    work: Work


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A work record that cannot be read; the dispatcher's timers judge it."""

    lane: Lane
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class LogTrouble:
    """The log could not be used; it is tried again. `doing` is one of a few fixed words."""

    lane: Lane
    doing: str
    error: str


@dataclass(frozen=True, slots=True)
class Unreported:
    """A release ended without an outcome: cut off by a drain, or by an error of ours."""

    work: Work
    error: str


@dataclass(frozen=True, slots=True)
class BrokeOff:
    """A lane ended though nobody had it end: a bug; its work stands still."""

    lane: Lane
    error: BaseException


@dataclass(frozen=True, slots=True)
class Shared:
    """The part of the account's rate that this worker has in a lane, from 0 to 1."""

    lane: Lane
    part: float


@dataclass(frozen=True, slots=True)
class Held:
    """A lane stands still; `cause` is a cause of `cordboard.work.Outcome`."""

    lane: Lane
    cause: str


@dataclass(frozen=True, slots=True)
class Broke:
    """The breaker has opened, or closed."""

    is_open: bool


Event = Tried | Ended | Load | Shared | Held | Broke | Voided | Unreadable | LogTrouble | Unreported | BrokeOff
Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Listen to nothing."""
