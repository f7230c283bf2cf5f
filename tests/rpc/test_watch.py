"""Watch: everything that happens, once, in order, and on again from a cursor."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import msgspec
import pytest

from cordboard.log.port import NewRecord, TopicPartition
from cordboard.v1 import (
    STATE_SUCCEEDED,
    WATCH_KIND_COMPLETIONS,
    WATCH_KIND_EVENTS,
    WATCH_KIND_RESULTS,
    ExecuteRequest,
    GetCallRequest,
    WatchRequest,
)
from dispatcher.rpc.cursor import read, write
from tests.rpc.door import TOPICS, Desk, desk_at, error_of, outcome_of, speak, webhook


async def _watch(desk: Desk, **what: Any) -> tuple[Any, str]:
    """A watch that is positioned, and the cursor of where."""
    call = desk.stub.Watch(WatchRequest(**what))
    first = await _next(call)
    assert first.WhichOneof("item") is None
    return call, first.cursor


async def _next(call: Any) -> Any:
    async with asyncio.timeout(20):
        return await call.read()


async def _execute(desk: Desk, command_id: str, call: str = "A", **options: Any) -> Any:
    return await desk.stub.Execute(ExecuteRequest(command=speak(command_id, call, **options)), timeout=20)


async def test_an_inbound_call_is_seen_by_who_knew_nothing_of_it(desk: Desk) -> None:
    """call.initiated of a call that nobody named, with Telnyx's body and signature as they came."""
    call, _ = await _watch(desk)
    record = webhook("call.initiated", "X", direction="incoming")
    await desk.log.append([record])
    seen = await _next(call)
    assert (seen.type, seen.event.event_type) == ("com.telnyx.call.initiated", "call.initiated")
    assert (seen.event.call_control_id, seen.event.account) == ("X", "main")
    assert seen.event.payload == record.value
    assert dict(seen.event.headers) == {"telnyx-signature-ed25519": "sig", "telnyx-timestamp": "1"}
    assert seen.event.HasField("occur_time")
    call.cancel()


async def test_a_command_is_seen_from_its_result_to_its_completion(desk: Desk) -> None:
    """Result, event and completion each have their type, and the event names its command."""
    call, _ = await _watch(desk)
    await _execute(desk, "c1")
    await desk.log.append([webhook("call.speak.ended", "A")])
    seen = [await _next(call) for _ in range(3)]
    by_type = {response.type: response for response in seen}
    assert by_type["cordboard.command.result.v1"].result.state == STATE_SUCCEEDED
    assert by_type["cordboard.command.completed.v1"].completion.event_type == "call.speak.ended"
    assert by_type["com.telnyx.call.speak.ended"].event.command_id == "c1"
    call.cancel()


@pytest.mark.parametrize(
    ("what", "types"),
    [
        ({"kinds": [WATCH_KIND_RESULTS]}, ["cordboard.command.result.v1"] * 2),
        ({"kinds": [WATCH_KIND_COMPLETIONS]}, ["cordboard.command.completed.v1"]),
        ({"kinds": [WATCH_KIND_EVENTS]}, ["com.telnyx.call.speak.ended"]),
        ({"call_control_id": "B"}, ["cordboard.command.result.v1"]),
        ({"account": "other"}, ["cordboard.command.result.v1"]),
    ],
)
async def test_only_what_is_wanted(desk: Desk, what: dict[str, Any], types: list[str]) -> None:
    """Filters by kind, by call and by account; the cursor moves on over what they leave out."""
    call, _ = await _watch(desk, **what)
    await _execute(desk, "c1", "A")
    await desk.log.append([webhook("call.speak.ended", "A")])
    await _execute(desk, "c2", "B", account="other")
    assert [(await _next(call)).type for _ in types] == types
    call.cancel()


async def test_a_cursor_goes_on_where_it_stands_after_a_restart(tmp_path: Path) -> None:
    """Each item once: those seen before the restart, and from the last cursor on all the others."""
    seen: list[str] = []
    async with desk_at(tmp_path) as desk:
        call, cursor = await _watch(desk, kinds=[WATCH_KIND_RESULTS])
        for number in range(10):
            await _execute(desk, f"c{number}", call=f"call-{number}")
        for _ in range(4):
            response = await _next(call)
            seen.append(response.result.command_id)
            cursor = response.cursor
        call.cancel()
    async with desk_at(tmp_path) as desk:
        call, again = await _watch(desk, kinds=[WATCH_KIND_RESULTS], cursor=cursor)
        assert again == cursor
        await _execute(desk, "last")
        seen += [(await _next(call)).result.command_id for _ in range(7)]
        call.cancel()
    assert sorted(seen) == sorted([*(f"c{number}" for number in range(10)), "last"])


@pytest.mark.parametrize(
    "cursor",
    [
        "not base64!",
        base64.urlsafe_b64encode(b"\xc1").decode(),
        base64.urlsafe_b64encode(msgspec.msgpack.encode([9, [[0, 0], [0, 0]]])).decode(),
        base64.urlsafe_b64encode(msgspec.msgpack.encode([1, [[0], [0]]])).decode(),
        base64.urlsafe_b64encode(msgspec.msgpack.encode([1, [[0, -1], [0, 0]]])).decode(),
        "x" * 20_000,
    ],
)
async def test_a_cursor_that_is_none_of_ours(desk: Desk, cursor: str) -> None:
    """Malformed, of another version, or of another number of partitions: a violation."""
    error = await error_of(desk.stub.Watch(WatchRequest(cursor=cursor)).read())
    assert (error.code, error.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_COMMAND")
    assert error.fields == ["cursor"]


class _Forgetful:
    """A log that has removed its oldest records."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self.oldest = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def start(self, at: TopicPartition) -> int:
        return self.oldest if at.topic == TOPICS.results else 0


async def test_a_cursor_older_than_what_is_kept(tmp_path: Path) -> None:
    """Going on silently would lose something: CURSOR_EXPIRED says so."""
    made: list[_Forgetful] = []

    def wrap(log: Any) -> _Forgetful:
        made.append(_Forgetful(log))
        return made[0]

    async with desk_at(tmp_path, wrap=wrap) as desk:
        call, cursor = await _watch(desk)
        call.cancel()
        made[0].oldest = 1
        error = await error_of(desk.stub.Watch(WatchRequest(cursor=cursor)).read())
        assert (error.code, error.info.reason) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED")


async def test_who_reads_slowly_misses_nothing(desk: Desk) -> None:
    """A watcher that takes its time is behind in the log, not dropped."""
    call, _ = await _watch(desk, kinds=[WATCH_KIND_RESULTS])
    await asyncio.gather(*(_execute(desk, f"c{number}", call=f"call-{number}") for number in range(150)))
    seen = {(await _next(call)).result.command_id for _ in range(150)}
    assert len(seen) == 150
    call.cancel()


async def test_a_quiet_watch_hears_its_cursor(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing wanted for a while a response carries the cursor alone, so that it does not grow old."""
    from dispatcher.rpc import watch

    monkeypatch.setattr(watch, "QUIET_SECONDS_MAX", 0.05)
    call, cursor = await _watch(desk, call_control_id="nobody")
    await _execute(desk, "c1")
    response = await _next(call)
    while response.cursor == cursor:
        response = await _next(call)
    assert response.WhichOneof("item") is None
    call.cancel()


async def test_a_cursor_of_a_log_that_was_there_before(tmp_path: Path) -> None:
    """A new log where the old one stood: going on silently would wait for what never comes."""
    async with desk_at(tmp_path) as desk:
        call, cursor = await _watch(desk)
        call.cancel()
        topics = (TOPICS.results, TOPICS.events)
        ahead = {at: offset + 1 for at, offset in (await read(desk.log, topics, cursor)).items()}
        error = await error_of(desk.stub.Watch(WatchRequest(cursor=write(topics, ahead))).read())
        assert (error.code, error.info.reason) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_EXPIRED")


async def test_a_flow_of_results_does_not_starve_the_events(desk: Desk) -> None:
    """
    A watcher that is far behind hears of events in turns with results, not after all of them.
    """
    call, cursor = await _watch(desk)
    call.cancel()
    await _execute(desk, "c1")
    [told] = await desk.all_of(TOPICS.results)
    await desk.log.append([NewRecord(TOPICS.results, told.key, told.value, told.headers)] * 600)
    await desk.log.append([webhook("call.initiated", "X")])
    await desk.stub.GetCall(GetCallRequest(call_control_id="X"), timeout=20)

    call, _ = await _watch(desk, cursor=cursor)
    kinds = [(await _next(call)).WhichOneof("item") for _ in range(300)]
    assert "event" in kinds
    call.cancel()


async def test_an_answer_too_deep_to_be_shown_stops_nobody(desk: Desk) -> None:
    """Telnyx answers with what no reader of protobuf would read: the result comes without it, for Execute and Watch."""
    call, _ = await _watch(desk)
    deep = b'{"data": ' + b'{"a": ' * 40 + b"1" + b"}" * 41
    desk.hands.respond = lambda work: outcome_of(work, response=deep)
    answer = await _execute(desk, "c1")
    seen = await _next(call)
    assert (answer.result.state, seen.result.state) == (STATE_SUCCEEDED, STATE_SUCCEEDED)
    assert not answer.result.HasField("response")
    call.cancel()


async def test_a_record_that_nobody_can_read_is_stepped_over(desk: Desk) -> None:
    """It does not hold up those behind it, at first or after a resumption."""
    call, _ = await _watch(desk)
    garbage = NewRecord(
        TOPICS.results,
        b"A",
        b"\xff\xff",
        (
            ("ce_specversion", b"1.0"),
            ("ce_id", b"x"),
            ("ce_source", b"/cordboard/main"),
            ("ce_type", b"cordboard.command.result.v1"),
        ),
    )
    await desk.log.append([garbage])
    await _execute(desk, "c1")
    assert (await _next(call)).result.command_id == "c1"
    call.cancel()
