"""One call's story, in order: from what was recorded of it, and what its page knows. Pure.

The log tells what happened; that a command had to wait, and for what, is seen from what happened between its
acceptance and its release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from google.protobuf.struct_pb2 import Struct

from cordboard.v1 import timeline_pb2
from cordboard.v1.timeline_pb2 import TimelineEntry, TimelineKind
from dispatcher.acceptance.views import timestamp
from dispatcher.core.asking import QUESTION
from dispatcher.recorder.story import Entry, Kind

_PLAIN: Final[Mapping[str, TimelineKind.ValueType]] = {
    Kind.COMMAND: timeline_pb2.TIMELINE_KIND_ACCEPTED,
    Kind.RELEASE: timeline_pb2.TIMELINE_KIND_RELEASED,
    Kind.RESULT: timeline_pb2.TIMELINE_KIND_RESULT,
    Kind.REPLAYED: timeline_pb2.TIMELINE_KIND_REPLAYED,
    Kind.REFUSED: timeline_pb2.TIMELINE_KIND_REFUSED,
    Kind.SETTLED: timeline_pb2.TIMELINE_KIND_SETTLED,
    Kind.COMPLETION: timeline_pb2.TIMELINE_KIND_COMPLETED,
    Kind.EVENT: timeline_pb2.TIMELINE_KIND_EVENT,
    Kind.CANCEL: timeline_pb2.TIMELINE_KIND_CANCEL_ASKED,
    Kind.CANCELLED: timeline_pb2.TIMELINE_KIND_CANCEL_REPORTED,
    Kind.UNREADABLE: timeline_pb2.TIMELINE_KIND_UNREADABLE,
}
# What the dispatcher says of itself may stand in the log twice, word for word, where a crash came between.
_SAID_ONCE: Final = frozenset({Kind.RELEASE, Kind.RESULT, Kind.SETTLED, Kind.COMPLETION, Kind.EVENT, Kind.CANCELLED})
# Of what happens to one command in one millisecond, what comes of what: an event comes before what it completes.
_ORDER: Final = (
    timeline_pb2.TIMELINE_KIND_CALL,
    timeline_pb2.TIMELINE_KIND_CANCEL_ASKED,
    timeline_pb2.TIMELINE_KIND_ACCEPTED,
    timeline_pb2.TIMELINE_KIND_HELD,
    timeline_pb2.TIMELINE_KIND_RELEASED,
    timeline_pb2.TIMELINE_KIND_SENT,
    timeline_pb2.TIMELINE_KIND_ANSWERED,
    timeline_pb2.TIMELINE_KIND_RESULT,
    timeline_pb2.TIMELINE_KIND_EVENT,
)
_CALL: Final = timeline_pb2.TIMELINE_KIND_CALL
_RANKS: Final = {kind: rank for rank, kind in enumerate(_ORDER)}
_DIAL_ROOM_MS: Final = 1_000


@dataclass(slots=True)
class Told:
    """One line of the story, before it is written as the contract has it."""

    at_ms: int
    kind: TimelineKind.ValueType
    command_id: str = ""
    action: str = ""
    state: str = ""
    reason: str = ""
    source: str = ""
    attempt: int = 0
    detail: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> tuple[object, ...]:
        """By what the same thing is known again, told by the page and by the log."""
        return self.kind, self.command_id, self.attempt, "" if self.command_id else self.action


def timeline(recorded: Iterable[Entry], known: Iterable[Told]) -> list[TimelineEntry]:
    """The story of what was recorded, with what the page knows beyond that."""
    told = [line for entry in _once(recorded) for line in _lines(entry)]
    actions = {line.command_id: line.action for line in told if line.action}
    for line in told:
        line.action = line.action or actions.get(line.command_id, "")  # A worker's report does not say it.
    told += _holds(told)
    names = {line.name for line in told}
    # That the call began and ended, its events tell better.
    told += [line for line in known if line.name not in names and not (told and line.kind == _CALL)]
    return [_written(line) for line in _in_order(told)]


def _in_order(told: list[Told]) -> list[Told]:
    """By time. What one decision says has one time: of that, what is about the earlier command comes first."""
    begun: dict[str, int] = {}
    for line in told:
        begun[line.command_id] = min(line.at_ms, begun.get(line.command_id, line.at_ms))
    begun[""] = 0
    return sorted(told, key=lambda line: (line.at_ms, begun[line.command_id], _RANKS.get(line.kind, len(_ORDER))))


def _once(recorded: Iterable[Entry]) -> Iterator[Entry]:
    seen: set[tuple[object, ...]] = set()
    for entry in recorded:
        outline = (entry.kind, entry.command_id, entry.action, entry.attempt, entry.state, entry.reason, entry.content)
        if entry.kind in _SAID_ONCE and outline in seen:
            continue
        seen.add(outline)
        yield entry


def _lines(entry: Entry) -> Iterator[Told]:
    content: dict[str, Any] = orjson.loads(entry.content) if entry.content else {}
    if entry.kind == Kind.OUTCOME:
        yield from _reported(entry, content)
    elif entry.kind == Kind.RELEASE and entry.command_id == QUESTION:
        yield _line(entry, timeline_pb2.TIMELINE_KIND_ASKED, "whether the call lives", {})
    elif kind := _PLAIN.get(entry.kind):
        said = _DETAILS.get(entry.kind, _no_detail)(content)
        yield _line(entry, kind, said if entry.content else "forgotten", content)


def _line(entry: Entry, kind: TimelineKind.ValueType, detail: str, content: Mapping[str, Any]) -> Told:
    is_question = entry.command_id == QUESTION
    return Told(
        at_ms=entry.time_ms,
        kind=kind,
        command_id="" if is_question else entry.command_id,
        action=entry.action,
        state=entry.state,
        reason=entry.reason,
        source=entry.sender,
        attempt=entry.attempt,
        detail=detail,
        content=content,
    )


def _reported(entry: Entry, content: Mapping[str, Any]) -> Iterator[Told]:
    """A worker reports: it waits with it; or it sent it, and this came of it."""
    if entry.state == "waiting":
        detail = f"in its lane: {entry.reason or 'others are before it'}"
        yield _line(entry, timeline_pb2.TIMELINE_KIND_HELD, detail, {})
        return
    if sent_ms := content.get("sent_ms", 0):
        sent = _line(entry, timeline_pb2.TIMELINE_KIND_SENT, "", {})
        sent.at_ms, sent.state, sent.reason = sent_ms, "", ""
        yield sent
    answered = _line(entry, timeline_pb2.TIMELINE_KIND_ANSWERED, _of_outcome(content), content)
    answered.at_ms = content.get("finished_ms") or entry.time_ms
    yield answered


def _holds(told: list[Told]) -> Iterator[Told]:
    """What had to wait, and for what: the last of what happened between its acceptance and its release."""
    lines = _in_order(told)
    released = {
        line.command_id: line
        for line in reversed(lines)
        if line.kind == timeline_pb2.TIMELINE_KIND_RELEASED and line.command_id
    }
    for line in lines:
        let_go = released.get(line.command_id)
        if line.kind != timeline_pb2.TIMELINE_KIND_ACCEPTED or let_go is None or let_go.at_ms < line.at_ms:
            continue
        between = [
            one for one in lines if line.at_ms <= one.at_ms <= let_go.at_ms and one.command_id != line.command_id
        ]
        if why := _held_by(line, let_go, between):
            waited = f"{(let_go.at_ms - line.at_ms) / 1000:.3f} s: {why}"
            yield Told(line.at_ms, timeline_pb2.TIMELINE_KIND_HELD, line.command_id, line.action, detail=waited)


def _held_by(line: Told, let_go: Told, between: list[Told]) -> str:
    def last(*kinds: TimelineKind.ValueType) -> Told | None:
        return next((one for one in reversed(between) if one.kind in kinds and one.command_id), None)

    completed = last(timeline_pb2.TIMELINE_KIND_COMPLETED)
    if line.content.get("start_after") and completed is not None:
        return f"until {completed.action} {completed.command_id} was complete"
    result = last(timeline_pb2.TIMELINE_KIND_RESULT, timeline_pb2.TIMELINE_KIND_ANSWERED)
    if result is not None:
        return f"behind {result.action or 'command'} {result.command_id}, until its result"
    if line.content.get("sequence") and last(timeline_pb2.TIMELINE_KIND_ACCEPTED):
        return f"until number {line.content['sequence'] - 1:.0f} came"
    if any(one.action == "call.answered" for one in between):
        return "until the call was answered"
    if line.action == "dial" and let_go.at_ms - line.at_ms >= _DIAL_ROOM_MS:
        return "for room in its lane"
    return ""


def _of_command(content: Mapping[str, Any]) -> str:
    said = [f"{name}={value!r}" for name, value in content.get("body", {}).items()]
    said += [f"{name.replace('_', ' ')} {content[name]}" for name in ("placement", "start_after") if name in content]
    return " ".join(said)[:200]


def _of_outcome(content: Mapping[str, Any]) -> str:
    http, tries = content.get("http_status"), content.get("tries", 0)
    said = [f"HTTP {http}" if http else "", f"{tries} tries" if tries > 1 else "", content.get("message", "")]
    return ", ".join(filter(None, said))


def _of_result(content: Mapping[str, Any]) -> str:
    errors = [f"{one.get('code', '')} {one.get('detail') or one.get('title', '')}" for one in content.get("errors", ())]
    return "; ".join(filter(None, [content.get("message", ""), *errors, *content.get("dialed", ())]))


def _of_completion(content: Mapping[str, Any]) -> str:
    said = [f"by {content['event_type']}" if "event_type" in content else "", content.get("status", "")]
    return " ".join(filter(None, said))


def _of_event(content: Mapping[str, Any]) -> str:
    payload = content.get("payload", {})
    telling = ("hangup_cause", "status", "result", "reason", "digit", "digits", "from", "to")
    said = [f"{name} {payload[name]}" for name in telling if name in payload]
    return ", ".join(["late", *said] if content.get("late") else said)


def _of_cancel(content: Mapping[str, Any]) -> str:
    said = [
        f"{name.replace('_', ' ')}: {', '.join(ids)}" for name, ids in content.items() if isinstance(ids, list) and ids
    ]
    return "; ".join([*said, f"group {content['group']}"] if content.get("group") else said)


def _no_detail(content: Mapping[str, Any]) -> str:
    return ""


_DETAILS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    Kind.COMMAND: _of_command,
    Kind.RESULT: _of_result,
    Kind.REPLAYED: _of_result,
    Kind.REFUSED: _of_result,
    Kind.SETTLED: _of_result,
    Kind.COMPLETION: _of_completion,
    Kind.EVENT: _of_event,
    Kind.CANCEL: _of_cancel,
    Kind.CANCELLED: _of_cancel,
}


def _written(line: Told) -> TimelineEntry:
    content = Struct()
    content.update(line.content)
    return TimelineEntry(
        time=timestamp(line.at_ms),
        kind=line.kind,
        command_id=line.command_id,
        action=line.action,
        state=line.state,
        reason=line.reason,
        source=line.source,
        attempt=line.attempt,
        detail=line.detail,
        content=content,
    )
