"""Execute: the answer is what became of this command, and the wait has no power over it."""

from __future__ import annotations

import asyncio
import time

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.v1 import (
    COMPLETION_STATE_COMPLETED,
    REASON_ALREADY_ENDED,
    REASON_COMMAND_ID_REUSED,
    REASON_TELNYX_REFUSED,
    STATE_FAILED,
    STATE_REJECTED,
    STATE_SUCCEEDED,
    WAIT_FOR_COMPLETION,
    ExecuteRequest,
    SubmitRequest,
)
from cordboard.work import Verdict
from dispatcher.acceptance import execute
from tests.rpc.door import Desk, dial, error_of, hangup, outcome_of, speak, until


async def test_the_result_is_the_answer(desk: Desk) -> None:
    """A command that a worker did is SUCCEEDED, with all that the result holds."""
    answer = await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    assert answer.result.state == STATE_SUCCEEDED
    assert (answer.result.command_id, answer.result.call_control_id, answer.result.account) == ("c1", "A", "main")
    assert not answer.HasField("completion")


async def test_a_refusal_by_telnyx_is_a_result(desk: Desk) -> None:
    """What Telnyx says no to is a result, not an error of gRPC."""
    desk.hands.respond = lambda work: outcome_of(work, Verdict.REFUSED, http_status=422)
    answer = await desk.stub.Execute(ExecuteRequest(command=speak("c1"), wait_for=WAIT_FOR_COMPLETION), timeout=20)
    assert (answer.result.state, answer.result.reason) == (STATE_FAILED, REASON_TELNYX_REFUSED)


async def test_a_dial_is_answered_with_its_new_call(desk: Desk) -> None:
    """The result of a dial is keyed by a call that nobody knew, and still finds who waits."""
    answer = await desk.stub.Execute(ExecuteRequest(command=dial("d1")), timeout=20)
    assert [leg.call_control_id for leg in answer.result.dialed] == ["new-call"]


async def test_the_same_command_again_is_answered_with_the_first_result(desk: Desk) -> None:
    """A repeat is answered from memory, and says so; Telnyx is not asked twice."""
    await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    again = await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    assert (again.result.state, again.result.replayed) == (STATE_SUCCEEDED, True)
    assert len(desk.hands.works) == 1


async def test_two_at_once_under_one_id_both_get_the_answer(desk: Desk) -> None:
    """Who sends the same command while the first is under way gets the same result."""
    answers = await asyncio.gather(
        *(desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20) for _ in range(8))
    )
    assert {answer.result.state for answer in answers} == {STATE_SUCCEEDED}
    assert len(desk.hands.works) == 1


async def test_another_command_under_the_id_gets_its_refusal_and_not_the_others_result(desk: Desk) -> None:
    """Two different commands under one id at once: exactly one is done, the other is told that the id was used."""
    both = (speak("c1", payload="one"), speak("c1", payload="two"))
    answers = await asyncio.gather(*(desk.stub.Execute(ExecuteRequest(command=one), timeout=20) for one in both))
    states = sorted((answer.result.state, answer.result.reason) for answer in answers)
    assert states == [(STATE_SUCCEEDED, 0), (STATE_REJECTED, REASON_COMMAND_ID_REUSED)]


async def test_a_reused_id_says_when_the_first_came(desk: Desk) -> None:
    """The refusal of a reused id names the time of the command that has it."""
    first = await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    answer = await desk.stub.Execute(ExecuteRequest(command=speak("c1", payload="else")), timeout=20)
    assert answer.result.reason == REASON_COMMAND_ID_REUSED
    assert first.result.accept_time.ToJsonString()[:19] in answer.result.message


async def test_one_id_in_two_calls_is_two_commands(desk: Desk) -> None:
    """A command id is one command's only within its call."""
    answers = await asyncio.gather(
        *(desk.stub.Execute(ExecuteRequest(command=speak("c1", call)), timeout=20) for call in "AB")
    )
    assert [answer.result.call_control_id for answer in answers] == ["A", "B"]


async def test_completion_is_waited_for(desk: Desk) -> None:
    """WAIT_FOR_COMPLETION answers when what the command started is in effect."""
    command = speak("c1")
    command.send_dtmf.digits = "1"  # In effect at the 2xx.
    answer = await desk.stub.Execute(ExecuteRequest(command=command, wait_for=WAIT_FOR_COMPLETION), timeout=20)
    assert answer.completion.state == COMPLETION_STATE_COMPLETED


async def test_a_completion_said_before_is_known_to_a_repeat(desk: Desk) -> None:
    """Who asks again after the completion gets it from memory."""
    command = speak("c1")
    command.send_dtmf.digits = "1"
    await desk.stub.Execute(ExecuteRequest(command=command, wait_for=WAIT_FOR_COMPLETION), timeout=20)
    again = await desk.stub.Execute(ExecuteRequest(command=command, wait_for=WAIT_FOR_COMPLETION), timeout=20)
    assert again.result.replayed
    assert again.completion.state == COMPLETION_STATE_COMPLETED


async def test_a_hangup_of_an_ended_call_has_no_completion_to_wait_for(desk: Desk) -> None:
    """ALREADY_ENDED answers at once: no event will follow."""
    desk.hands.respond = lambda work: outcome_of(work, Verdict.REFUSED, http_status=404)
    await end_call(desk)
    answer = await desk.stub.Execute(ExecuteRequest(command=hangup("h1"), wait_for=WAIT_FOR_COMPLETION), timeout=20)
    assert (answer.result.state, answer.result.reason) == (STATE_SUCCEEDED, REASON_ALREADY_ENDED)
    assert not answer.HasField("completion")


async def end_call(desk: Desk) -> None:
    from cordboard.work import TelnyxError

    errors = (TelnyxError(code="90018"),)
    desk.hands.respond = lambda work: outcome_of(work, Verdict.REFUSED, http_status=422, errors=errors)
    await desk.stub.Execute(ExecuteRequest(command=speak("last")), timeout=20)


async def test_a_deadline_bounds_only_the_wait(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the wait is over the answer is that it is still open; the command goes on and is done."""
    desk.hands.respond = lambda work: None
    monkeypatch.setattr(execute, "patience", lambda seconds_left: 0.01)
    answer = await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    assert not answer.HasField("result")
    monkeypatch.undo()
    await until(lambda: desk.hands.works)
    await desk.hands.report(outcome_of(desk.hands.works[0]))
    again = await desk.stub.Execute(ExecuteRequest(command=speak("c1")), timeout=20)
    assert again.result.state == STATE_SUCCEEDED


def test_the_wait_ends_a_little_before_the_callers_deadline() -> None:
    """Early enough for the answer to arrive, and at some time for who names no deadline."""
    assert execute.patience(None) == execute.WAIT_SECONDS_MAX
    assert execute.patience(10.0) == 9.75
    assert execute.patience(0.1) == pytest.approx(0.08)
    assert execute.patience(-1.0) == 0


async def test_who_hangs_up_leaves_nothing_behind(desk: Desk) -> None:
    """A caller that cancels is forgotten, and its command goes on."""
    desk.hands.respond = lambda work: None
    calls = [desk.stub.Execute(ExecuteRequest(command=speak(f"c{n}", call=str(n)))) for n in range(10)]
    await until(lambda: len(desk.hands.works) == 10)
    assert desk.server.waiting == 10
    for call in calls:
        call.cancel()
    await until(lambda: desk.server.waiting == 0)
    await desk.hands.report(outcome_of(desk.hands.works[0]))


@pytest.mark.parametrize("name", ["Submit", "Execute"])
async def test_what_is_accepted_is_in_the_log(desk: Desk, name: str) -> None:
    """Once the answer is there, so is the record."""
    request = SubmitRequest if name == "Submit" else ExecuteRequest
    await getattr(desk.stub, name)(request(command=speak("c1")), timeout=20)
    assert await desk.commands() == ["c1"]


async def test_who_asks_again_too_late_hears_what_the_first_one_came_to(desk: Desk) -> None:
    """
    After its expire_time a repeat is still a repeat: a refusal would say that nothing will happen. New, it is refused.
    """
    command = speak("again", expire_time=Timestamp(seconds=int(time.time()) + 3))
    first = await desk.stub.Execute(ExecuteRequest(command=command), timeout=20)
    await until(lambda: time.time() > command.expire_time.seconds)
    again = await desk.stub.Execute(ExecuteRequest(command=command), timeout=20)
    assert (again.result.state, again.result.replayed) == (first.result.state, True)

    late = speak("late", expire_time=command.expire_time)
    error = await error_of(desk.stub.Execute(ExecuteRequest(command=late), timeout=20))
    assert error.fields == ["expire_time"]
