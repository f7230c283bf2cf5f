"""The page: all that is known of one call, or of one dial before it is a call.

A page is decoded, worked on by `advance` and encoded again; nothing else holds one. It is a MessagePack array: fields
are only ever added, at the end, with a default.
"""

from __future__ import annotations

import enum

import msgspec

from cordboard.webhook import DIAL_PREFIX, LEG_PREFIX, LIMIT_PREFIX, SESSION_PREFIX, names_a_call
from cordboard.work import Outcome
from dispatcher.core.commands import Ask


class Life(enum.StrEnum):
    """What is known of the call itself."""

    UNHEARD = "UNHEARD"  # A command came for it, nothing else is known.
    ALIVE = "ALIVE"  # Initiated, or opened by our dial.
    ANSWERED = "ANSWERED"
    ENDED = "ENDED"
    STRANGER = "STRANGER"  # Only events came, of a call that nobody opened: kept to know them again.


class Held(msgspec.Struct, array_like=True, kw_only=True):
    """A command that waits in the line. `gate` is the command whose completion it waits for; "" is an open gate."""

    ask: Ask
    expire_ms: int | None
    gate: str = ""
    wait_until_ms: int = 0  # For a sequence number that came too early.
    credited: bool = False  # Its lane had room for it.
    origins: list[str] = []  # Of one that came too early: the records it came in, for the ids of refusals.
    permits: list[str] = []  # Of a dial: the pages that let it go (see permits.py).
    asked: str = ""  # The page that is asked now.


class Clue(msgspec.Struct, frozen=True, array_like=True):
    """An event that may complete a command: kept while it is not sure yet that the command was done."""

    event_id: str
    event_type: str
    status: str
    occurred_ms: int
    call: str = ""
    leg: str = ""
    session: str = ""
    marks: bytes = b""  # What it repeats of its command: see cordboard.marks.
    begun_ms: int = 0  # When what it tells of began, as far as is known: a recording, or a leg of another page.
    answered: bool = False  # Of such a leg: whether it was answered before.
    over_ms: int = 0  # Of a recording: when it ended.


class Flight(msgspec.Struct, array_like=True, kw_only=True):
    """A released command. `outcomes` holds the latest word of each attempt; `clues` what was heard meanwhile."""

    ask: Ask
    attempt: int
    first_ms: int  # When attempt 1 was released.
    released_ms: int  # When the latest attempt was released.
    deadline_ms: int  # When to judge if nothing is heard.
    expire_ms: int | None = None
    passing: bool = False  # It passed the line, and does not hold it up.
    answered: bool = False  # Its result was given; only the latest attempt is still awaited.
    outcomes: list[Outcome] = []
    clues: list[Clue] = []
    contested: bool = False  # Another of its kind was open or on its way: no event proves that it was done.
    order: int = 0  # Its place among all that were released for this page.
    stopped: bool = False  # Something of what it clears was heard to end meanwhile: by it, as far as is known.


class Open(msgspec.Struct, array_like=True, kw_only=True):
    """A successful command whose completing event is awaited, or an UNKNOWN one that an event may still settle."""

    command_id: str
    action: str
    account: str
    source: str
    group: str
    accept_ms: int
    sent_ms: int
    deadline_ms: int
    endless: bool = False
    doubtful: bool = False  # UNKNOWN was its result.
    fingerprint: bytes = b""
    attempts: list[int] = []  # For a doubtful one: the attempts without a certain no.
    calls: list[str] = []  # For a dial: its legs that have not ended.
    completion_ms: int = 30_000  # How long its completion is awaited, once it is known to have been done.
    contested: bool = False  # For a doubtful one: what it would cause could be another command's doing.
    traceparent: str = ""
    marks: bytes = b""
    goes_on: bool = False
    clears: bool = False
    begun: bool = False  # The event that says so was heard.
    order: int = 0
    surely_sent_ms: int = 0  # `sent_ms` counts from an attempt that may have been sent; this one from one that was.
    stopped: bool = False
    gone: bool = False  # Cleared before it began, for all that is known: nothing may be told of it any more.
    session_told: bool = False  # The session knows that this one waits for what becomes of a new leg.
    new_legs: int = 1  # How many it creates; it has failed when all of them have.
    lost_legs: int = 0
    failing: Clue | None = None  # It has failed, unless a late event says otherwise before its deadline.
    settled: bool = False  # UNKNOWN was its result, and it turned out to have been done.
    done_ms: int = 0  # When it became known that it was done.
    joins: str = ""  # Of a dial: the call whose session its legs join.
    ended_by: int = 0  # Of what goes on: the order of the stop that has ended it; its event is still to come.


class Raw(msgspec.Struct, frozen=True, array_like=True):
    """A webhook's record as it came."""

    key: bytes
    body: bytes
    headers: tuple[tuple[str, bytes], ...]


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A webhook that waits on its leg's page until it is known which call it is of."""

    since_ms: int
    account: str
    clue: Clue
    raw: Raw


class Asking(msgspec.Struct, array_like=True, kw_only=True):
    """What Telnyx was asked about the call: whether it lives (see asking.py). 0 means never."""

    attempt: int = 0  # Of the latest question.
    asked_ms: int = 0  # When that was.
    why: str = ""  # Of the question that is out; "" where none is.
    doubt_ms: int = 0  # When to ask, because a command ended UNKNOWN.
    reached: bool = False  # A command of the call has reached Telnyx.
    answered: bool = False  # Whether it was known to be answered at the latest question.


class Slot(msgspec.Struct, array_like=True):
    """A dial that counts, on the page of a limit: eight bytes of its key, since when, and its legs that have ended."""

    dial: bytes
    since_ms: int
    legs: int = 1
    ended: list[bytes] = []


class Queued(msgspec.Struct, frozen=True, array_like=True):
    """A dial that waits for a slot."""

    dial: str
    legs: int = 1


class Leg(msgspec.Struct, frozen=True, array_like=True):
    """A leg that a dial brought to life."""

    call: str
    leg: str
    session: str


class Joining(msgspec.Struct, frozen=True, array_like=True):
    """A dial whose legs join a call's session. `calls` are those known by now; `over`: all that there are."""

    dial: str
    since_ms: int = 0  # When it was released.
    calls: tuple[str, ...] = ()
    over: bool = False


class Page(msgspec.Struct, array_like=True, kw_only=True):
    """See the head of this module. Times are Unix milliseconds; 0 means never."""

    key: str
    account: str = ""
    applied: list[int] = []  # By input (in the order of `Topics.inputs`): the next offset that is new to this page.
    life: Life = Life.UNHEARD
    direction: str = ""
    leg: str = ""
    session: str = ""
    dial: str = ""  # The page of the dial that this call came from.
    opened_ms: int = 0
    touched_ms: int = 0
    ended_ms: int = 0
    heard_ms: int = 0  # When the latest webhook was read.
    occurred_ms: int = 0  # The latest time at which a webhook handed on says it happened.
    sequence: int = 0  # The highest number used.
    now_ms: int = 0  # When the log took the latest command with placement NOW.
    hold_until_ms: int = 0  # After answer: nothing is released before this, or call.answered.
    last: str = ""  # The command most recently accepted into the line: what a gate refers to.
    line: list[Held] = []
    early: list[Held] = []  # Sequence numbers that came before their turn.
    flights: list[Flight] = []
    open: list[Open] = []
    ended: bytes = b""  # See memory.py.
    events: bytes = b""
    legs: list[Leg] = []  # For a dial: the legs it brought to life.
    wake_ms: int = 0
    untold: list[Clue] = []  # Answered and hangup, for the dial that is not known yet.
    hangup_cause: str = ""
    released: int = 0  # How many commands were.
    running: list[Open] = []  # What was completed and goes on, so that its end is known for its own.
    # A call's, for its aliases (see links.py, transfers.py).
    answered: bool = False  # It was once, so there may be recordings of it.
    leg_told: bool = False  # Its leg's page knows this call.
    begun_ms: int = 0  # The earliest time at which a webhook says something happened.
    unspread: list[Clue] = []  # Bridged and hangup, until it is known whether the session has to hear of them.
    spent: list[str] = []  # Legs that have completed or failed a transfer of this call.
    # On a call's page: of legs that may be a transfer's; on a session's page: of all legs that no dial of ours made.
    legs_heard: list[Clue] = []
    # An alias's (see aliases.py).
    link: str = ""  # The call that a leg is.
    linked_ms: int = 0
    kept: list[Kept] = []
    interested: list[str] = []  # Calls of a session that wait for what becomes of a new leg.
    asking: Asking = msgspec.field(default_factory=Asking)
    now_sequence: int = 0  # That command's number.
    used: list[int] = []  # Numbers beyond `sequence`: what had them has ended while it waited for its turn.
    given_up_ms: int = 0  # When the call was taken for over, as nothing was heard of it.
    joining: list[Joining] = []  # Dials whose legs are no transfer's, the latest ones.
    made_by: str = ""  # The transfer that made this call, where it is awaited what answered it.

    # Of permits (see permits.py, limiting.py). On a dial's page: who gave it a slot that it has yet to give back.
    slot: str = ""
    slot_returned: bool = False  # On a call's page.
    slots: list[Slot] = []
    queue: list[Queued] = []
    recent: list[tuple[int, int]] = []  # Dials by second (Unix s).
    unseen_ms: int = 0  # When the latest transfer was sent that this call's own event completed: its leg is to come.

    @property
    def waiting(self) -> int:
        """How many commands wait: in the line, or for their number's turn."""
        return len(self.line) + len(self.early)

    @property
    def is_call(self) -> bool:
        """Whether it is a call's, and not that of a dial, an alias or an event that names nothing."""
        return names_a_call(self.key)

    @property
    def is_limit(self) -> bool:
        """Whether it counts for a whole account."""
        return self.key.startswith(LIMIT_PREFIX)

    @property
    def is_of_number(self) -> bool:
        """Whether it counts for one number of an account."""
        return self.is_limit and "/" in self.key

    @property
    def is_dial(self) -> bool:
        """Whether this is the page of a dial."""
        return self.key.startswith(DIAL_PREFIX)

    @property
    def is_leg(self) -> bool:
        """Whether it is the alias of a call by its leg."""
        return self.key.startswith(LEG_PREFIX)

    @property
    def is_session(self) -> bool:
        """Whether it is the alias of the calls of a session."""
        return self.key.startswith(SESSION_PREFIX)

    @property
    def is_alias(self) -> bool:
        """Whether it is about a call that has a page of its own."""
        return self.is_leg or self.is_session


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Page)


def encode(page: Page) -> bytes:
    """Write a page."""
    return _encoder.encode(page)


def decode(value: bytes) -> Page:
    """Read a page as an own copy. Raises msgspec.MsgspecError when it is none."""
    return _decoder.decode(value)
