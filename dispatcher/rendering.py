"""From outputs to records: what a decision says, as the public and internal topics carry it.

Public records are CloudEvents in binary mode. Their ids are made of what they are about, so that the same decision,
said again after a crash, has the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.cloudevents import CloudEvent, from_headers, header, rfc3339, to_headers
from cordboard.letters import dead_letter
from cordboard.log.port import NewRecord, Record
from cordboard.topics import Topics
from cordboard.v1 import actions_call_pb2, command_pb2, result_pb2
from cordboard.validation import Violation
from cordboard.webhook import ALIAS_HEADER, DIAL_PREFIX, SIGNATURE_HEADER, TIMESTAMP_HEADER
from cordboard.work import encode
from dispatcher import telling
from dispatcher.accounts import Accounts
from dispatcher.core.decision import CancelAnswer, Completed, HandOn, HangUp, Output, PassOn, Release, Result, Tell
from dispatcher.core.page import Raw
from dispatcher.core.words import Completion, Reason, State

PROTOBUF_TYPE: Final = "application/protobuf"
COMMAND_TYPE: Final = "cordboard.command.v1"
OWN_SOURCE: Final = "cordboard"  # Of the commands that the dispatcher itself gives.
RESULT_TYPES: Final = {
    "result": "cordboard.command.result.v1",
    "replayed": "cordboard.command.result.replayed.v1",
    "refused": "cordboard.command.result.refused.v1",
    "settled": "cordboard.command.result.settled.v1",
}
COMPLETED_TYPE: Final = "cordboard.command.completed.v1"
CANCELLED_TYPE: Final = "cordboard.command.cancel.report.v1"
ROUTED_HEADER: Final = "cordboard-first-address"

# A protobuf reader gives up at 100 messages in one another, and a level of JSON takes three. Whoever reads results must
# be able to read this one, wherever it is put.
_DEPTH_MAX: Final = 16

_STATES: Final = {state: result_pb2.State.Value(f"STATE_{state}") for state in State}
_REASONS: Final = {
    reason: result_pb2.Reason.Value(f"REASON_{reason}" if reason is not Reason.NONE else "REASON_UNSPECIFIED")
    for reason in Reason
}
_COMPLETIONS: Final = {state: result_pb2.CompletionState.Value(f"COMPLETION_STATE_{state}") for state in Completion}


class Renderer:
    """Writes outputs as records. `violations` go into a refusal of an invalid command."""

    def __init__(self, topics: Topics, accounts: Accounts) -> None:
        self._topics = topics
        self._accounts = accounts
        self._by_type: dict[type, Callable[[Any, Record | None], NewRecord]] = {
            Result: self._result,
            Completed: self._completed,
            HandOn: self._hand_on,
            PassOn: self._pass_on,
            Release: self._release,
            Tell: self._tell,
            HangUp: self._hang_up,
            CancelAnswer: self._cancelled,
        }

    def render(self, output: Output, source: Record | None) -> NewRecord:
        """Write one output. `source` is the record that it came from, None for a timer's."""
        return self._by_type[type(output)](output, source)

    def _release(self, release: Release, _: Record | None) -> NewRecord:
        work = release.work
        if work.account not in self._accounts:
            # It was taken out of the settings while its commands waited: nobody would ever read this. The page's timer
            # judges the silence, as with any other worker that is not there.
            why = (("dlq.errors.reason", f"account {work.account} is not configured any more".encode()),)
            return NewRecord(self._topics.dead_letters, work.key.encode(), encode(work), why)
        return NewRecord(self._topics.work(work.account, work.lane), work.key.encode(), encode(work))

    def _tell(self, tell: Tell, _: Record | None) -> NewRecord:
        headers = (("ce_type", telling.TOLD_TYPE.encode()),)
        return NewRecord(self._topics.webhooks, tell.page.encode(), telling.write(tell), headers)

    def _hang_up(self, wanted: HangUp, _: Record | None) -> NewRecord:
        """A command like any sender's, on the topic that it would come by."""
        command = command_pb2.Command(
            command_id=wanted.command_id,
            call_control_id=wanted.call,
            account=wanted.account,
            source=OWN_SOURCE,
            hangup=actions_call_pb2.Hangup(),
        )
        event = CloudEvent(
            id=wanted.command_id,
            source=f"/cordboard/{OWN_SOURCE}",
            type=COMMAND_TYPE,
            content_type=PROTOBUF_TYPE,
            traceparent=wanted.traceparent,
        )
        value = command.SerializeToString(deterministic=True)
        return NewRecord(self._topics.commands, wanted.call.encode(), value, to_headers(event))

    def _result(self, result: Result, _: Record | None) -> NewRecord:
        return self.result(result, ())

    def result(self, result: Result, violations: Sequence[Violation]) -> NewRecord:
        """Write a result, with what was wrong where the command was invalid."""
        message = result_message(result, violations)
        event = CloudEvent(
            id=_event_id(result.kind, result.page, result.command_id, str(result.accept_ms), result.origin),
            source=f"/cordboard/{result.account}",
            type=RESULT_TYPES[result.kind],
            subject=result.call or result.page,
            time=rfc3339(result.finish_ms),
            content_type=PROTOBUF_TYPE,
            # A refusal may be of a command that has no id.
            extensions={"commandid": result.command_id} if result.command_id else {},
            traceparent=result.traceparent,
        )
        key = (result.call or result.page).encode()
        # The same result is the same bytes in every process: maps (in `response`) have no order of their own.
        value = message.SerializeToString(deterministic=True)
        return NewRecord(self._topics.results, key, value, to_headers(event))

    def _completed(self, completed: Completed, _: Record | None) -> NewRecord:
        message = result_pb2.CommandCompletion(
            command_id=completed.command_id,
            call_control_id=completed.call,
            account=completed.account,
            action=completed.action,
            state=_COMPLETIONS[completed.state],
            reason=_REASONS[completed.reason],
            event_id=completed.event_id,
            event_type=completed.event_type,
            status=completed.status,
            occur_time=_timestamp(completed.occur_ms),
            finish_time=_timestamp(completed.finish_ms),
        )
        event = CloudEvent(
            id=_event_id("completed", completed.page, completed.command_id),
            source=f"/cordboard/{completed.account}",
            type=COMPLETED_TYPE,
            subject=completed.call or completed.page,
            time=rfc3339(completed.finish_ms),
            content_type=PROTOBUF_TYPE,
            extensions={"commandid": completed.command_id},
            traceparent=completed.traceparent,
        )
        key = (completed.call or completed.page).encode()
        return NewRecord(self._topics.results, key, message.SerializeToString(), to_headers(event))

    def _hand_on(self, event: HandOn, source: Record | None) -> NewRecord:
        came = event.heard.raw or _raw(source)
        told = from_headers(came.headers)
        extensions = dict(told.extensions)
        if event.command_id:
            extensions["commandid"] = event.command_id
        if event.late:
            extensions["late"] = "true"
        kept = tuple((name, header(came.headers, name).encode()) for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER))
        shown = CloudEvent(
            id=told.id,
            source=told.source,
            type=told.type,
            subject=event.heard.call,
            time=told.time,
            content_type="application/json",
            extensions=extensions,
            traceparent=told.traceparent,
        )
        return NewRecord(self._topics.events, came.key, came.body, to_headers(shown, kept))

    def _pass_on(self, webhook: PassOn, _: Record | None) -> NewRecord:
        raw = webhook.raw
        headers = (*raw.headers, (ALIAS_HEADER, raw.key))
        return NewRecord(self._topics.webhooks, webhook.call.encode(), raw.body, headers)

    def _cancelled(self, answer: CancelAnswer, _: Record | None) -> NewRecord:
        message = result_pb2.CancelReport(
            cancel_id=answer.request_id,
            call_control_id="" if answer.page.startswith(DIAL_PREFIX) else answer.page,
            account=answer.account,
            cancelled_command_ids=answer.cancelled,
            too_late_command_ids=answer.too_late,
            unknown_command_ids=answer.unknown,
        )
        event = CloudEvent(
            id=_event_id("cancelled", answer.page, answer.request_id),
            source=f"/cordboard/{answer.account}",
            type=CANCELLED_TYPE,
            subject=answer.page,
            content_type=PROTOBUF_TYPE,
        )
        return NewRecord(self._topics.results, answer.page.encode(), message.SerializeToString(), to_headers(event))

    def dead_letter(self, record: Record, reason: str, detail: str = "") -> NewRecord:
        """The record as it came, with where it stood and why nothing could be made of it."""
        return dead_letter(self._topics.dead_letters, record, reason, detail)

    def rerouted(self, record: Record, key: bytes, topic: str, partition: int) -> NewRecord:
        """The record where its call is decided about, with the address that it came to."""
        address = (ROUTED_HEADER, f"{record.topic}/{record.partition}/{record.offset}".encode())
        return NewRecord(topic, key, record.value, (*record.headers, address), partition)


def _raw(source: Record | None) -> Raw:
    if source is None:
        raise ValueError("a webhook is handed on only when it is read, or was kept")
    return Raw(source.key or b"", source.value, source.headers)


def result_message(result: Result, violations: Sequence[Violation] = ()) -> result_pb2.CommandResult:
    """A result as the contract has it."""
    message = result_pb2.CommandResult(
        command_id=result.command_id,
        call_control_id=result.call,
        account=result.account,
        action=result.action,
        state=_STATES[result.state],
        reason=_REASONS[result.reason],
        message=result.message,
        replayed=result.kind == "replayed",
        http_status=result.http_status,
        attempts=result.attempts,
        accept_time=_timestamp(result.accept_ms),
        send_time=_timestamp(result.send_ms),
        finish_time=_timestamp(result.finish_ms),
        related_command_id=result.related,
        settles=result.kind == "settled",
        source=result.source,
        group=result.group,
    )
    for error in result.errors:
        message.errors.add(code=error.code, title=error.title, detail=error.detail, pointer=error.pointer)
    for leg in result.legs:
        message.dialed.add(call_control_id=leg.call, call_leg_id=leg.leg, call_session_id=leg.session)
    for violation in violations:
        message.violations.add(field=violation.field, description=violation.description, rule=violation.rule)
    if result.response and (shown := _shown(result.response)) is not None:
        message.response.CopyFrom(shown)
    return message


@lru_cache(maxsize=64)  # Nearly all answers are the same one.
def _shown(response: bytes) -> Struct | None:
    """The answer's `data`. None for what the contract has no field for: no object, or one that is too deep."""
    try:
        plain = msgspec.json.decode(response, type=dict[str, Any]).get("data")
        if not isinstance(plain, dict) or _depth(plain) > _DEPTH_MAX:
            return None
        return json_format.ParseDict(plain, Struct())
    except (msgspec.MsgspecError, json_format.ParseError, ValueError, RecursionError):
        return None


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _timestamp(time_ms: int) -> Timestamp | None:
    if not time_ms:
        return None
    return Timestamp(seconds=time_ms // 1000, nanos=time_ms % 1000 * 1_000_000)


def _event_id(*parts: str) -> str:
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
