"""What came of a history, as plain data: what was accepted, said, released, sent, and what truly happened.

`number` is a record's place among everything that was ever written; `at` is true time in virtual seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from simulation.beliefs import Belief
from simulation.customer import Forwarded
from simulation.faults import Fault
from simulation.habits import NO_HABITS, Habits
from simulation.postings import Posting
from simulation.questions import Question
from simulation.script import Plan
from simulation.senders import Told
from simulation.telnyx import Request

CANCEL_REPORT: Final = "cancel report"  # What a decision to answer a cancel request is known by, and its id.


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """Where a record stands among the inputs of an owner."""

    partition: int
    topic: str
    offset: int


@dataclass(frozen=True, slots=True)
class Label:
    """Whose a command is, and what it is: as it was sent, or as a result says it."""

    call: str = ""
    account: str = ""
    action: str = ""
    source: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """A cancel request as it stands in the log; without ids it means all of its group, or of the call."""

    number: int
    page: str
    command_ids: frozenset[str]
    group: str = ""
    spot: Spot | None = None
    cancel_id: str = ""

    def means(self, command: Command) -> bool:
        """Whether a command is among those that it takes back, if they wait."""
        is_named = not self.command_ids or command.command_id in self.command_ids
        return self.page == command.page and is_named and (not self.group or self.group == command.label.group)


@dataclass(frozen=True, slots=True)
class Given:
    """An order of an operator as it stands in the log; `time_ms` is the log's time of it."""

    number: int
    at: float
    time_ms: int
    kind: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class CancelReport:
    """What became of a cancel request, as its sender is told."""

    number: int
    cancel_id: str
    cancelled: frozenset[str]
    too_late: frozenset[str]
    unknown: frozenset[str]


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it stands in the log. `is_home`: on the partition where its call is decided about."""

    number: int
    at: float
    command_id: str
    page: str
    call: str
    action: str
    fingerprint: bytes
    placement: int
    accept_ms: int
    telnyx_id: str
    expire_ms: int | None = None
    is_gated: bool = False
    requires: str = ""
    sequence: int = 0
    is_home: bool = True
    partition: int = 0
    label: Label = Label()
    completion_ms: int = 0
    spot: Spot | None = None

    @property
    def ends_call(self) -> bool:
        """Whether it is a hangup or a reject."""
        return self.action in ("hangup", "reject")


@dataclass(frozen=True, slots=True)
class Result:
    """A result of any kind: result, replayed, refused, settled."""

    number: int
    at: float
    kind: str
    event_id: str
    command_id: str
    state: str
    reason: str
    accept_ms: int
    digest: bytes = b""
    label: Label = Label()
    http_status: int = 0
    dialed: frozenset[str] = frozenset()
    finish_ms: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """What became of what a command started."""

    number: int
    at: float
    command_id: str
    action: str
    state: str
    reason: str
    event_id: str
    event_type: str
    digest: bytes = b""
    finish_ms: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """A webhook handed on. `call` is what it names itself, `subject` the call that it is handed on as one of."""

    number: int
    at: float
    event_id: str
    event_type: str
    call: str
    command_id: str
    digest: bytes = b""
    occurred_ms: int = 0
    subject: str = ""
    key: str = ""
    content: bytes = b""  # Of its body and the two headers of its signature.


@dataclass(frozen=True, slots=True)
class Release:
    """A work record."""

    number: int
    at: float
    key: str
    command_id: str
    attempt: int
    body: bytes
    not_after_ms: int | None
    expire_ms: int | None
    released_ms: int = 0
    name: str = ""  # By which a decision says it.


@dataclass(frozen=True, slots=True)
class Report:
    """An outcome, as a worker reported it."""

    number: int
    at: float
    command_id: str
    attempt: int
    verdict: str
    time_ms: int = 0  # When the log took it.
    key: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt of Telnyx to deliver a webhook; `is_forged` where somebody else signed it."""

    at: float
    event_id: str
    event_type: str
    call: str
    status: int | None
    is_forged: bool = False
    cause: str = ""  # What truly caused the event: the command, as Telnyx got it.


@dataclass(frozen=True, slots=True)
class Decision:
    """A settle that counts: what it says, each by a name of its own, and since when (number and virtual seconds).

    `positions`: by input, how far it was read.
    """

    number: int
    partition: int
    says: tuple[str, ...]
    at: float = 0.0
    positions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """When the faults ended, when nothing was owed any more, and when the history was closed."""

    calm_at: float
    over_at: float
    closed_at: float


@dataclass(slots=True)
class History:
    """All of it. `calls` are those that Telnyx had, each with the time of its end; `spoken` the outputs on the log."""

    plan: Plan
    ended: Ended
    commands: list[Command] = field(default_factory=list)
    cancels: list[Cancel] = field(default_factory=list)
    cancel_reports: list[CancelReport] = field(default_factory=list)
    orders: list[Given] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    completions: list[Completion] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    posted: list[Posting] = field(default_factory=list)
    forwarded: list[Forwarded] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    spoken: Counter[str] = field(default_factory=Counter)
    dead_letters: list[str] = field(default_factory=list)
    calls: dict[str, float | None] = field(default_factory=dict)
    beliefs: dict[str, Belief] = field(default_factory=dict)
    habits: Habits = NO_HABITS
    questions: list[Question] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    watched: frozenset[str] = frozenset()
    watched_since: float | None = None
    broken: list[str] = field(default_factory=list)
    troubles: list[tuple[float, float]] = field(default_factory=list)
    setbacks: list[tuple[str, float, float]] = field(default_factory=list)  # Troubles and bad writes, with whose.
    struck: Counter[Fault] = field(default_factory=Counter)
    story: list[tuple[float, str, str]] = field(default_factory=list)
    digest: str = ""
