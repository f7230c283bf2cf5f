"""What `advance` returns: the page as it is to be written, what is to be sent once it is, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass, field

from cordboard.work import TelnyxError, Work
from dispatcher.core.inputs import Heard, Permit
from dispatcher.core.page import Joining, Leg, Page, Raw
from dispatcher.core.words import Answer, Completion, Reason, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the sender of a command is told. `kind` is result, replayed, refused or settled.

    `origin` is part of the record's id where one command can have several of the kind. `call` is the call that the
    record is keyed by: a successful dial's is its first new leg.
    """

    kind: str
    command_id: str
    page: str
    call: str
    account: str
    action: str
    state: State
    reason: Reason
    message: str
    http_status: int = 0
    errors: tuple[TelnyxError, ...] = ()
    legs: tuple[Leg, ...] = ()
    attempts: int = 0
    accept_ms: int = 0
    send_ms: int = 0
    finish_ms: int = 0
    related: str = ""
    response: bytes = b""
    source: str = ""
    group: str = ""
    origin: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a command started is in effect, or will not be."""

    command_id: str
    page: str
    call: str
    account: str
    action: str
    state: Completion
    reason: Reason
    event_id: str = ""
    event_type: str = ""
    status: str = ""
    occur_ms: int = 0
    finish_ms: int = 0
    traceparent: str = ""
    accept_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOn:
    """A webhook goes to the services. `command_id` is the command it belongs to, where known.

    It is the record that is being read, unless `heard` has its own.
    """

    heard: Heard
    command_id: str
    late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOn:
    """A webhook that came under an alias is written on under its call."""

    call: str
    raw: Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A request goes to the workers. `accept_ms` is when its command was accepted; 0 where it is a question's."""

    work: Work
    accept_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """One page tells another: a dial its new call (`leg` set), a call an event of its own (`heard` set).

    `joining` tells a call of a dial whose legs join its session, `maker` a leg which transfer made it; `permit`: a dial
    asks whether it may go, or is answered. With none of these a call makes itself known to an alias.
    """

    page: str
    account: str
    sender: str
    leg: Leg | None = None
    heard: Heard | None = None
    given_up: bool = False
    traceparent: str = ""
    joining: Joining | None = None
    maker: str = ""
    permit: Permit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """A command of our own: a call that rings though its dial was given up is hung up."""

    command_id: str
    call: str
    account: str
    traceparent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswer:
    """What became of a cancel request."""

    request_id: str
    page: str
    account: str
    cancelled: tuple[str, ...]
    too_late: tuple[str, ...]
    unknown: tuple[str, ...]


Output = Result | Completed | HandOn | PassOn | Release | Tell | HangUp | CancelAnswer


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of a question whether a call lives, and why it was asked: only to be counted."""

    why: str
    answer: Answer


@dataclass(slots=True)
class Decision:
    """In this order: the page is written (None: forgotten), then the outputs are sent.

    `changed` is false when nothing needs to be written. `wake_ms` is when the page wants a Due, None for never.
    `wants_credit` names commands that wait for room in their lane; `has_credit`: a dial has it, and is not over.
    """

    page: Page | None
    changed: bool
    outputs: list[Output] = field(default_factory=list)
    wake_ms: int | None = None
    wants_credit: tuple[str, ...] = ()
    has_credit: bool = False
    learned: list[Learned] = field(default_factory=list)
