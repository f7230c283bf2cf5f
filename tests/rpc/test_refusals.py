"""What the door turns away: with which code, which reason, every wrong field at once, and nothing in the log."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.log.port import AppendUncertain, LogUnavailable
from cordboard.v1 import (
    REASON_UNSPECIFIED,
    STATE_SUCCEEDED,
    WATCH_KIND_EVENTS,
    CancelCommandsRequest,
    Command,
    ExecuteRequest,
    GetCallRequest,
    GetCommandRequest,
    Reason,
    SubmitRequest,
    WatchRequest,
)
from dispatcher.acceptance.refusals import Refused
from tests.rpc.door import (
    NO_DEFAULT,
    SETTINGS,
    TOPICS,
    BrokenLog,
    Desk,
    desk_at,
    dial,
    error_of,
    hangup,
    speak,
    until,
)


def _without_action() -> Command:
    return Command(command_id="c1", call_control_id="A")


def _all_wrong() -> Command:
    command = Command(command_id="sp ace", call_control_id="dial:x", client_state="***", sequence=1)
    command.speak.payload = "x" * 4000
    command.speak.payload_type = "song"
    return command


def _past() -> Command:
    command = hangup("c1")
    command.expire_time.FromSeconds(1_000_000_000)
    return command


def _bridge_of_two() -> Command:
    command = Command(command_id="c1", call_control_id="A")
    command.bridge.queue, command.bridge.call_control_id_to_bridge_with = "q", "B"
    return command


INVALID = {
    "nothing at all": (Command(), ["action", "call_control_id", "command_id"]),
    "no action": (_without_action(), ["action"]),
    "everything wrong at once": (
        _all_wrong(),
        ["call_control_id", "client_state", "command_id", "speak.payload", "speak.payload_type", "speak.voice"],
    ),
    "an empty id": (hangup(""), ["command_id"]),
    "an overlong id": (hangup("c" * 129), ["command_id"]),
    "no call": (hangup("c1", call=""), ["call_control_id"]),
    "a dial of a call": (dial("d1", call_control_id="A"), ["call_control_id"]),
    "bad Base64": (hangup("c1", client_state="?"), ["client_state"]),
    "past its time": (_past(), ["expire_time"]),
    "an either-or broken": (_bridge_of_two(), ["bridge"]),
    "a misnamed account, and more": (hangup("", account="no body"), ["account", "command_id"]),
    "an unknown account, and more": (hangup("", account="nobody"), ["account", "command_id"]),
}


@pytest.mark.parametrize("name", INVALID)
@pytest.mark.parametrize("method", ["Submit", "Execute"])
async def test_every_wrong_field_at_once(desk: Desk, name: str, method: str) -> None:
    """An invalid command gets INVALID_ARGUMENT, one ErrorInfo, a violation for each wrong field, and no record."""
    command, fields = INVALID[name]
    request: Any = SubmitRequest(command=command) if method == "Submit" else ExecuteRequest(command=command)
    error = await error_of(getattr(desk.stub, method)(request, timeout=20))
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert (error.info.reason, error.info.domain) == ("INVALID_COMMAND", "cordboard.v1")
    assert sorted(set(error.fields)) == fields
    assert not error.has_retry
    assert await desk.commands() == []


async def test_an_unknown_account_is_named(desk: Desk) -> None:
    """An account that is not configured has a reason of its own."""
    error = await error_of(desk.stub.Submit(SubmitRequest(command=hangup("c1", account="nobody")), timeout=20))
    assert (error.code, error.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_ACCOUNT")
    assert error.fields == ["account"]


async def test_a_dial_must_name_an_account_where_there_is_no_default(tmp_path: Path) -> None:
    """A dial has no call that could tell its account."""
    async with desk_at(tmp_path, NO_DEFAULT) as desk:
        error = await error_of(desk.stub.Submit(SubmitRequest(command=dial("d1")), timeout=20))
        assert (error.info.reason, error.fields) == ("INVALID_COMMAND", ["account"])
        await desk.stub.Submit(SubmitRequest(command=dial("d1", account="other")), timeout=20)


async def test_a_command_that_is_too_large(desk: Desk) -> None:
    """More than 128 KiB is refused with the limit."""
    command = speak("c1", payload="x" * (128 * 1024))
    error = await error_of(desk.stub.Submit(SubmitRequest(command=command), timeout=20))
    assert (error.code, error.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "COMMAND_TOO_LARGE")
    assert error.info.metadata["bytesMax"] == str(128 * 1024)


async def test_a_message_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    """gRPC itself refuses what exceeds the largest message: no details, nothing in the log."""
    async with desk_at(tmp_path, settings=SETTINGS.model_copy(update={"message_bytes_max": 256 * 1024})) as desk:
        command = speak("c1", payload="x" * (300 * 1024))
        error = await error_of(desk.stub.Submit(SubmitRequest(command=command), timeout=20))
        assert error.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await desk.commands() == []


async def test_what_is_far_too_large_is_still_told_so(desk: Desk) -> None:
    """Up to the largest message a command is read, and refused with its size."""
    command = speak("c1", payload="x" * (3 * 1024 * 1024))
    error = await error_of(desk.stub.Submit(SubmitRequest(command=command), timeout=20))
    assert (error.code, error.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "COMMAND_TOO_LARGE")


@pytest.mark.parametrize("nanos", [-1, 2_000_000_000])
async def test_times_that_are_none(desk: Desk, nanos: int) -> None:
    """Protobuf carries any nanos; the door names the field, and nothing reaches the owner to choke on."""
    command = speak("c1", expire_time=Timestamp(seconds=int(time.time()) + 60))
    command.expire_time.nanos = nanos
    command.completion_timeout.nanos = 2_000_000_000
    error = await error_of(desk.stub.Submit(SubmitRequest(command=command), timeout=20))
    assert {"expire_time", "completion_timeout"} <= set(error.fields)
    assert await desk.commands() == []


async def test_watches_do_not_lock_out_commands(tmp_path: Path) -> None:
    """Each kind of call has its own share: who only looks on is not in the way of a hangup."""
    async with desk_at(tmp_path, settings=SETTINGS.model_copy(update={"concurrent_max": 2})) as desk:
        watches = [desk.stub.Watch(WatchRequest()) for _ in range(2)]
        for watch in watches:
            await watch.read()
        too_many = await error_of(desk.stub.Watch(WatchRequest()).read())
        answer = await desk.stub.Execute(ExecuteRequest(command=hangup("h")), timeout=20)
        assert (too_many.info.reason, answer.result.state) == ("OVERLOADED", STATE_SUCCEEDED)
        for watch in watches:
            watch.cancel()


async def test_waiting_for_what_the_contract_does_not_know(desk: Desk) -> None:
    """An unknown wait_for is a violation of the request."""
    error = await error_of(desk.stub.Execute(ExecuteRequest(command=speak("c1"), wait_for=9), timeout=20))
    assert (error.info.reason, error.fields) == ("INVALID_COMMAND", ["wait_for"])


async def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    """Certainly not accepted: UNAVAILABLE, LOG_UNAVAILABLE, and when to try again; nobody is left waiting."""
    async with _with_broken_log(tmp_path) as (desk, log):
        log.failure = LogUnavailable("disk full at /somewhere")
        for call in (_submit(desk), _execute(desk), _cancel(desk)):
            error = await error_of(call)
            assert (error.code, error.info.reason) == (grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")
            assert error.has_retry
        assert desk.server.waiting == 0


async def test_a_log_that_does_not_answer(tmp_path: Path) -> None:
    """Perhaps accepted: the one refusal that does not say that nothing will happen."""
    async with _with_broken_log(tmp_path) as (desk, log):
        log.failure = AppendUncertain("no acknowledgement")
        for call in (_submit(desk), _execute(desk)):
            error = await error_of(call)
            assert (error.code, error.info.reason) == (grpc.StatusCode.UNAVAILABLE, "ACCEPTANCE_UNKNOWN")
            assert error.has_retry


async def test_a_failure_of_ours_says_nothing_about_the_command(tmp_path: Path) -> None:
    """An error that nobody foresaw carries no ErrorInfo, and nothing of its text."""
    async with _with_broken_log(tmp_path) as (desk, log):
        log.failure = ZeroDivisionError("secret")  # type: ignore[assignment]  # what no log should raise
        error = await error_of(_submit(desk))
        assert (error.code, error.info.reason) == (grpc.StatusCode.INTERNAL, "")


async def test_too_many_calls_at_once(tmp_path: Path) -> None:
    """Beyond the limit: RESOURCE_EXHAUSTED, OVERLOADED, and when to try again."""
    async with desk_at(tmp_path, settings=SETTINGS.model_copy(update={"concurrent_max": 2})) as desk:
        desk.hands.respond = lambda work: None
        waiting = [
            asyncio.ensure_future(desk.stub.Execute(ExecuteRequest(command=speak(f"c{n}", str(n))))) for n in range(2)
        ]
        await until(lambda: desk.server.waiting == 2)
        error = await error_of(_submit(desk))
        assert (error.code, error.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert error.has_retry
        for call in waiting:
            call.cancel()
        await until(lambda: desk.server.waiting == 0)
        await _submit(desk)


async def test_questions_are_held_against_the_contract(desk: Desk) -> None:
    """A question without what it asks about is invalid, and names the field."""
    error = await error_of(desk.stub.GetCall(GetCallRequest(), timeout=20))
    assert (error.info.reason, error.fields) == ("INVALID_COMMAND", ["call_control_id"])
    error = await error_of(desk.stub.GetCall(GetCallRequest(call_control_id="dial:main/d1"), timeout=20))
    assert error.fields == ["call_control_id"]
    error = await error_of(desk.stub.GetCommand(GetCommandRequest(command_id="c" * 200), timeout=20))
    assert error.fields == ["command_id"]
    watch = desk.stub.Watch(WatchRequest(kinds=[WATCH_KIND_EVENTS, 9]), timeout=20)
    assert (await error_of(watch.read())).fields == ["kinds[1]"]
    error = await error_of(desk.stub.GetCall(GetCallRequest(call_control_id="A", account="nobody"), timeout=20))
    assert error.info.reason == "UNKNOWN_ACCOUNT"


async def test_what_cannot_be_read_from_the_topic_is_no_error_here(desk: Desk) -> None:
    """Poison on the topic does not disturb who comes through the door."""
    from cordboard.log.port import NewRecord

    await desk.log.append([NewRecord(TOPICS.commands, b"A", b"\xff\xff not protobuf")])
    answer = await _execute(desk)
    assert answer.result.command_id == "c1"


def test_every_refusal_has_a_code() -> None:
    """The reasons that the contract gives to gRPC errors are exactly those that this door can say."""
    from dispatcher.acceptance import refusals

    for value in refusals._CODES:
        assert Refused(value, "x").name == Reason.Name(value).removeprefix("REASON_")
    assert REASON_UNSPECIFIED not in refusals._CODES


def _submit(desk: Desk) -> Any:
    return desk.stub.Submit(SubmitRequest(command=speak("c1")), timeout=20)


def _execute(desk: Desk) -> Any:
    return desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)


def _cancel(desk: Desk) -> Any:
    return desk.stub.CancelCommands(CancelCommandsRequest(call_control_id="A"), timeout=20)


class _with_broken_log:  # noqa: N801 - reads as a function
    def __init__(self, path: Path) -> None:
        self._path = path
        self._made: list[BrokenLog] = []

    async def __aenter__(self) -> tuple[Desk, BrokenLog]:
        def wrap(log: Any) -> BrokenLog:
            self._made.append(BrokenLog(log))
            return self._made[0]

        self._desk = desk_at(self._path, wrap=wrap)
        return await self._desk.__aenter__(), self._made[0]

    async def __aexit__(self, *error: Any) -> None:
        await self._desk.__aexit__(*error)
