"""Whose result is it: a repeat's, a rival's, or another process's to know."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from cordboard.log.port import LogUnavailable, NewRecord
from cordboard.v1 import (
    PHASE_RELEASED,
    REASON_COMMAND_ID_REUSED,
    STATE_REJECTED,
    STATE_SUCCEEDED,
    Command,
    ExecuteRequest,
    GetCommandRequest,
    WatchRequest,
)
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from cordboard.work import Verdict
from dispatcher.finding import NotOwned
from tests.rpc.door import TOPICS, Desk, desk_at, dial, error_of, make_door, outcome_of, speak, until


async def _pending(desk: Desk, command: Command) -> None:
    """A command that came over the topic, from elsewhere, and is in a worker's hands."""
    desk.hands.respond = lambda work: None
    key = command.call_control_id or f"dial:main/{command.command_id}"
    await desk.log.append([NewRecord(TOPICS.commands, key.encode(), command.SerializeToString())])
    await until(lambda: desk.hands.works)


async def _seen(desk: Desk, waiting: int) -> None:
    """Return when so many wait here, and the owner has decided about all that was sent."""
    await until(lambda: desk.server.waiting == waiting)
    view = await desk.stub.GetCommand(GetCommandRequest(command_id="c1", call_control_id="A"), timeout=20)
    assert view.command.phase == PHASE_RELEASED


def _execute(desk: Desk, command: Command) -> Any:
    return asyncio.ensure_future(desk.stub.Execute(ExecuteRequest(command=command), timeout=30))


async def test_a_repeat_of_what_came_from_elsewhere_gets_its_result(desk: Desk) -> None:
    """Accepted at another time, by another door: the page knows that it says the same."""
    await _pending(desk, speak("c1"))
    again = _execute(desk, speak("c1"))
    await _seen(desk, 1)
    await desk.hands.report(outcome_of(desk.hands.works[0]))
    assert (await again).result.state == STATE_SUCCEEDED
    assert len(desk.hands.works) == 1


async def test_another_command_gets_its_refusal_while_the_first_is_under_way(desk: Desk) -> None:
    """It does not wait for a result that is not its own."""
    await _pending(desk, speak("c1", payload="one"))
    answer = await desk.stub.Execute(ExecuteRequest(command=speak("c1", payload="two")), timeout=20)
    assert (answer.result.state, answer.result.reason) == (STATE_REJECTED, REASON_COMMAND_ID_REUSED)


async def test_a_dials_repeat_gets_its_result(desk: Desk) -> None:
    """The result is keyed by the new call, and still finds all who wait for the dial."""
    await _pending(desk, dial("d1"))
    both = [_execute(desk, dial("d1")) for _ in range(2)]
    await until(lambda: desk.server.waiting == 2)
    await desk.hands.report(outcome_of(desk.hands.works[0]))
    assert [(await one).result.state for one in both] == [STATE_SUCCEEDED] * 2


async def test_a_dial_that_failed_is_answered(desk: Desk) -> None:
    """Without a new call the result is keyed by the dial's own page."""
    desk.hands.respond = lambda work: outcome_of(work, Verdict.REFUSED, http_status=422)
    answer = await desk.stub.Execute(ExecuteRequest(command=dial("d1")), timeout=20)
    assert (answer.result.action, answer.result.call_control_id) == ("dial", "")


async def test_a_dial_and_a_command_of_one_id_are_two(desk: Desk) -> None:
    """Only dials are looked for by account and id."""
    answers = await asyncio.gather(_execute(desk, dial("x1")), _execute(desk, speak("x1")))
    assert [answer.result.action for answer in answers] == ["dial", "speak"]


class _Elsewhere:
    async def find(self, key: str) -> None:
        raise NotOwned("another process's")


async def test_a_door_that_owns_nothing_answers_as_well(desk: Desk) -> None:
    """The owner is another process: results reach this one over the log, repeats included."""
    door = make_door(desk.log, _Elsewhere())
    port = await door.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = stubs.DispatcherServiceStub(channel)
        both = [stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20) for _ in range(2)]
        assert [(await one).result.state for one in both] == [STATE_SUCCEEDED] * 2
    await door.stop(0.1)


class _Stuttering:
    """A log whose readers fail when told, once each."""

    def __init__(self, log: Any) -> None:
        self._log = log
        self.readers: list[Any] = []
        self.failing = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    def reader(self, positions: Any) -> Any:
        reader = self._log.reader(positions)
        read = reader.read

        async def stutter(*args: Any) -> Any:
            records = await read(*args) if not self.failing else []
            if self.failing:
                self.failing = False
                raise LogUnavailable("hiccup")
            return records

        reader.read = stutter
        self.readers.append(reader)
        return reader


async def test_the_tail_comes_back(tmp_path: Path) -> None:
    """A log that cannot be read for a moment delays an answer, and loses none."""
    made: list[_Stuttering] = []

    def wrap(log: Any) -> _Stuttering:
        made.append(_Stuttering(log))
        return made[0]

    async with desk_at(tmp_path, wrap=wrap) as desk:
        assert desk.server.hears_results
        made[0].failing = True
        made[0].readers[0].interrupt()
        await until(lambda: len(made[0].readers) == 2)
        answer = await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
        assert answer.result.state == STATE_SUCCEEDED
        assert desk.server.hears_results


async def test_a_watch_of_a_log_that_fails_may_be_tried_again(tmp_path: Path) -> None:
    """UNAVAILABLE: a client goes on from its cursor."""
    made: list[_Stuttering] = []

    def wrap(log: Any) -> _Stuttering:
        made.append(_Stuttering(log))
        return made[0]

    async with desk_at(tmp_path, wrap=wrap) as desk:
        call = desk.stub.Watch(WatchRequest())
        assert (await call.read()).cursor
        made[0].failing = True
        made[0].readers[-1].interrupt()
        error = await error_of(call.read())
        assert (error.code, error.info.reason) == (grpc.StatusCode.UNAVAILABLE, "LOG_UNAVAILABLE")


async def test_bytes_that_are_no_message_disturb_nobody(desk: Desk) -> None:
    """Garbage on the wire is a bad request; the next call is served."""
    raw = desk.channel.unary_unary("/cordboard.v1.DispatcherService/Submit")
    error = await error_of(raw(b"\xff\xff\xff", timeout=20))
    assert (error.code, error.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_COMMAND")
    assert await desk.commands() == []
    answer = await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    assert answer.result.state == STATE_SUCCEEDED
