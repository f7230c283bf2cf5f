"""What travels between the brain and the hands: a released request, and what became of it.

Work knows neither calls nor commands: it is a request, a lane, a time after which it must not be sent, and a class of
repeatability. `key`, `command_id` and `attempt` are an address for the way back; together they are the work's identity.
Both are MessagePack arrays: fields are only ever added, at the end, with a default.
"""

from __future__ import annotations

import enum

import msgspec


class Lane(enum.StrEnum):
    """A pool's separate queues: what must not wait, what may, and what starts calls."""

    URGENT = "urgent"
    ACTION = "action"
    DIAL = "dial"


class Repeat(enum.StrEnum):
    """How a request may be sent again when it is not known whether it had an effect."""

    ALWAYS = "always"  # A second one does no harm.
    WINDOW = "window"  # Telnyx ignores the repeat for 60 s, by command_id.
    UNSENT = "unsent"  # Only if certainly nothing was sent.


class Verdict(enum.StrEnum):
    """What a worker learned about one released request."""

    DONE = "done"  # A 2xx with a body that could be read.
    REFUSED = "refused"  # A certain no: a 4xx to a request none of whose earlier tries is in doubt.
    AMBIGUOUS = "ambiguous"  # A 4xx to a resend after an unanswered try: perhaps the first one's success speaking.
    UNSENT = "unsent"  # Certainly nothing was sent, and the budget is used up.
    NO_ANSWER = "no_answer"  # Sent (or perhaps sent), and no answer came.
    SERVER_ERROR = "server_error"  # 5xx to the end.
    BAD_ANSWER = "bad_answer"  # Something answered, but not the API that we know.
    EXPIRED = "expired"  # Its expire time passed before anything was sent.
    LATE = "late"  # Found past `not_after`; this copy was not sent, which proves nothing about others.
    WAITING = "waiting"  # Not an end: the worker has it, and paces it.


class Work(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One release of one command. Times are Unix milliseconds."""

    key: str  # The page that waits for the outcome; also the record's key.
    command_id: str
    attempt: int  # 1, 2, ...
    account: str
    action: str  # A name of the catalogue, or "call_status" of a question; for metrics and logs only.
    lane: Lane
    repeat: Repeat
    method: str
    path: str  # Percent-encoded, below the base URL: /calls/.../actions/speak.
    body: bytes  # JSON; every try of every attempt sends these bytes. A question (GET) has none.
    released_ms: int
    not_after_ms: int | None  # No try starts later, whatever its class; None for hangup and reject only.
    expire_ms: int | None  # Not sent past this time.
    traceparent: str = ""


class TelnyxError(msgspec.Struct, frozen=True, array_like=True):
    """One entry of Telnyx's `errors`. `pointer` is source.pointer or source.parameter."""

    code: str
    title: str = ""
    detail: str = ""
    pointer: str = ""


class Outcome(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """What became of one release. `cause` says why in one word where the verdict leaves it open.

    `cause` is one of "" | "in_lane" | "rate_limited" | "paused" | "unreachable" (for UNSENT, EXPIRED, LATE, WAITING).
    `response` is the body of a DONE answer, JSON, at most 64 KiB.
    """

    key: str
    command_id: str
    attempt: int
    verdict: Verdict
    cause: str = ""
    http_status: int = 0
    errors: tuple[TelnyxError, ...] = ()
    message: str = ""
    response: bytes = b""
    tries: int = 0  # Requests that were, or may have been, sent.
    sent_ms: int = 0  # When the first try started; 0 when nothing was sent.
    finished_ms: int = 0


_encoder = msgspec.msgpack.Encoder()
_work = msgspec.msgpack.Decoder(Work)
_outcome = msgspec.msgpack.Decoder(Outcome)


def encode(record: Work | Outcome) -> bytes:
    """Write a record's value."""
    return _encoder.encode(record)


def decode_work(value: bytes) -> Work:
    """Read work. Raises msgspec.MsgspecError (DecodeError or ValidationError) for anything else."""
    return _work.decode(value)


def decode_outcome(value: bytes) -> Outcome:
    """Read an outcome. Raises msgspec.MsgspecError for anything else."""
    return _outcome.decode(value)
