"""What the door says when something is not right, in Telnyx's words: status, code and title of each case.

Telnyx's own code stands where Telnyx has one for the case. Where it has none, because Telnyx has no such case, the code
is 99000 and the number of the reason in the contract (`own_code`), which no code of Telnyx's is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from cordboard.v1 import Reason
from cordboard.validation import Violation


class Meaning(NamedTuple):
    """A case. `code` "": the reason's own."""

    status: int
    code: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One entry of `errors`; `pointer` is a JSON pointer into the body, or ""."""

    status: int
    code: str
    title: str
    detail: str
    pointer: str = ""


def own_code(reason: str) -> str:
    """The code of a reason for which Telnyx has none."""
    return str(99_000 + Reason.Value(f"REASON_{reason}"))


_ENDED: Final = Meaning(422, "90018", "Call has already ended")
_FORBIDDEN: Final = Meaning(403, "10010", "Not permitted")
_BUSY: Final = Meaning(429, "10011", "Too many requests")
_AWAY: Final = Meaning(503, "10007", "Service unavailable")

# Results, by their reason, whatever the state; others by their state.
OF_REASONS: Final[Mapping[str, Meaning]] = {
    "CALL_ENDED": _ENDED,
    "CALL_NOT_FOUND": Meaning(422, "90015", "Invalid Call Control ID"),
    "CALL_NOT_ANSWERED": Meaning(422, "90034", "Call not answered yet"),
    "CREDENTIALS_REFUSED": Meaning(401, "10009", "Authentication failed"),
    "ACCOUNT_MISMATCH": _FORBIDDEN,
    "DESTINATION_REFUSED": _FORBIDDEN,
    "LINE_FULL": Meaning(429, "", "Too many commands of this call are waiting"),
    "DIAL_LIMIT": Meaning(429, "", "A limit on dials is used up"),
    "INTERNAL": Meaning(500, "10007", "Internal error"),
}
OF_STATES: Final[Mapping[str, Meaning]] = {
    "FAILED": Meaning(422, "", "The command failed"),
    "REJECTED": Meaning(422, "", "The command was rejected"),
    "EXPIRED": Meaning(422, "", "The command expired before it was sent"),
    "CANCELLED": Meaning(409, "", "The command was cancelled before it was sent"),
    "UNKNOWN": Meaning(504, "", "The outcome of the command is not known"),
}
# What the whole door refuses, before it accepts anything.
OF_REFUSALS: Final[Mapping[str, Meaning]] = {
    "INVALID_COMMAND": Meaning(422, "10015", "Bad Request"),
    "UNKNOWN_ACCOUNT": Meaning(401, "10009", "Authentication failed"),
    "COMMAND_TOO_LARGE": Meaning(413, "", "Request body too large"),
    "UNAUTHENTICATED": Meaning(401, "10009", "Authentication failed"),
    "NOT_PERMITTED": _FORBIDDEN,
    "OVERLOADED": _BUSY,
    "QUOTA_EXCEEDED": _BUSY,
    "SHUTTING_DOWN": _AWAY,
    "RESTORING": _AWAY,
    "OWNER_UNREACHABLE": _AWAY,
    "LOG_UNAVAILABLE": _AWAY,
    "ACCEPTANCE_UNKNOWN": Meaning(504, "", "Whether the command was accepted is not known"),
}

# What is this door's alone, by the word that stands for it in `meta.reason`.
OF_THIS_DOOR: Final[Mapping[str, Meaning]] = {
    "KEY_UNKNOWN": Meaning(401, "10009", "Authentication failed"),
    "NOWHERE": Meaning(404, "10005", "Resource not found"),
    "WRONG_METHOD": Meaning(405, "10005", "Method not allowed"),
    "BODY_NOT_JSON": Meaning(400, "10028", "Request body could not be decoded"),
    "BODY_TOO_SLOW": Meaning(408, "10008", "Request timeout"),
    "OPEN": Meaning(504, "10008", "Request timeout"),
    "PASSED_UNSENT": Meaning(502, "10007", "Service unavailable"),
    "PASSED_UNANSWERED": Meaning(504, "10008", "Request timeout"),
    "BROKEN": Meaning(500, "10007", "Internal error"),
}

_MISSING: Final = Meaning(422, "10004", "Missing required parameter")
_NOT_IN_ENUM: Final = Meaning(422, "10032", "Value not in enum")
_OUT_OF_RANGE: Final = Meaning(422, "10033", "Value outside of range")
_NO_NUMBER: Final = Meaning(422, "10016", "Phone number must be in +E164 format")
_MALFORMED: Final = Meaning(400, "10015", "Bad Request")
_RULES: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(("required", "missing", "oneof", "destination", "min_items"), _MISSING),
    **dict.fromkeys(("in", "const"), _NOT_IN_ENUM),
    **dict.fromkeys(("gt", "gte", "lt", "lte", "gte_lte", "gt_lt", "gte_lt", "gt_lte"), _OUT_OF_RANGE),
    **dict.fromkeys(("min_len", "max_len", "len", "max_items", "items", "sum"), _OUT_OF_RANGE),
    "e164": _NO_NUMBER,
}


def of_result(state: str, reason: str) -> Meaning:
    """What a result that is no success means. Of what is UNKNOWN no reason says more than that."""
    return OF_STATES[state] if state == "UNKNOWN" else OF_REASONS.get(reason, OF_STATES[state])


def of_rule(violation: Violation, pointer: str) -> Problem:
    """A rule of the contract that a body breaks, as Telnyx says it: the last part of a rule's name tells its kind."""
    meaning = _RULES.get(violation.rule.rpartition(".")[2], _MALFORMED)
    if violation.field == "call_control_id":  # Of the path: no name that a call can have.
        meaning = OF_REASONS["CALL_NOT_FOUND"]
    return of(meaning, f"{violation.description}.", pointer)


def of(meaning: Meaning, detail: str, pointer: str = "", reason: str = "") -> Problem:
    """A case, in this instance."""
    code = meaning.code or own_code(reason)
    return Problem(status=meaning.status, code=code, title=meaning.title, detail=detail, pointer=pointer)


def malformed(pointer: str, detail: str) -> Problem:
    """A value of another type than it must have."""
    return of(_MALFORMED, detail, pointer)
