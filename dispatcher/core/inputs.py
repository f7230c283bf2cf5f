"""What a page can be told: the inputs of `advance`."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from cordboard.work import Outcome
from dispatcher.core.commands import Ask
from dispatcher.core.page import Clue, Joining, Leg, Raw


@dataclass(frozen=True, slots=True)
class Asked:
    """A command was accepted. `origin` names the record it came in, for the id of a refusal or replay.

    `again`: an operator wrote it back from the dead letters, to be tried again if it is one that failed here.
    """

    ask: Ask
    origin: str
    again: bool = False


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


_ANSWERED_CAUSES: Final = frozenset({"normal_clearing", "time_limit"})  # Of a hangup: only an answered call has them.


@dataclass(frozen=True, slots=True)
class Heard:
    """A verified webhook. A `copy` only settles: its call's own page hands the webhook on.

    `raw` is the record as it came, where it must be written again or kept. The last three times are as in Clue.
    """

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
    marks: bytes = b""
    begun_ms: int = 0
    answered: bool = False
    raw: Raw | None = None
    over_ms: int = 0

    @property
    def clue(self) -> Clue:
        """What may complete a command."""
        return Clue(
            event_id=self.event_id,
            event_type=self.event_type,
            status=self.status,
            occurred_ms=self.occurred_ms,
            call=self.call,
            leg=self.leg,
            session=self.session,
            marks=self.marks,
            begun_ms=self.begun_ms,
            answered=self.answered or self.hangup_cause in _ANSWERED_CAUSES,
            over_ms=self.over_ms,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A dial brought this call to life. `given_up`: after its sender was told UNKNOWN, and it is to be hung up."""

    account: str
    dial: str
    leg: Leg
    given_up: bool = False
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Announced:
    """A call makes itself known: to its leg's page, or to its session's, because it waits for what a new leg does."""

    account: str
    call: str


class Step(enum.StrEnum):
    """How far a permit is: see permits.py."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Permit:
    """A dial's permit, asked of a page that counts for the whole account, or its answer. `sender` is who says it.

    Returned by a call, at its end, `dial` is the page of the dial that it came of, and `call` the call.
    """

    step: Step
    legs: int = 1
    dial: str = ""
    call: str = ""
    account: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Ordered:
    """What operators want has changed: what waits is looked at again."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A dial tells the call whose session its legs join that it was sent, or which they are."""

    joining: Joining


@dataclass(frozen=True, slots=True)
class Made:
    """This call was made by a transfer, to which some of its events belong."""

    maker: str


@dataclass(frozen=True, slots=True)
class Due:
    """The time `at_ms` has come, and every input has been read past it."""

    at_ms: int


Input = (
    Asked
    | Poisoned
    | CancelAsked
    | Credited
    | Told
    | Heard
    | Opened
    | Announced
    | Joined
    | Made
    | Permit
    | Ordered
    | Due
)


def copy_of(clue: Clue, account: str) -> Heard:
    """The event of a clue, for a page that learns from it and does not hand it on."""
    return Heard(
        account=account,
        event_id=clue.event_id,
        event_type=clue.event_type,
        occurred_ms=clue.occurred_ms,
        call=clue.call,
        leg=clue.leg,
        session=clue.session,
        status=clue.status,
        copy=True,
        begun_ms=clue.begun_ms,
        answered=clue.answered,
        over_ms=clue.over_ms,
    )
