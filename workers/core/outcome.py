"""What one try tells: an answer of Telnyx, or the lack of one, read into a meaning, and what each meaning leads to.

Rule 1: whatever arrives has a meaning. Not JSON, empty, giant or half an answer: nothing in here raises.
Rule 2: the status line decides, the body explains. A 4xx is a certain no even when its body cannot be read; a 5xx is
never one, whatever its body says.
Rule 3: what is not proved to be without effect may have had one.

Where the documentation of Telnyx is silent, this was decided:

- A 2xx whose body broke off was accepted, but a resend is harmless inside the window and brings the whole answer, so it
  is sent again like an unanswered one. A dial cannot be: its call exists, its ids are lost, and BAD_ANSWER says so.
- A whole 2xx that is not a JSON object comes from something between us and Telnyx; it would come again. It is not
  resent. An empty one is an answer (a 204 is a success) except to a dial, whose ids would be in it.
- 408 is the server's word that it did not get the request in time, from any hop on the way: as good as no answer.
- 429 is told by the status, not by its code: 10011 is also a 422 about something else.
- 3xx are not followed: the API that we know does not redirect.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cordboard.work import Repeat, TelnyxError, Verdict

RESET_MS_DEFAULT: Final = 1_000  # A 429 without a readable x-ratelimit-reset.
RESET_MS_MIN: Final = 100
RESET_MS_MAX: Final = 60_000
_ERRORS_MAX: Final = 20
_TEXT_MAX: Final = 500


class Ending(enum.Enum):
    """How the body of an answer ended."""

    WHOLE = "whole"
    BROKEN = "broken"  # The connection broke, or the time was over, inside it.
    CUT = "cut"  # Longer than we read.


@dataclass(frozen=True, slots=True)
class Answer:
    """Something answered. `status` is 0 where not even the status line could be read."""

    status: int
    body: bytes = b""
    ending: Ending = Ending.WHOLE
    reset: str = ""  # The header x-ratelimit-reset, as it came: seconds.
    remaining: str = ""  # The header x-ratelimit-remaining, as it came.


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Nothing answered. `unsent` only where it is certain that nothing left this machine; `why` is for people."""

    unsent: bool
    why: str


Reply = Answer | NoAnswer


class Meaning(enum.StrEnum):
    """What one try tells. The values are labels of metrics."""

    ACCEPTED = "accepted"  # A 2xx whose body could be read.
    REFUSED = "refused"  # A 4xx: a certain no.
    LIMITED = "limited"  # 429: without effect, and to be asked again later.
    UNREACHED = "unreached"  # Certainly nothing was sent.
    UNANSWERED = "unanswered"  # Sent, and no answer came in time, or a 408.
    FAULT = "fault"  # A 5xx.
    HALF = "half"  # An answer that broke off where its body matters.
    FOREIGN = "foreign"  # An answer that the API which we know does not give.


@dataclass(frozen=True, slots=True)
class Rule:
    """What a meaning leads to; one row of the table.

    `again` are the classes that send again while window and budget last. Otherwise the try ends its release: as `ends`,
    or after an earlier try in doubt as `doubted`, where None leaves the verdict of that earlier try.
    """

    ends: Verdict
    doubted: Verdict | None
    doubt: bool  # This try itself may have had an effect.
    again: frozenset[Repeat]


_NONE: Final[frozenset[Repeat]] = frozenset()
_ALL: Final = frozenset(Repeat)
_SAFE: Final = frozenset({Repeat.ALWAYS, Repeat.WINDOW})

# A release is one request, tried until a row ends it. Read with the rules of `workers.core.attempt`.
TABLE: Final[Mapping[Meaning, Rule]] = {
    Meaning.ACCEPTED: Rule(Verdict.DONE, Verdict.DONE, doubt=False, again=_NONE),
    # After a try in doubt, a no may be that try's success speaking ("call has already ended").
    Meaning.REFUSED: Rule(Verdict.REFUSED, Verdict.AMBIGUOUS, doubt=False, again=_NONE),
    # These two had no effect: even a dial tries again, and an earlier doubt stays what it was.
    Meaning.LIMITED: Rule(Verdict.UNSENT, None, doubt=False, again=_ALL),
    Meaning.UNREACHED: Rule(Verdict.UNSENT, None, doubt=False, again=_ALL),
    # From here on the request may have happened; the last word on it is the verdict.
    Meaning.UNANSWERED: Rule(Verdict.NO_ANSWER, Verdict.NO_ANSWER, doubt=True, again=_SAFE),
    Meaning.FAULT: Rule(Verdict.SERVER_ERROR, Verdict.SERVER_ERROR, doubt=True, again=_SAFE),
    Meaning.HALF: Rule(Verdict.BAD_ANSWER, Verdict.BAD_ANSWER, doubt=True, again=_SAFE),
    Meaning.FOREIGN: Rule(Verdict.BAD_ANSWER, Verdict.BAD_ANSWER, doubt=True, again=_NONE),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One try, understood."""

    meaning: Meaning
    status: int = 0
    errors: tuple[TelnyxError, ...] = ()
    message: str = ""
    response: bytes = b""  # The body of an accepted request: a JSON object, or empty.
    reset_ms: int = 0  # After LIMITED: how long to wait.
    is_strained: bool = False  # Telnyx says that nothing remains of its limit; the next one may be refused.


def read(reply: Reply, repeat: Repeat) -> Reading:
    """Understand one try of a request of class `repeat`. Never raises."""
    if isinstance(reply, NoAnswer):
        return Reading(Meaning.UNREACHED if reply.unsent else Meaning.UNANSWERED, message=reply.why)
    meaning = _meaning(reply, repeat)
    if meaning is Meaning.ACCEPTED:
        return Reading(meaning, reply.status, response=reply.body, is_strained=reply.remaining.strip() == "0")
    errors = errors_of(reply.body)
    reset_ms = reset_ms_of(reply.reset) if meaning is Meaning.LIMITED else 0
    return Reading(meaning, reply.status, errors, _sentence(reply, errors), reset_ms=reset_ms)


def _meaning(answer: Answer, repeat: Repeat) -> Meaning:
    if answer.status == 429:
        return Meaning.LIMITED
    if answer.status == 408:
        return Meaning.UNANSWERED
    match answer.status // 100:
        case 2:
            return _meaning_of_success(answer, repeat)
        case 4:
            return Meaning.REFUSED
        case 5:
            return Meaning.FAULT
        case 0:
            return Meaning.HALF
        case _:
            return Meaning.FOREIGN


def _meaning_of_success(answer: Answer, repeat: Repeat) -> Meaning:
    if answer.ending is Ending.BROKEN:
        return Meaning.HALF
    if answer.ending is Ending.CUT:
        return Meaning.FOREIGN
    if not answer.body:
        return Meaning.FOREIGN if repeat is Repeat.UNSENT else Meaning.ACCEPTED
    return Meaning.FOREIGN if _json_object(answer.body) is None else Meaning.ACCEPTED


def errors_of(body: bytes) -> tuple[TelnyxError, ...]:
    """Read Telnyx's `errors` from a body, as far as they can be read: at most 20, texts of at most 500 characters."""
    document = _json_object(body)
    listed = document.get("errors") if document is not None else None
    if not isinstance(listed, list):
        return ()
    return tuple(_error(entry) for entry in listed[:_ERRORS_MAX] if isinstance(entry, dict))


def _error(entry: dict[str, Any]) -> TelnyxError:
    source = entry.get("source")
    where = source if isinstance(source, dict) else {}
    return TelnyxError(
        code=_text(entry.get("code")),
        title=_text(entry.get("title")),
        detail=_text(entry.get("detail")),
        pointer=_text(where.get("pointer") or where.get("parameter")),
    )


def _text(value: object) -> str:
    # Codes are documented as strings of digits; a number is understood too, anything deeper is not.
    return str(value)[:_TEXT_MAX] if isinstance(value, str | int | float) else ""


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def reset_ms_of(header: str) -> int:
    """Read x-ratelimit-reset: seconds until the limit is reset, kept between 0.1 and 60 s; 1 s if unreadable."""
    try:
        seconds = float(header)
    except ValueError:
        return RESET_MS_DEFAULT
    if math.isnan(seconds):
        return RESET_MS_DEFAULT
    return round(min(max(seconds * 1_000, RESET_MS_MIN), RESET_MS_MAX))


def _sentence(answer: Answer, errors: tuple[TelnyxError, ...]) -> str:
    # The body itself is never quoted: it may be anybody's page, and this sentence reaches results and logs.
    if errors:
        return f"{answer.status} {errors[0].code}: {errors[0].title or errors[0].detail}".rstrip(": ")
    if answer.status == 0:
        return "an answer that is not HTTP"
    if answer.ending is not Ending.WHOLE:
        return f"{answer.status} with a body {answer.ending.value} after {len(answer.body)} bytes"
    return f"{answer.status} without readable errors, {len(answer.body)} bytes"
