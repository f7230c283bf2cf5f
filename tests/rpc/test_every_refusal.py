"""Every error that docs/errors.md lists for the door, given by a real one over a real connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from cordboard.clock import SystemClock
from cordboard.log.port import AppendUncertain, LogError, LogUnavailable, NewRecord
from cordboard.v1 import (
    Command,
    ExecuteRequest,
    GetCallRequest,
    GetCommandRequest,
    GetDeadLetterRequest,
    ListCallsRequest,
    Reason,
    ReplayDeadLetterRequest,
    SubmitRequest,
    WatchRequest,
)
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from cordboard.v1 import operator_service_pb2_grpc as operator_stubs
from dispatcher.acceptance.refusals import DOMAIN, Refused
from dispatcher.finding import NotOwned, Restoring
from dispatcher.recorder.archive import Archive
from dispatcher.recorder.sqlite import SqliteDatabase
from dispatcher.recorder.tables import Tables
from docs.generate import errors, reasons
from tests.rpc.door import (
    SETTINGS,
    TOPICS,
    BrokenLog,
    Desk,
    Details,
    desk_at,
    error_of,
    hangup,
    make_door,
    speak,
    until,
)
from tests.rpc.identities import access, bearer, identity

Scenario = Callable[[Path], Awaitable[Details]]


async def submit(desk: Desk, command: Command) -> Details:
    return await error_of(desk.stub.Submit(SubmitRequest(command=command), timeout=20))


async def invalid_command(path: Path) -> Details:
    async with desk_at(path) as desk:
        return await submit(desk, Command(command_id="c1", call_control_id="A"))


async def unknown_account(path: Path) -> Details:
    async with desk_at(path) as desk:
        return await submit(desk, speak("c1", account="nobody"))


async def command_too_large(path: Path) -> Details:
    command = speak("c1")
    command.extra["x"] = "x" * (200 * 1024)
    async with desk_at(path) as desk:
        return await submit(desk, command)


async def overloaded(path: Path) -> Details:
    async with desk_at(path, settings=SETTINGS.model_copy(update={"concurrent_max": 1})) as desk:
        desk.hands.respond = lambda work: None
        waiting = asyncio.ensure_future(desk.stub.Execute(ExecuteRequest(command=speak("c1"))))
        await until(lambda: desk.server.waiting == 1)
        error = await submit(desk, speak("c2"))
        waiting.cancel()
        return error


async def shutting_down(path: Path) -> Details:
    async with desk_at(path) as desk:
        desk.hands.respond = lambda work: None
        waiting = asyncio.ensure_future(desk.stub.Execute(ExecuteRequest(command=speak("c1"))))
        await until(lambda: desk.server.waiting == 1)
        stopping = asyncio.create_task(desk.server.stop(30))
        await until(lambda: desk.server.stopping)
        error = await submit(desk, speak("c2"))
        waiting.cancel()
        await stopping
        return error


class _Elsewhere:
    """A dispatcher that cannot tell."""

    def __init__(self, error: LogError) -> None:
        self._error = error

    async def find(self, key: str) -> None:
        raise self._error


@asynccontextmanager
async def asked_of(path: Path, dispatcher: _Elsewhere) -> AsyncIterator[Any]:
    async with desk_at(path) as desk:
        door = make_door(desk.log, dispatcher)
        port = await door.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield stubs.DispatcherServiceStub(channel)
        await door.stop(0.1)


async def restoring(path: Path) -> Details:
    async with asked_of(path, _Elsewhere(Restoring("x"))) as stub:
        return await error_of(stub.GetCall(GetCallRequest(call_control_id="A"), timeout=20))


async def owner_unreachable(path: Path) -> Details:
    async with asked_of(path, _Elsewhere(NotOwned("p"))) as stub:
        return await error_of(stub.GetCall(GetCallRequest(call_control_id="A"), timeout=20))


async def with_log_that_fails(path: Path, failure: LogError) -> Details:
    made: list[BrokenLog] = []
    async with desk_at(path, wrap=lambda log: made.append(BrokenLog(log)) or made[0]) as desk:  # type: ignore[func-returns-value]  # append says nothing
        made[0].failure = failure
        return await submit(desk, speak("c1"))


async def log_unavailable(path: Path) -> Details:
    return await with_log_that_fails(path, LogUnavailable("the disk is full"))


async def acceptance_unknown(path: Path) -> Details:
    return await with_log_that_fails(path, AppendUncertain("no acknowledgement"))


async def command_not_found(path: Path) -> Details:
    async with desk_at(path) as desk:
        return await error_of(desk.stub.GetCommand(GetCommandRequest(command_id="c1", call_control_id="A"), timeout=20))


async def call_not_found(path: Path) -> Details:
    async with desk_at(path) as desk:
        return await error_of(desk.stub.GetCall(GetCallRequest(call_control_id="A"), timeout=20))


async def cursor_expired(path: Path) -> Details:
    oldest = 0

    class Forgetful:
        """A log that has removed its oldest results."""

        def __init__(self, log: Any) -> None:
            self._log = log

        def __getattr__(self, name: str) -> Any:
            return getattr(self._log, name)

        async def start(self, at: Any) -> int:
            return oldest if at.topic == TOPICS.results else 0

    async with desk_at(path, wrap=Forgetful) as desk:
        watch = desk.stub.Watch(WatchRequest())
        cursor = (await watch.read()).cursor
        watch.cancel()
        oldest = 1
        return await error_of(desk.stub.Watch(WatchRequest(cursor=cursor)).read())


def operator_of(desk: Desk) -> Any:
    return operator_stubs.OperatorServiceStub(desk.channel)


async def no_recorder(path: Path) -> Details:
    async with desk_at(path) as desk:
        return await error_of(operator_of(desk).ListCalls(ListCallsRequest(), timeout=20))


async def recorder_unavailable(path: Path) -> Details:
    nowhere = Tables(SqliteDatabase(path / "nowhere.sqlite3", read_only=True))
    async with desk_at(path, archive=Archive(nowhere, nowhere, str, SystemClock())) as desk:
        return await error_of(operator_of(desk).ListCalls(ListCallsRequest(), timeout=20))


async def letter_not_found(path: Path) -> Details:
    async with desk_at(path) as desk:
        return await error_of(operator_of(desk).GetDeadLetter(GetDeadLetterRequest(letter_id="7"), timeout=20))


async def not_replayable(path: Path) -> Details:
    async with desk_at(path) as desk:
        await desk.log.append([NewRecord(TOPICS.dead_letters, b"A", b"", (("dlq.errors.reason", b"gone"),))])
        return await error_of(operator_of(desk).ReplayDeadLetter(ReplayDeadLetterRequest(letter_id="0"), timeout=20))


async def as_somebody(path: Path, token: str, **of_identity: Any) -> Details:
    """The last of two speaks under this token, where one identity is known."""
    async with desk_at(path, access=access(ivr=identity("t-ivr", **of_identity))) as desk:
        await desk.stub.Submit(SubmitRequest(command=hangup("c1")), timeout=20, metadata=bearer("t-ivr"))
        for name in ("c2", "c3"):
            last = desk.stub.Submit(SubmitRequest(command=speak(name)), timeout=20, metadata=bearer(token))
            await asyncio.wait((asyncio.ensure_future(last.code()),))
        return await error_of(last)


async def unauthenticated(path: Path) -> Details:
    return await as_somebody(path, "t-nobody")


async def not_permitted(path: Path) -> Details:
    return await as_somebody(path, "t-ivr", actions=("hangup",))


async def quota_exceeded(path: Path) -> Details:
    return await as_somebody(path, "t-ivr", commands_per_second=0.01)


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__.upper(): scenario
    for scenario in (
        invalid_command,
        unknown_account,
        command_too_large,
        unauthenticated,
        not_permitted,
        overloaded,
        quota_exceeded,
        shutting_down,
        restoring,
        owner_unreachable,
        log_unavailable,
        acceptance_unknown,
        command_not_found,
        call_not_found,
        cursor_expired,
        no_recorder,
        recorder_unavailable,
        letter_not_found,
        not_replayable,
    )
}


def test_every_listed_error_has_a_scenario():
    """
    A reason that the contract gives to the door, and nothing here produces, is a hole.
    """
    assert set(SCENARIOS) == {saying.reason for saying in errors.of_door()}


@pytest.mark.parametrize("reason", SCENARIOS)
async def test_the_error_comes_as_it_is_listed(tmp_path: Path, reason: str):
    """
    With its code, our ErrorInfo, fields where fields are wrong, and when to come back where that helps.
    """
    (listed,) = (saying.place for saying in errors.of_door() if saying.reason == reason)
    error = await SCENARIOS[reason](tmp_path)

    assert (error.code.name, error.info.reason, error.info.domain) == (listed, reason, DOMAIN)
    assert bool(error.bad_request.field_violations) == (listed == "INVALID_ARGUMENT")
    assert error.has_retry == (listed in {"UNAVAILABLE", "RESOURCE_EXHAUSTED"})


def test_the_door_and_the_contract_agree_on_every_code():
    """
    Also for what is still to come: the comment in the contract names the code that the door would give.
    """
    said = [one for one in reasons.sayings() if one.place in reasons.CODES and one.place not in reasons.STATES]
    assert {one.reason: one.place for one in said} == {
        one.reason: Refused(Reason.Value(f"REASON_{one.reason}"), "").code.name for one in said
    }
