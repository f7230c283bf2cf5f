"""What a page can be told: the inputs of `advance`."""

from __future__ import annotations

from dataclasses import dataclass

from cordboard.work import Outcome
from dispatcher.core.commands import Ask
from dispatcher.core.page import Leg


@dataclass(frozen=True, slots=True)
class Asked:
    """A command was accepted. `origin` names the record it came in, for the id of a refusal or replay."""

    ask: Ask
    origin: str


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A command on which `advance` failed: it ends as FAILED INTERNAL."""

    ask: Ask


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """Somebody wants waiting commands not to happen: those named, those of a group, or all."""

    request_id: str
    command_ids: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class Credited:
    """The lane has room for a command that waited for credit."""

    command_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """A worker reports."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Heard:
    """A verified webhook. `handed_on` is false for a copy that only settles (a dial's own page)."""

    account: str
    event_id: str
    event_type: str
    occurred_ms: int
    call: str = ""
    leg: str = ""
    session: str = ""
    direction: str = ""
    status: str = ""
    copy: bool = False
    hangup_cause: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A dial brought this call to life. `given_up`: after its sender was told UNKNOWN, and it is to be hung up."""

    account: str
    dial: str
    leg: Leg
    given_up: bool = False
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """The time `at_ms` has come, and every input has been read past it."""

    at_ms: int


Input = Asked | Poisoned | CancelAsked | Credited | Told | Heard | Opened | Due
