"""What Watch hands on, in words: for `cordboard watch` and for the demonstration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.cli.screen import plain
from cordboard.masking import MASK
from cordboard.v1 import CallEvent, CommandCompletion, CommandResult, CompletionState, Reason, State, WatchResponse

_KEYED: Final = ("digit", "digits")  # That there were some; which, is no operator's business.
_TELLING: Final = (
    "hangup_cause",
    "status",
    "result",
    "reason",
)  # What of an event is worth a glance.
_KINDS: Final = {"replayed": "again, as before", "refused": "refused", "settled": "settled"}


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened: when, on which call, to what, with which outcome, and what else is worth saying."""

    time: Timestamp
    call: str
    what: str
    state: str
    detail: str
    command_id: str


def happening(response: WatchResponse) -> Happening | None:
    """What a response tells; None where it holds only a cursor."""
    kind = response.WhichOneof("item")
    if kind == "result":
        return _result(response.type, response.result)
    if kind == "completion":
        return _completion(response.completion)
    return _event(response.event) if kind == "event" else None


def as_json(response: WatchResponse) -> dict[str, Any]:
    """The same for programs; an event's payload is Telnyx's JSON instead of Base64 of it."""
    value: dict[str, Any] = json_format.MessageToDict(response, preserving_proto_field_name=True)
    if response.HasField("event"):
        value["event"]["payload"] = payload_of(response.event)
    return value


def payload_of(event: CallEvent) -> Any:
    """Telnyx's body of an event, or None where it is no JSON."""
    try:
        return orjson.loads(event.payload)
    except orjson.JSONDecodeError:
        return None


def _result(kind: str, result: CommandResult) -> Happening:
    calls = ", ".join(dialed.call_control_id for dialed in result.dialed)
    said = [
        next((said for part, said in _KINDS.items() if f".{part}." in kind), ""),
        plain(Reason.Name(result.reason), "REASON_"),
        "" if result.replayed else result.message,  # Of a repeat it says what "again" says.
    ]
    return Happening(
        time=result.finish_time,
        call=calls or result.call_control_id,
        what=result.action,
        state=plain(State.Name(result.state), "STATE_"),
        detail=", ".join(filter(None, said)),
        command_id=result.command_id,
    )


def _completion(completion: CommandCompletion) -> Happening:
    said = [
        plain(Reason.Name(completion.reason), "REASON_"),
        f"by {completion.event_type}" if completion.event_type else "",
        f"({completion.status})" if completion.status else "",
    ]
    return Happening(
        time=completion.finish_time,
        call=completion.call_control_id,
        what=completion.action,
        state=plain(CompletionState.Name(completion.state), "COMPLETION_STATE_"),
        detail=" ".join(filter(None, said)),
        command_id=completion.command_id,
    )


def _event(event: CallEvent) -> Happening:
    body = payload_of(event)
    data = body.get("data") if isinstance(body, dict) else None
    payload = data.get("payload") if isinstance(data, dict) else None
    telling: list[str] = []
    if isinstance(payload, dict):
        telling += [f"{name} {MASK}" for name in _KEYED if payload.get(name)]
        telling += [f"{name} {payload[name]}" for name in _TELLING if payload.get(name)]
    return Happening(
        time=event.occur_time,
        call=event.call_control_id,
        what=event.event_type,
        state="late" if event.late else "event",
        detail=", ".join(telling),
        command_id=event.command_id,
    )
