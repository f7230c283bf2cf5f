"""What can go wrong, as data: each is one entry in a history's list, so that it can be left out.

Those with `at` strike at a moment (virtual seconds); those with `nth` strike the so manieth of their kind.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal


class WriteFate(enum.Enum):
    """What becomes of one write to the log."""

    GO = "goes"
    TWICE = "is there twice"
    REFUSE = "is refused"
    LOSE = "is lost"
    LOSE_ACK = "is there, its acknowledgement is lost"
    LATE = "is there only after its writer has given it up"
    STOP_BEFORE = "kills its writer before it leaves"
    STOP_AFTER = "kills its writer when it is there"


class Road(enum.Enum):
    """What becomes of one request to Telnyx, or of its answer."""

    REFUSED = "the connection is refused"
    CONNECT_SLOW = "connecting takes too long"
    LOST_BEFORE = "it is lost on its way"
    DROPPED_BEFORE = "the connection breaks before it has an effect"
    LOST_AFTER = "it has its effect, and no answer comes"
    DROPPED_AFTER = "it has its effect, and the connection breaks"
    SLOW = "its answer takes more than 500 ms"
    TOO_SLOW = "its answer takes longer than anybody waits"
    MINUTE = "its answer takes more than a minute"
    HELD = "the network holds it for some seconds before it has its effect"
    ERROR_WITHOUT = "500 without an effect"
    ERROR_WITH = "503 although it has its effect"
    LIMITED = "429"
    HALF = "half an answer"
    HTML = "200 with a page of somebody else's"
    EMPTY = "200 with nothing"
    GIANT = "200 with more than anybody reads"
    REPEAT_REFUSED = "422 if it is a repeat, as if the first one's success spoke"
    DIES_BEFORE = "it is lost, and its worker dies"
    DIES_AFTER = "it has its effect, and its worker dies"


class Hook(enum.Enum):
    """What becomes of one webhook."""

    LATE = "comes seconds late"
    TWICE = "comes twice"
    NEVER = "never comes"
    FORGED = "is signed by somebody else"
    EARLY = "comes before the answer"


class Wire(enum.Enum):
    """What becomes of one request of a sender to the door."""

    LOST_BEFORE = "never arrives"
    LOST_AFTER = "arrives, and its answer does not"


@dataclass(frozen=True, slots=True)
class Kill:
    """The process dies after so many more callbacks from `at` on; it is started again after `down` seconds."""

    at: float
    process: str
    callbacks: int
    down: float


@dataclass(frozen=True, slots=True)
class Freeze:
    """The process stands still."""

    at: float
    process: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Restart:
    """The process is stopped as it should be, and started again."""

    at: float
    process: str
    down: float


@dataclass(frozen=True, slots=True)
class CutOff:
    """The process cannot reach the log."""

    at: float
    process: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Jump:
    """The process's clock is set to another error."""

    at: float
    process: str
    error_ms: int


@dataclass(frozen=True, slots=True)
class Sluggish:
    """What the process reads of the log comes late, and one record at a time: it falls behind."""

    at: float
    process: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Spell:
    """For a while every request for one action meets the same."""

    at: float
    seconds: float
    action: str
    road: Road


@dataclass(frozen=True, slots=True)
class Outage:
    """When the so manieth request to Telnyx has left, all workers are away for a while: dead, frozen or cut off."""

    nth: int
    seconds: float
    how: Literal["dead", "frozen", "cut off"]


@dataclass(frozen=True, slots=True)
class Echo:
    """`count` work records from the so manieth on come again, `seconds` later: a new owner sends what was owed."""

    nth: int
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BadWrite:
    """The process's so manieth write meets its fate."""

    process: str
    nth: int
    fate: WriteFate


@dataclass(frozen=True, slots=True)
class BadRoad:
    """The so manieth request to Telnyx."""

    nth: int
    road: Road


@dataclass(frozen=True, slots=True)
class BadHook:
    """The so manieth webhook."""

    nth: int
    hook: Hook


@dataclass(frozen=True, slots=True)
class BadWire:
    """The so manieth request to a door."""

    nth: int
    wire: Wire


Timed = Kill | Freeze | Restart | CutOff | Jump | Sluggish | Spell
Fault = Timed | Outage | Echo | BadWrite | BadRoad | BadHook | BadWire


def kind_of(fault: Fault) -> str:
    """The kind of a fault, for counting."""
    match fault:
        case BadWrite(fate=fate):
            return f"write {fate.value}"
        case BadRoad(road=road):
            return f"request: {road.value}"
        case Outage(how=how):
            return f"all workers {how}"
        case Spell(road=road):
            return f"spell: {road.value}"
        case BadHook(hook=hook):
            return f"webhook {hook.value}"
        case BadWire(wire=wire):
            return f"submit {wire.value}"
        case _:
            return type(fault).__name__.lower()
