"""From a finished world to its facts: records decoded, and the truth of the sandbox beside them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from cordboard.catalogue import action_of, completion_ms
from cordboard.cloudevents import header
from cordboard.identity import fingerprint, page_key, telnyx_command_id
from cordboard.log.port import NewRecord, Record
from cordboard.v1 import command_pb2, result_pb2
from cordboard.webhook import parse
from cordboard.work import decode_outcome, decode_work
from dispatcher.reading import CANCEL_TYPE
from dispatcher.rendering import CANCELLED_TYPE, COMPLETED_TYPE, OWN_SOURCE, RESULT_TYPES, ROUTED_HEADER
from simulation.broker import JournalBroker, Written
from simulation.clock import BEGIN_MS
from simulation.faults import BadHook, BadRoad
from simulation.habits import ACCOUNT
from simulation.history import (
    CANCEL_REPORT,
    Command,
    Completion,
    Decision,
    Delivery,
    Ended,
    Event,
    History,
    Release,
    Report,
    Result,
)
from simulation.labels import cancel_of, label_of_command, label_of_result, order_of, report_of, spot_of
from simulation.postings import HEADERS, content_of
from simulation.roles import TOPICS, WORK_TOPICS
from simulation.telnyx import Telnyx

if TYPE_CHECKING:
    from simulation.senders import Senders, Watcher
    from simulation.world import World

OWN_SOURCE_URI: Final = f"/cordboard/{OWN_SOURCE}"
KINDS: Final = {ce_type: kind for kind, ce_type in RESULT_TYPES.items()}


def history_of(world: World, senders: Senders, watcher: Watcher, ended: Ended) -> History:
    """Everything that came of it."""
    history = History(world.plan, ended)
    _read_journal(history, world.broker)
    history.requests = world.telnyx.requests
    history.deliveries = deliveries_of(world.telnyx)
    history.posted, history.forwarded = world.doors.posted, world.customer.met
    exchange = world.telnyx.station.exchange
    history.calls = {call.id: call.ended_at for call in exchange.calls.values()}
    history.beliefs, history.habits, history.questions = world.beliefs(), world.habits, world.questions.asked
    history.told = senders.told
    history.watched = frozenset(_watched(response) for response in watcher.seen)
    history.watched_since = watcher.since
    history.broken = list(world.loop.broken)
    history.troubles = sorted(trouble for process in world.processes for trouble in process.troubles)
    history.setbacks = [(one.name, *trouble) for one in world.processes for trouble in one.troubles] + world.bad_writes
    history.struck = world.struck
    _count_struck(history, world)
    history.story = world.story
    history.digest = _digest(history, world.broker)
    return history


def _count_struck(history: History, world: World) -> None:
    """Faults that wait for the so manieth of their kind struck if there were so many."""
    for fault in world.plan.faults:
        if isinstance(fault, BadRoad) and fault.nth < len(history.requests):
            history.struck[fault] += 1
        if isinstance(fault, BadHook) and fault.nth < len(history.deliveries):
            history.struck[fault] += 1


def _read_journal(history: History, broker: JournalBroker) -> None:
    readers: dict[str, Callable[[Written], None]] = {
        TOPICS.commands: lambda written: _command(history, broker, written),
        TOPICS.now: lambda written: _command(history, broker, written),
        TOPICS.control: lambda written: history.orders.append(order_of(written)),
        TOPICS.results: lambda written: _result(history, written),
        TOPICS.events: lambda written: history.events.append(_event(written)),
        TOPICS.outcomes: lambda written: history.reports.append(_report(written)),
        TOPICS.dead_letters: lambda written: history.dead_letters.append(_dead_letter(written)),
        **{topic: lambda written: history.releases.append(_release(written)) for topic in WORK_TOPICS},
    }
    for written in broker.journal:
        topic = written.record.topic
        if topic in readers:
            readers[topic](written)
        name = name_of(written.record)
        if name:
            history.spoken[name] += 1
    for decided in broker.decided:
        says = tuple(name for output in decided.outputs if (name := name_of(output)))
        history.decisions.append(Decision(decided.number, decided.partition, says, decided.at, decided.positions))


def name_of(record: Record | NewRecord) -> str:
    """What an output is known by, however often it is said; "" for what is no output."""
    if header(record.headers, "ce_type") == CANCELLED_TYPE:
        return f"{CANCEL_REPORT}|{header(record.headers, 'ce_id')}"
    if record.topic == TOPICS.commands and header(record.headers, "ce_source") == OWN_SOURCE_URI:
        return f"{record.topic}|{header(record.headers, 'ce_id')}"
    if record.topic in (TOPICS.results, TOPICS.events):
        return f"{record.topic}|{header(record.headers, 'ce_id')}"
    if record.topic in WORK_TOPICS:
        work = decode_work(record.value)
        return f"{record.topic}|{work.key}|{work.command_id}|{work.attempt}"
    return ""


def _command(history: History, broker: JournalBroker, written: Written) -> None:
    record = written.record
    if header(record.headers, "ce_type") == CANCEL_TYPE:
        history.cancels.append(cancel_of(written))
        return
    command = command_pb2.Command.FromString(record.value)
    action = action_of(command)
    key = page_key(command, ACCOUNT)
    placement = command.placement or action.placement
    client_state = f"state:{command.client_state}"
    home = _home(broker, record.topic, key)
    history.commands.append(
        Command(
            number=written.number,
            at=written.at,
            command_id=command.command_id,
            page=key,
            call=command.call_control_id,
            action=action.name,
            fingerprint=fingerprint(command, ACCOUNT),
            placement=placement,
            accept_ms=record.time_ms,
            telnyx_id=telnyx_command_id(ACCOUNT, command.command_id) if action.takes_command_id else client_state,
            expire_ms=_expiry(command, record.time_ms, action.expire_seconds),
            is_gated=command.start_after == command_pb2.START_AFTER_PREVIOUS_COMPLETED,
            requires=command.requires_command_id,
            sequence=command.sequence,
            is_home=record.partition == home or bool(header(record.headers, ROUTED_HEADER)),
            partition=record.partition,
            label=label_of_command(command),
            completion_ms=completion_ms(command),
            spot=spot_of(written),
        )
    )


def _home(broker: JournalBroker, topic: str, key: str) -> int:
    return zlib.crc32(key.encode()) % broker.counts[topic]


def _expiry(command: command_pb2.Command, accept_ms: int, default_seconds: int | None) -> int | None:
    """When it must not be sent any more, as the contract says; None for never, and where a gate decides."""
    if default_seconds is None:
        return None
    if command.HasField("expire_time"):
        return command.expire_time.ToMilliseconds()
    gated = command.start_after == command_pb2.START_AFTER_PREVIOUS_COMPLETED
    return None if gated else accept_ms + default_seconds * 1000


def _result(history: History, written: Written) -> None:
    record = written.record
    ce_type = header(record.headers, "ce_type")
    if ce_type == CANCELLED_TYPE:
        history.cancel_reports.append(report_of(written))
    elif ce_type in KINDS:
        result = result_pb2.CommandResult.FromString(record.value)
        history.results.append(
            Result(
                number=written.number,
                at=written.at,
                kind=KINDS[ce_type],
                event_id=header(record.headers, "ce_id"),
                command_id=result.command_id,
                state=result_pb2.State.Name(result.state).removeprefix("STATE_"),
                reason=result_pb2.Reason.Name(result.reason).removeprefix("REASON_"),
                accept_ms=result.accept_time.ToMilliseconds(),
                digest=_digest_of(record),
                label=label_of_result(result),
                http_status=result.http_status,
                dialed=frozenset(leg.call_control_id for leg in result.dialed),
                finish_ms=result.finish_time.ToMilliseconds(),
            )
        )
    elif ce_type == COMPLETED_TYPE:
        told = result_pb2.CommandCompletion.FromString(record.value)
        history.completions.append(
            Completion(
                number=written.number,
                at=written.at,
                command_id=told.command_id,
                action=told.action,
                state=result_pb2.CompletionState.Name(told.state).removeprefix("COMPLETION_STATE_"),
                reason=result_pb2.Reason.Name(told.reason).removeprefix("REASON_"),
                event_id=told.event_id,
                event_type=told.event_type,
                digest=_digest_of(record),
                finish_ms=told.finish_time.ToMilliseconds(),
            )
        )


def _event(written: Written) -> Event:
    record = written.record
    webhook = parse(record.value)
    command_id = header(record.headers, "ce_commandid")
    return Event(
        written.number,
        written.at,
        webhook.id,
        webhook.event_type,
        webhook.call_control_id,
        command_id,
        _digest_of(record),
        webhook.occurred_ms or record.time_ms,
        header(record.headers, "ce_subject"),
        (record.key or b"").decode(),
        content_of(record.value, *(header(record.headers, name) for name in HEADERS)),
    )


def _release(written: Written) -> Release:
    work = decode_work(written.record.value)
    return Release(
        number=written.number,
        at=written.at,
        key=work.key,
        command_id=work.command_id,
        attempt=work.attempt,
        body=work.body,
        not_after_ms=work.not_after_ms,
        expire_ms=work.expire_ms,
        released_ms=work.released_ms,
        name=name_of(written.record),
    )


def _report(written: Written) -> Report:
    outcome, time_ms = decode_outcome(written.record.value), written.record.time_ms
    verdict = outcome.verdict.value
    return Report(written.number, written.at, outcome.command_id, outcome.attempt, verdict, time_ms, outcome.key)


def _dead_letter(written: Written) -> str:
    topic, reason = (header(written.record.headers, f"dlq.errors.{name}") for name in ("topic", "reason"))
    return f"{topic}: {reason}"


def deliveries_of(telnyx: Telnyx) -> list[Delivery]:
    """Every attempt to deliver a webhook."""
    return [
        Delivery(
            at=one.time - BEGIN_MS / 1000,
            event_id=one.event_id,
            event_type=one.event_type,
            call=one.call_control_id,
            status=one.status,
            is_forged="bad signature" in (one.fault or ""),
            cause=one.cause,
        )
        for one in telnyx.station.truth.deliveries
    ]


def _watched(response: Any) -> str:
    match response.WhichOneof("item"):
        case "result":
            return f"{response.type}|{response.result.command_id}"
        case "completion":
            return f"{response.type}|{response.completion.command_id}"
        case _:
            return f"event|{response.event.event_id}"


def _digest_of(record: Record) -> bytes:
    made = hashlib.blake2b(record.value, digest_size=12)
    made.update(repr(record.headers).encode())
    return made.digest()


def _digest(history: History, broker: JournalBroker) -> str:
    """One name for everything that happened, byte for byte."""
    made = hashlib.blake2b(digest_size=16)
    for written in broker.journal:
        made.update(repr(written).encode())
    asked = (history.questions, history.requests)
    for part in (history.story, *asked, history.deliveries, history.told, history.troubles):
        made.update(repr(part).encode())
    return made.hexdigest()
