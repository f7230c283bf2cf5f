"""What the dispatcher lets be seen of itself: small events, for metrics and logs. The code that works knows neither."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from cordboard.log.port import Record
from dispatcher.core.decision import Learned, Output


@dataclass(frozen=True, slots=True)
class Decided:
    """An input was applied, at `now_ms`. `kind` is its type in lower case, or rerouted; `source` its record."""

    topic: str
    kind: str
    source: Record | None = field(default=None, compare=False)
    now_ms: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Said:
    """An output is about to be settled. `source` is the record on which it was decided; a timer has none."""

    output: Output
    partition: int = 0
    source: Record | None = field(default=None, compare=False)
    now_ms: int = 0


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record became a dead letter. `reason` repeats nothing of it."""

    topic: str
    reason: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A batch was settled: how many inputs, pages and outputs, and how long the log took (seconds).

    `waiting` is how many commands now wait in the lines of the partition.
    """

    partition: int
    inputs: int
    pages: int
    outputs: int
    seconds: float
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Owned:
    """A partition is restored and served."""

    partition: int
    pages: int
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Lost:
    """A partition is not served any more; `why` is stopped, fenced or log."""

    partition: int
    why: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many dials of a partition wait for room in their lane."""

    partition: int
    dials: int


Observed = Decided | Said | Learned | SetAside | Settled | Owned | Lost | Waiting
Observer = Callable[[Observed], None]


def ignore(_: Observed) -> None:
    """Look away."""
