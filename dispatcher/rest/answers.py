"""HTTP answers in Telnyx's shape: what became of a command, and why a request was turned away.

The vendor's SDKs send again, by themselves, what is answered by 408, 409, 429 or 5xx. Once a command was accepted that
is of no use, and from another process, which cannot know the repeat, it would be a second effect: so every answer after
acceptance forbids it (`x-should-retry: false`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from google.protobuf.descriptor import Descriptor

from cordboard.body import from_struct, wire_name
from cordboard.enumerations import name_of
from cordboard.v1 import STATE_SUCCEEDED, Command, CommandResult, Reason, State
from dispatcher.acceptance.refusals import Refused
from dispatcher.rest import meanings
from dispatcher.rest.meanings import Problem

COMMAND_ID_HEADER: Final = "x-cordboard-command-id"
STATE_HEADER: Final = "x-cordboard-state"
REASON_HEADER: Final = "x-cordboard-reason"
REPLAYED_HEADER: Final = "x-cordboard-replayed"
OPEN: Final = "OPEN"  # In the place of a state, where none is known yet.
NO_RETRY: Final = {"x-should-retry": "false"}
_JSON: Final = "application/json; charset=utf-8"
_NOTHING: Final[Mapping[str, str]] = {}
_PART: Final = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")
_PAGES: Final = "https://developers.telnyx.com/docs/overview/errors"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `reason` says in a word why, for metrics; "" where all is well."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    reason: str = ""

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """The same with more headers."""
        return replace(self, headers={**self.headers, **headers})


def answer(status: int, value: object, headers: Mapping[str, str] = _NOTHING, reason: str = "") -> Answer:
    """A value as JSON."""
    return Answer(status, orjson.dumps(value), {"content-type": _JSON, **headers}, reason)


def of_problems(
    problems: Sequence[Problem], reason: str, headers: Mapping[str, str] = _NOTHING, status: int = 0
) -> Answer:
    """Errors; the first one's status is the answer's, unless another is given."""
    errors = [_error(problem, reason) for problem in problems]
    return answer(status or problems[0].status, {"errors": errors}, headers, reason)


def of_case(reason: str, detail: str, headers: Mapping[str, str] = _NOTHING) -> Answer:
    """One error, by the word of this door or the reason of a refusal that stands for it."""
    meaning = meanings.OF_THIS_DOOR.get(reason) or meanings.OF_REFUSALS[reason]
    return of_problems([meanings.of(meaning, detail, reason=reason)], reason, headers)


def of_refusal(refused: Refused) -> Answer:
    """Why nothing was accepted."""
    meaning = meanings.OF_REFUSALS[refused.name]
    problems = [meanings.of_rule(one, pointer_to(one.field)) for one in refused.violations]
    if not problems or refused.name != "INVALID_COMMAND":
        problems = [meanings.of(meaning, refused.message, reason=refused.name)]
    headers = {} if refused.retry_seconds is None else {"retry-after": f"{math.ceil(refused.retry_seconds)}"}
    return of_problems(problems, refused.name, headers)


def of_uncertain(command: Command, *, has_own_id: bool) -> Answer:
    """Nobody knows whether it was accepted. Who gave it an id may send it again, to whichever process."""
    said = "The log did not answer: perhaps the command was accepted. Send it again only under the same command_id."
    headers = {**_named(command), STATE_HEADER: OPEN} | ({} if has_own_id else NO_RETRY)
    return of_case("ACCEPTANCE_UNKNOWN", said, headers)


def of_open(command: Command) -> Answer:
    """It was accepted, and the wait for its result is over."""
    said = "The command was accepted, and its result is not known yet; ask for it by its command_id."
    return of_case(OPEN, said, {**_named(command), **NO_RETRY, STATE_HEADER: OPEN})


def of_result(result: CommandResult, command: Command) -> Answer:
    """What became of it."""
    state = name_of(State.Name, result.state, "STATE_")
    reason = "" if not result.reason else name_of(Reason.Name, result.reason, "REASON_")
    headers = {**_named(command), **NO_RETRY, STATE_HEADER: state}
    if reason:
        headers[REASON_HEADER] = reason
    if result.replayed:
        headers[REPLAYED_HEADER] = "true"
    if result.state == STATE_SUCCEEDED:
        return answer(200, {"data": _data(result, command)}, headers)
    meaning = meanings.of_result(state, reason)
    if state == "FAILED" and 400 <= result.http_status < 500:
        meaning = meaning._replace(status=result.http_status)  # Telnyx's own words, as it said them.
    problems = [meanings.of(meaning, result.message, reason=reason)]
    if result.errors and state == "FAILED":
        problems = [
            Problem(
                status=meaning.status,
                code=one.code,
                title=one.title,
                detail=one.detail or one.title,
                pointer=one.pointer,
            )
            for one in result.errors
        ]
    elif result.violations:
        problems = [
            meanings.of(meaning, f"{one.description}.", pointer_to(one.field), reason) for one in result.violations
        ]
    return of_problems(problems, reason or state, headers, meaning.status)


def pointer_to(field: str) -> str:
    """A field of a command, such as dial.sip_headers[0].value, as a pointer into the body: /sip_headers/0/value."""
    parts = [name or key.strip('"') for name, key in _PART.findall(field)]
    action = Command.DESCRIPTOR.fields_by_name.get(parts[0]) if parts else None
    if action is None or action.containing_oneof is None:
        return "".join(f"/{part}" for part in parts)
    return "".join(f"/{part}" for part in _on_the_wire(action.message_type, parts[1:]))


def _on_the_wire(message: Descriptor | None, parts: Sequence[str]) -> list[str]:
    """The parts of a path by their names in the body; indexes and keys as they are."""
    named = []
    for part in parts:
        field = message.fields_by_name.get(part) if message is not None else None
        named.append(part if field is None else wire_name(field))
        message = message if field is None else field.message_type
    return named


def _named(command: Command) -> dict[str, str]:
    return {COMMAND_ID_HEADER: command.command_id}


def _data(result: CommandResult, command: Command) -> dict[str, Any]:
    """What Telnyx answered; of an answer given again, as much as is remembered."""
    if result.HasField("response") and result.response.fields:
        return from_struct(result.response)
    if not command.HasField("dial") or not result.dialed:
        return {"result": "ok"}
    leg = result.dialed[0]
    state = {"client_state": command.client_state} if command.client_state else {}
    return {
        "record_type": "call",
        "call_control_id": leg.call_control_id,
        "call_leg_id": leg.call_leg_id,
        "call_session_id": leg.call_session_id,
        "is_alive": False,
        **state,
    }


def _error(problem: Problem, reason: str) -> dict[str, Any]:
    error: dict[str, Any] = {"code": problem.code, "title": problem.title, "detail": problem.detail}
    if problem.pointer:
        error["source"] = {"pointer": problem.pointer}
    error["meta"] = {"reason": reason}
    if not problem.code.startswith("99"):
        error["meta"]["url"] = f"{_PAGES}/{problem.code}"
    return error
