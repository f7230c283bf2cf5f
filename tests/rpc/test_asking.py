"""GetCommand and GetCall: how far it has come, and NOT_FOUND only when that is certain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest

from cordboard.log.port import LogError, NewRecord
from cordboard.v1 import (
    CALL_STATE_ENDED,
    CALL_STATE_RINGING,
    CALL_STATE_UNKNOWN,
    COMPLETION_STATE_COMPLETED,
    DIRECTION_INCOMING,
    PHASE_ENDED,
    PHASE_OPEN,
    PHASE_RELEASED,
    PHASE_WAITING,
    STATE_SUCCEEDED,
    ExecuteRequest,
    GetCallRequest,
    GetCommandRequest,
    SubmitRequest,
)
from dispatcher.finding import NotOwned, Restoring
from tests.rpc.door import TOPICS, Desk, desk_at, dial, error_of, make_door, speak, webhook


async def _view(desk: Desk, command_id: str, call: str = "A", **more: Any) -> Any:
    request = GetCommandRequest(command_id=command_id, call_control_id=call, **more)
    return (await desk.stub.GetCommand(request, timeout=20)).command


async def _call(desk: Desk, call: str = "A") -> Any:
    return (await desk.stub.GetCall(GetCallRequest(call_control_id=call), timeout=20)).call


async def test_a_line_is_seen_in_order(desk: Desk) -> None:
    """What is in flight, what waits and in which place; right after it was accepted."""
    desk.hands.respond = lambda work: None
    for number in range(3):
        await desk.stub.Submit(SubmitRequest(command=speak(f"c{number}", group="g", source="me")), timeout=20)
    call = await _call(desk)
    assert [view.command_id for view in call.in_flight] == ["c0"]
    assert [(view.command_id, view.position) for view in call.line] == [("c1", 1), ("c2", 2)]
    assert (call.state, call.next_sequence) == (CALL_STATE_UNKNOWN, 1)
    waiting = await _view(desk, "c2")
    assert (waiting.phase, waiting.position, waiting.group, waiting.source) == (PHASE_WAITING, 2, "g", "me")
    assert waiting.HasField("expire_time")
    released = await _view(desk, "c0")
    assert (released.phase, released.attempts) == (PHASE_RELEASED, 1)


async def test_what_is_open_and_what_has_ended(desk: Desk) -> None:
    """After the result a command is open until its event; an ended one keeps its state and its completion."""
    await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    view = await _view(desk, "c1")
    assert (view.phase, view.action, view.result.state) == (PHASE_OPEN, "speak", STATE_SUCCEEDED)
    assert [one.command_id for one in (await _call(desk)).open] == ["c1"]
    await desk.log.append([webhook("call.speak.ended", "A")])
    view = await _view(desk, "c1")
    assert (view.phase, view.completion.state) == (PHASE_ENDED, COMPLETION_STATE_COMPLETED)
    assert view.result.http_status == 200


async def test_a_call_that_came_in_and_ended(desk: Desk) -> None:
    """Events alone make a call known: its direction, its leg, its end."""
    await desk.log.append([webhook("call.initiated", "A", direction="incoming")])
    call = await _call(desk)
    assert (call.state, call.direction, call.call_leg_id) == (CALL_STATE_RINGING, DIRECTION_INCOMING, "leg-A")
    await desk.log.append([webhook("call.hangup", "A")])
    call = await _call(desk)
    assert call.state == CALL_STATE_ENDED
    assert call.HasField("end_time")


async def test_a_dial_is_found_by_its_account_and_id(desk: Desk) -> None:
    """A dial has no call to be asked by; its new leg is in the result."""
    await desk.stub.Execute(ExecuteRequest(command=dial("d1")), timeout=20)
    view = await _view(desk, "d1", call="")
    assert (view.call_control_id, view.action) == ("new-call", "dial")
    assert [leg.call_control_id for leg in view.result.dialed] == ["new-call"]
    error = await error_of(desk.stub.GetCommand(GetCommandRequest(command_id="d1", account="other"), timeout=20))
    assert error.info.reason == "COMMAND_NOT_FOUND"


async def test_not_found_has_its_facts(desk: Desk) -> None:
    """A command, a call, or another account's call that is not there."""
    await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    error = await error_of(desk.stub.GetCommand(GetCommandRequest(command_id="c9", call_control_id="A"), timeout=20))
    assert (error.code, error.info.reason) == (grpc.StatusCode.NOT_FOUND, "COMMAND_NOT_FOUND")
    assert error.info.metadata["commandId"] == "c9"
    error = await error_of(desk.stub.GetCall(GetCallRequest(call_control_id="Z"), timeout=20))
    assert (error.code, error.info.reason) == (grpc.StatusCode.NOT_FOUND, "CALL_NOT_FOUND")
    error = await error_of(desk.stub.GetCall(GetCallRequest(call_control_id="A", account="other"), timeout=20))
    assert error.info.reason == "CALL_NOT_FOUND"


class _Elsewhere:
    """A dispatcher that cannot tell."""

    def __init__(self, error: LogError) -> None:
        self._error = error

    async def find(self, key: str) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("dispatcher", "reason"),
    [
        (_Elsewhere(NotOwned("p")), "OWNER_UNREACHABLE"),
        (_Elsewhere(LogError("gone")), "OWNER_UNREACHABLE"),
        (_Elsewhere(Restoring("x")), "RESTORING"),
    ],
)
async def test_who_cannot_tell_says_so(tmp_path: Path, dispatcher: Any, reason: str) -> None:
    """Not this process's page, or not yet: UNAVAILABLE, never NOT_FOUND."""
    import grpc.aio

    from cordboard.v1 import dispatcher_service_pb2_grpc as stubs

    async with desk_at(tmp_path) as desk:
        door = make_door(desk.log, dispatcher)
        port = await door.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub: Any = stubs.DispatcherServiceStub(channel)
            error = await error_of(stub.GetCall(GetCallRequest(call_control_id="A"), timeout=20))
            assert (error.code, error.info.reason) == (grpc.StatusCode.UNAVAILABLE, reason)
            assert error.has_retry
        await door.stop(0.1)


async def test_a_question_waits_for_what_was_accepted_before_it(desk: Desk) -> None:
    """A record on the topic, from whomever, is applied before NOT_FOUND could be said."""
    for number in range(20):
        command = speak(f"c{number}", call=f"call-{number}")
        record = NewRecord(TOPICS.commands, command.call_control_id.encode(), command.SerializeToString())
        await desk.log.append([record])
        assert (await _view(desk, f"c{number}", f"call-{number}")).command_id == f"c{number}"


async def test_a_call_that_ended_says_why(desk: Desk) -> None:
    """The cause of the hangup, as the webhook gave it."""
    await desk.log.append([webhook("call.initiated", "H"), webhook("call.hangup", "H", hangup_cause="user_busy")])
    view = (await desk.stub.GetCall(GetCallRequest(call_control_id="H"), timeout=20)).call
    assert (view.state, view.hangup_cause) == (CALL_STATE_ENDED, "user_busy")
