"""From a record of the log to what is recorded of it: an entry, and what it tells of calls. Pure.

Every record becomes exactly one entry; of which nothing can be made becomes one that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cordboard import enumerations
from cordboard.catalogue import action_of
from cordboard.cloudevents import header
from cordboard.log.port import Record
from cordboard.topics import Topics
from cordboard.v1 import CancelReport, CancelRequest, CommandCompletion, CommandResult, CompletionState, Reason, State
from cordboard.webhook import Webhook, dial_key, parse
from cordboard.work import decode_outcome, decode_work
from dispatcher.accounts import Accounts
from dispatcher.reading import CANCEL_TYPE, decode_command
from dispatcher.recorder.contents import Masking, written
from dispatcher.recorder.story import Entry, Kind, Story, name_of, short
from dispatcher.rendering import CANCELLED_TYPE, COMPLETED_TYPE, RESULT_TYPES, ROUTED_HEADER

Reading = tuple[Entry, tuple[Story, ...]]
_ATTEMPT_MAX: Final = 1 << 31  # What others write may be larger than a number in a table.
_RESULTS: Final[Mapping[str, Kind]] = {said: Kind(kind) for kind, said in RESULT_TYPES.items()}


class Interpreter:
    """Reads records of every topic that is recorded."""

    def __init__(self, topics: Topics, accounts: Accounts, masking: Masking) -> None:
        self._accounts = accounts
        self._masking = masking
        self._by_topic: dict[str, Callable[[Record], Reading]] = {
            topics.commands: self._command,
            topics.now: self._command,
            topics.outcomes: self._outcome,
            topics.results: self._result,
            topics.events: self._event,
        }

    def read(self, record: Record) -> Reading:
        """What a record says; never raises for anything that can be in one: it would stop all that come behind it."""
        try:
            return self._by_topic.get(record.topic, self._release)(record)
        except Exception as error:
            content = written({"bytes": len(record.value), "why": type(error).__name__})
            entry = _entry(record, "", Kind.UNREADABLE, content=content)
            return entry, (_story(entry),)

    def _command(self, record: Record) -> Reading:
        if header(record.headers, "ce_type") == CANCEL_TYPE:
            return self._cancel(record)
        command = decode_command(record)
        command_id = command.command_id or header(record.headers, "ce_id")
        account, action = self._accounts.resolve(command.account), action_of(command).name
        is_dial = action == "dial" and bool(command_id)
        entry = _entry(
            record,
            command.call_control_id or (dial_key(account, command_id) if is_dial else ""),
            Kind.ROUTED if header(record.headers, ROUTED_HEADER) else Kind.COMMAND,
            command_id=command_id,
            account=account,
            action=action,
            sender=command.source,
            content=self._masking.command(command, action),
        )
        if not is_dial:
            return entry, (_story(entry),)
        to = command.dial.to or next(iter(command.dial.to_list), "")
        facts = {"direction": "outgoing", "from_number": self._number(command.dial.from_number)}
        return entry, (_story(entry, **facts, to_number=self._number(to)),)

    def _cancel(self, record: Record) -> Reading:
        wanted = CancelRequest.FromString(record.value)
        content = written({"command_ids": list(wanted.command_ids), "group": wanted.group})
        entry = _entry(record, "", Kind.CANCEL, account=wanted.account, sender=wanted.source, content=content)
        return entry, (_story(entry),)

    def _release(self, record: Record) -> Reading:
        work = decode_work(record.value)
        entry = _entry(
            record,
            work.key,
            Kind.RELEASE,
            command_id=work.command_id,
            account=work.account,
            action=work.action,
            attempt=work.attempt,
            content=self._masking.release(work),
        )
        return entry, (_story(entry),)

    def _outcome(self, record: Record) -> Reading:
        outcome = decode_outcome(record.value)
        entry = _entry(
            record,
            outcome.key,
            Kind.OUTCOME,
            command_id=outcome.command_id,
            state=outcome.verdict.value,
            reason=outcome.cause,
            attempt=outcome.attempt,
            content=self._masking.outcome(outcome),
        )
        return entry, (_story(entry),)

    def _result(self, record: Record) -> Reading:
        said = header(record.headers, "ce_type")
        if said == COMPLETED_TYPE:
            return self._completion(record)
        if said == CANCELLED_TYPE:
            return self._cancelled(record)
        result, kind = CommandResult.FromString(record.value), _RESULTS[said]
        state = enumerations.name_of(State.Name, result.state, "STATE_")
        entry = _entry(
            record,
            result.call_control_id or header(record.headers, "ce_subject"),
            kind,
            command_id=result.command_id,
            account=result.account,
            action=result.action,
            state=state,
            reason=_reason(result.reason),
            sender=result.source,
            content=self._masking.result(result),
        )
        if result.action != "dial" or kind in {Kind.REPLAYED, Kind.REFUSED}:
            return entry, (_story(entry),)
        return entry, _of_dial(entry, result)

    def _completion(self, record: Record) -> Reading:
        completion = CommandCompletion.FromString(record.value)
        entry = _entry(
            record,
            completion.call_control_id or header(record.headers, "ce_subject"),
            Kind.COMPLETION,
            command_id=completion.command_id,
            account=completion.account,
            action=completion.action,
            state=enumerations.name_of(CompletionState.Name, completion.state, "COMPLETION_STATE_"),
            reason=_reason(completion.reason),
            content=self._masking.completion(completion),
        )
        return entry, (_story(entry),)

    def _cancelled(self, record: Record) -> Reading:
        report = CancelReport.FromString(record.value)
        content = {
            "cancelled": list(report.cancelled_command_ids),
            "too_late": list(report.too_late_command_ids),
            "unknown": list(report.unknown_command_ids),
        }
        entry = _entry(record, "", Kind.CANCELLED, account=report.account, content=written(content))
        return entry, (_story(entry),)

    def _event(self, record: Record) -> Reading:
        webhook, headers = parse(record.value), record.headers
        entry = _entry(
            record,
            header(headers, "ce_subject") or webhook.call_control_id,
            Kind.EVENT,
            command_id=header(headers, "ce_commandid"),
            account=header(headers, "ce_source").removeprefix("/telnyx/"),
            action=webhook.event_type,
            content=self._masking.event(webhook, late=bool(header(headers, "ce_late"))),
        )
        return entry, (_story(entry, **self._heard(webhook, record.time_ms)),)

    def _heard(self, webhook: Webhook, taken_ms: int) -> dict[str, Any]:
        at_ms, kind = webhook.occurred_ms or taken_ms, webhook.event_type
        return {
            "direction": short(webhook.direction),
            "from_number": self._number(webhook.from_number),
            "to_number": self._number(webhook.to_number),
            "leg": name_of(webhook.call_leg_id),
            "session": name_of(webhook.call_session_id),
            "outcome": short(webhook.hangup_cause or "hangup") if kind == "call.hangup" else "",
            "heard_ms": taken_ms,
            "answered_ms": at_ms if kind == "call.answered" else 0,
            "ended_ms": at_ms if kind == "call.hangup" else 0,
        }

    def _number(self, text: str) -> str:
        return name_of(self._masking.number(text))


def _of_dial(entry: Entry, result: CommandResult) -> tuple[Story, ...]:
    """What a dial came to: its calls, each a story of its own that goes on; or how it ended, if it made none."""
    dial = name_of(dial_key(result.account, result.command_id))
    calls = [name_of(leg.call_control_id) for leg in result.dialed if leg.call_control_id]
    if not calls:
        return (_story(entry, outcome=entry.state, ended_ms=entry.time_ms),)
    itself = _story(entry, call=dial, led_to=calls[0])
    return (itself, *(_story(entry, call=call, direction="outgoing", dial=dial) for call in calls))


def _reason(reason: Reason.ValueType) -> str:
    name = enumerations.name_of(Reason.Name, reason, "REASON_")
    return "" if name == "UNSPECIFIED" else name


def _entry(record: Record, call: str, kind: Kind, *, attempt: int = 0, content: str, **told: str) -> Entry:
    """The outline. Every record is of some story: what names no call is found by its key, or by where it stood."""
    key = record.key.decode(errors="replace") if record.key else ""
    return Entry(
        topic=record.topic,
        part=record.partition,
        place=record.offset,
        call=name_of(call or key or f"record:{record.topic}/{record.partition}/{record.offset}"),
        time_ms=record.time_ms,
        kind=kind.value,
        attempt=min(attempt, _ATTEMPT_MAX),
        content=content,
        **{name: short(value) for name, value in told.items()},
    )


def _story(entry: Entry, *, call: str = "", **facts: Any) -> Story:
    """What an entry tells of its call, or of another that is named."""
    return Story(call=call or entry.call, account=entry.account, first_ms=entry.time_ms, last_ms=entry.time_ms, **facts)
