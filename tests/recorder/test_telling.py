"""A call's story as the door tells it: while it lives, when it is over, and where nothing was recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cordboard.roles.recorder import recorded_topics
from cordboard.v1 import (
    PHASE_WAITING,
    TIMELINE_ORIGIN_PAGE_NO_RECORDER,
    TIMELINE_ORIGIN_PAGE_RECORDER_AWAY,
    TIMELINE_ORIGIN_RECORDER,
    CallState,
    ForgetCallRequest,
    GetCallRequest,
    GetCallResponse,
    ListCallsRequest,
    SubmitRequest,
    TimelineEntry,
    TimelineKind,
)
from cordboard.v1 import operator_service_pb2_grpc as operator_stubs
from cordboard.work import Verdict
from dispatcher.recorder.archive import Archive
from dispatcher.recorder.contents import Masking
from dispatcher.recorder.events import ignore
from dispatcher.recorder.reading import Interpreter
from dispatcher.recorder.recorder import Recorder
from dispatcher.recorder.sqlite import SqliteDatabase
from dispatcher.recorder.tables import Tables
from tests.rpc.door import (
    ACCOUNTS,
    CLOCK,
    TOPICS,
    Desk,
    desk_at,
    dial,
    error_of,
    hangup,
    outcome_of,
    speak,
    until,
    webhook,
)


@asynccontextmanager
async def recorded_desk(path: Path) -> AsyncIterator[Desk]:
    """The brain and its door, with a recorder and its tables behind it."""
    file = path / "recorded.sqlite3"
    archive = Archive(
        Tables(SqliteDatabase(file, read_only=True)), Tables(SqliteDatabase(file)), Masking().number, CLOCK
    )
    async with desk_at(path, archive=archive) as desk:
        recorder = Recorder(
            desk.log,
            Tables(SqliteDatabase(file)),
            Interpreter(TOPICS, ACCOUNTS, Masking()),
            recorded_topics(TOPICS, ["main", "other"]),
            "t.recorder",
            ignore,
        )
        await recorder.start()
        try:
            yield desk
        finally:
            await recorder.stop()
            await archive.close()


async def told(desk: Desk, call: str, *kinds: str, released: int = 0) -> GetCallResponse:
    """The story, once it has all of these, and so many releases."""
    async with asyncio.timeout(20):
        while True:
            found: GetCallResponse = await desk.stub.GetCall(GetCallRequest(call_control_id=call, timeline=True))
            told_of = [kind_of(one) for one in found.timeline]
            if set(kinds) <= set(told_of) and told_of.count("RELEASED") >= released:
                return found
            await asyncio.sleep(0.01)


def kind_of(one: TimelineEntry) -> str:
    return TimelineKind.Name(one.kind).removeprefix("TIMELINE_KIND_")


def lines(found: GetCallResponse, command_id: str) -> list[str]:
    return [f"{kind_of(one)} {one.state}".strip() for one in found.timeline if one.command_id == command_id]


def one(found: GetCallResponse, command_id: str, kind: str) -> TimelineEntry:
    return next(line for line in found.timeline if (line.command_id, kind_of(line)) == (command_id, kind))


async def submit(desk: Desk, *commands: Any) -> None:
    for command in commands:
        await desk.stub.Submit(SubmitRequest(command=command))


async def test_a_story_is_told_in_order(tmp_path: Path):
    """
    From acceptance to completion, with who sent it; the same as it happens and afterwards.
    """
    async with recorded_desk(tmp_path) as desk:
        await submit(desk, speak("c-1", source="ivr"))
        await told(desk, "A", "RESULT")
        await desk.log.append([webhook("call.speak.ended", "A"), webhook("call.hangup", "A")])
        found = await told(desk, "A", "RESULT", "COMPLETED", "ANSWERED")

        assert lines(found, "c-1")[:5] == ["ACCEPTED", "RELEASED", "SENT", "ANSWERED done", "RESULT SUCCEEDED"]
        assert "COMPLETED COMPLETED" in lines(found, "c-1")
        assert one(found, "c-1", "ACCEPTED").source == "ivr"
        assert one(found, "c-1", "ACCEPTED").content["body"]["payload"] == "hello"
        assert {line.action for line in found.timeline if line.command_id == "c-1"} == {"speak", "call.speak.ended"}
        assert found.timeline_origin == TIMELINE_ORIGIN_RECORDER


async def test_what_waits_says_for_what(tmp_path: Path):
    """
    While it waits the page says it, afterwards what happened meanwhile.
    """
    async with recorded_desk(tmp_path) as desk:
        desk.hands.respond = lambda work: None
        await submit(desk, speak("c-1"), speak("c-2"))
        await until(lambda: desk.hands.works)
        found = await told(desk, "A", "HELD")
        assert one(found, "c-2", "HELD").detail == "it waits in place 1"
        assert found.call.line[0].phase == PHASE_WAITING

        desk.hands.respond = type(desk.hands)(desk.log).respond
        await desk.hands.report(desk.hands.respond(desk.hands.works[0]))  # type: ignore[arg-type] # it does answer
        found = await told(desk, "A", "HELD", "RESULT")
        await until(lambda: len(desk.hands.works) == 2)
        found = await told(desk, "A", "HELD", released=2)
        assert one(found, "c-2", "HELD").detail.endswith("s: behind speak c-1, until its result")


async def test_a_call_that_no_page_knows_any_more_is_told(tmp_path: Path):
    """
    From the recorder; without its story being asked for, it is not known.
    """
    async with recorded_desk(tmp_path) as desk:
        await desk.log.append([webhook("call.hangup", "B", hangup_cause="user_busy", direction="incoming")])
        await told(desk, "B", "EVENT")
        finder = desk.dispatcher.find
        desk.dispatcher.find = nothing  # type: ignore[method-assign] # the page is gone
        found = await told(desk, "B", "EVENT")

        assert (found.call.state, found.call.hangup_cause) == (CallState.CALL_STATE_ENDED, "user_busy")
        error = await error_of(desk.stub.GetCall(GetCallRequest(call_control_id="B")))
        assert error.info.reason == "CALL_NOT_FOUND"
        elsewhere = GetCallRequest(call_control_id="B", timeline=True, account="other")
        assert (await error_of(desk.stub.GetCall(elsewhere))).info.reason == "CALL_NOT_FOUND"
        desk.dispatcher.find = finder  # type: ignore[method-assign] # it is back


async def test_a_dial_that_made_no_call_is_told_by_itself(tmp_path: Path):
    """
    As a search names it, while its page knows it and afterwards.
    """
    async with recorded_desk(tmp_path) as desk:
        desk.hands.respond = lambda work: outcome_of(work, Verdict.REFUSED, http_status=422)
        await submit(desk, dial("d-1"))
        found = await told(desk, "dial:main/d-1", "RESULT")
        desk.dispatcher.find = nothing  # type: ignore[method-assign] # the page is gone
        later = await told(desk, "dial:main/d-1", "RESULT")

        assert lines(found, "d-1")[-1] == lines(later, "d-1")[-1] == "RESULT FAILED"
        assert later.call.hangup_cause == "FAILED"
        error = await error_of(desk.stub.GetCall(GetCallRequest(call_control_id="leg:x", timeline=True)))
        assert error.info.reason == "INVALID_COMMAND"


async def nothing(key: str) -> None:
    """In the place of a dispatcher's memory."""


async def test_without_a_recorder_the_page_tells_what_it_knows(tmp_path: Path):
    """
    And it is said that this is all.
    """
    async with desk_at(tmp_path) as desk:
        desk.hands.respond = lambda work: None
        await submit(desk, speak("c-1"), speak("c-2"))
        await until(lambda: desk.hands.works)
        found = await told(desk, "A", "RELEASED")

        assert lines(found, "c-1") == ["ACCEPTED", "RELEASED"]
        assert lines(found, "c-2") == ["ACCEPTED", "HELD"]
        assert found.timeline_origin == TIMELINE_ORIGIN_PAGE_NO_RECORDER


async def test_where_the_tables_are_away_the_page_tells_what_it_knows(tmp_path: Path):
    """
    Nothing that is asked of a call waits for a database.
    """
    nowhere = tmp_path / "none.sqlite3"
    archive = Archive(Tables(SqliteDatabase(nowhere, read_only=True)), Tables(SqliteDatabase(nowhere)), str, CLOCK)
    async with desk_at(tmp_path, archive=archive) as desk:
        await submit(desk, speak("c-1"))
        found = await told(desk, "A", "ACCEPTED")

        assert found.timeline_origin == TIMELINE_ORIGIN_PAGE_RECORDER_AWAY
        error = await error_of(operator_of(desk).ListCalls(ListCallsRequest()))
        assert error.info.reason == "RECORDER_UNAVAILABLE"
        assert error.has_retry
    await archive.close()


def operator_of(desk: Desk) -> Any:
    return operator_stubs.OperatorServiceStub(desk.channel)


async def test_calls_are_found_page_by_page_and_forgotten(tmp_path: Path):
    """
    As operators do it.
    """
    async with recorded_desk(tmp_path) as desk:
        await submit(desk, *(speak("c-1", f"call-{number}") for number in range(5)), hangup("h-1", "call-0"))
        await told(desk, "call-4", "RESULT")
        await told(desk, "call-0", "RESULT")
        operator, found, token = operator_of(desk), list[str](), ""
        while not found or token:
            page = await operator.ListCalls(ListCallsRequest(page_size=2, page_token=token, account="main"))
            found, token = [*found, *(call.call_control_id for call in page.calls)], page.next_page_token
        assert found == [f"call-{number}" for number in reversed(range(5))]

        forgotten = await operator.ForgetCall(ForgetCallRequest(call_control_id="call-3"))
        assert forgotten.entries > 0
        story = await told(desk, "call-3", "RESULT")
        assert [line.detail for line in story.timeline if kind_of(line) == "ACCEPTED"] == ["forgotten"]
        error = await error_of(operator.ForgetCall(ForgetCallRequest(call_control_id="nobody")))
        assert error.info.reason == "CALL_NOT_FOUND"


@pytest.mark.parametrize("token", ["x", "!!", "eA=="])
async def test_a_token_that_nobody_gave_is_refused(tmp_path: Path, token: str):
    """
    The field is named.
    """
    async with recorded_desk(tmp_path) as desk:
        error = await error_of(operator_of(desk).ListCalls(ListCallsRequest(page_token=token)))

        assert error.fields == ["page_token"]


async def test_without_a_recorder_nothing_is_searched(tmp_path: Path):
    """
    It is no error that goes away.
    """
    async with desk_at(tmp_path) as desk:
        for asked in (
            operator_of(desk).ListCalls(ListCallsRequest()),
            operator_of(desk).ForgetCall(ForgetCallRequest(call_control_id="A")),
        ):
            error = await error_of(asked)
            assert (error.info.reason, error.has_retry) == ("NO_RECORDER", False)


def test_a_kind_of_line_has_a_name_for_people():
    """
    The contract's, without its prefix.
    """
    names: Sequence[str] = TimelineKind.keys()

    assert all(name.startswith("TIMELINE_KIND_") for name in names)
