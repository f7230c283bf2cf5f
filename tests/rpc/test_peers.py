"""Any door for any call: doors that do not own a call answer for it as its owner would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
import pytest

from cordboard.log.port import NewRecord
from cordboard.v1 import (
    PHASE_ENDED,
    PHASE_OPEN,
    PHASE_RELEASED,
    REASON_CANCEL_REQUESTED,
    STATE_CANCELLED,
    STATE_SUCCEEDED,
    CancelCommandsRequest,
    ExecuteRequest,
    GetCallRequest,
    GetCommandRequest,
    SubmitRequest,
    WatchRequest,
)
from tests.rpc.door import CLOCK, TOPICS, error_of, outcome_of, speak, until
from tests.rpc.neighbours import Process, Street, street


@pytest.fixture
async def two() -> AsyncIterator[Street]:
    async with street(2) as made:
        yield made


@pytest.fixture
async def three() -> AsyncIterator[Street]:
    """The third one owns nothing: there are two partitions."""
    async with street(3) as made:
        yield made


def _execute(at: Process, command_id: str, call: str, **options: Any) -> Any:
    return asyncio.ensure_future(
        at.stub.Execute(ExecuteRequest(command=speak(command_id, call, **options)), timeout=60)
    )


async def _view(at: Process, command_id: str, call: str) -> Any:
    request = GetCommandRequest(command_id=command_id, call_control_id=call)
    return (await at.stub.GetCommand(request, timeout=20)).command


async def _known(at: Process, command_id: str, call: str) -> bool:
    try:
        return bool(await _view(at, command_id, call))
    except grpc.aio.AioRpcError:
        return False


async def _until_known(at: Process, *command_ids: str, call: str) -> None:
    """Return when commands that are on their way have been accepted."""
    async with asyncio.timeout(20):
        for command_id in command_ids:
            while not await _known(at, command_id, call):
                pass  # To ask takes a while.


async def test_every_door_answers_for_every_call(two: Street) -> None:
    """
    Execute, GetCommand and GetCall at the owner's door and at the other one.
    """
    for at in two.processes:
        for number, owner in enumerate(two.processes):
            call, command_id = owner.call(two.processes.index(at)), f"c{number}"
            assert (await _execute(at, command_id, call)).result.state == STATE_SUCCEEDED
            assert (await _view(at, command_id, call)).phase == PHASE_OPEN
            seen = (await at.stub.GetCall(GetCallRequest(call_control_id=call), timeout=20)).call
            assert [view.command_id for view in seen.open] == [command_id]
    assert [one.forwarded("found") for one in two.processes] == [2, 2]


async def test_not_found_is_said_only_after_everything_before(two: Street) -> None:
    """
    A record on the topic, from whomever, is applied before the owner answers another process.
    """
    here, there = two.processes
    for number in range(20):
        call = there.call(number)
        command = speak(f"c{number}", call)
        await here.log.append([NewRecord(TOPICS.commands, call.encode(), command.SerializeToString())])
        assert (await _view(here, f"c{number}", call)).command_id == f"c{number}"
    request = GetCallRequest(call_control_id=there.call(30))
    assert (await error_of(here.stub.GetCall(request, timeout=20))).info.reason == "CALL_NOT_FOUND"
    assert (here.forwarded("found"), here.forwarded("none")) == (20, 1)


async def test_a_cancel_reaches_the_owner_and_its_report_comes_back(two: Street) -> None:
    """
    What waits is taken back; who waits for its result, at whichever door, is told.
    """
    here, there = two.processes
    call = there.call()
    two.hands.respond = lambda work: None
    await there.stub.Submit(SubmitRequest(command=speak("c0", call)), timeout=20)
    waiting = [_execute(at, command_id, call) for at, command_id in ((here, "c1"), (there, "c2"))]
    await _until_known(here, "c1", "c2", call=call)
    request = CancelCommandsRequest(call_control_id=call, command_ids=["c0", "c1", "c2"])
    answer = await here.stub.CancelCommands(request, timeout=20)
    assert sorted(answer.report.cancelled_command_ids) == ["c1", "c2"]
    assert list(answer.report.too_late_command_ids) == ["c0"]
    for result in [(await one).result for one in waiting]:
        assert (result.state, result.reason) == (STATE_CANCELLED, REASON_CANCEL_REQUESTED)


async def test_a_watch_anywhere_sees_what_happens_everywhere(two: Street) -> None:
    """
    Results of the calls of both owners, at either door.
    """
    here, there = two.processes
    watches = [at.stub.Watch(WatchRequest()) for at in two.processes]
    for watch in watches:
        await watch.read()
    await asyncio.gather(_execute(here, "c1", there.call()), _execute(there, "c2", here.call()))
    for watch in watches:
        seen: set[str] = set()
        while seen != {"c1", "c2"}:
            response = await watch.read()
            seen |= {response.result.command_id} - {""}
        watch.cancel()


async def test_a_late_command_that_nobody_knows_is_refused_at_any_door(two: Street) -> None:
    """
    Whether it is a repeat is asked of the owner; only where that cannot be told it is taken.
    """
    here, there = two.processes
    call = there.call()
    late = speak("c1", call)
    late.expire_time.FromMilliseconds(CLOCK.now_ms() - 1_000)
    error = await error_of(here.stub.Execute(ExecuteRequest(command=late), timeout=20))
    assert error.info.reason == "INVALID_COMMAND"
    await _execute(there, "c1", call)
    answer = await here.stub.Execute(ExecuteRequest(command=late), timeout=20)
    assert answer.result.command_id == "c1"


async def test_who_waits_is_answered_by_the_owner_after_the_one_that_died(three: Street) -> None:
    """
    The owner dies with the work under way: another one takes over, and gives the result to who waits elsewhere.
    """
    one, two, door = three.processes
    call = two.call()
    three.hands.respond = lambda work: None
    waiting = _execute(door, "c1", call)
    await until(lambda: three.hands.works)
    assert (await _view(door, "c1", call)).phase == PHASE_RELEASED
    await two.die()
    await three.spread(one, door)
    await three.hands.report(outcome_of(three.hands.works[0]))
    assert (await waiting).result.state == STATE_SUCCEEDED
    assert (await _view(one, "c1", call)).result.state == STATE_SUCCEEDED
    assert (await _view(door, "c1", call)).result.state == STATE_SUCCEEDED


async def test_a_page_is_found_after_it_moved(three: Street) -> None:
    """
    What is remembered of the group is out of date: who was asked says so, and the group is asked again.
    """
    one, two, door = three.processes
    call = two.call()
    await _execute(door, "c1", call)
    assert (await _view(door, "c1", call)).phase == PHASE_OPEN
    assert (await _view(one, "c1", call)).phase == PHASE_OPEN
    await two.dispatcher.stop()  # Its door stays open.
    await three.spread(one, door)
    assert not _owns(one, call), "the third one had nothing, so the free partition is its own now"
    assert (await _view(one, "c1", call)).phase == PHASE_OPEN
    assert (one.forwarded("not_owned"), one.forwarded("found")) == (1, 2)


async def test_a_dead_owner_is_asked_once_more_where_it_is_now(three: Street) -> None:
    """
    The remembered address does not answer: by the group's word another one holds the page, and is asked.
    """
    one, two, door = three.processes
    call = two.call()
    await _execute(door, "c1", call)
    await _view(one, "c1", call)
    await two.die()
    await three.spread(one, door)
    assert _owns(door, call)
    assert (await _view(one, "c1", call)).phase == PHASE_OPEN
    assert (one.forwarded("unreachable"), one.forwarded("found")) == (1, 2)


def _owns(at: Process, call: str) -> bool:
    return at.log.partition_for(TOPICS.commands, call.encode()) in at.dispatcher.owned


async def test_an_owner_that_is_restoring_says_so_at_every_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    UNAVAILABLE with RESTORING and when to come again, never NOT_FOUND; and the answer when it is restored.
    """
    async with street(1) as made:
        here = made.processes[0]
        there = Process(made.broker)
        made.processes.append(there)
        may_claim = asyncio.Event()
        claim = there.log.claim

        async def hesitate(partition: int) -> Any:
            await may_claim.wait()
            return await claim(partition)

        monkeypatch.setattr(there.log, "claim", hesitate)
        await there.start()
        await until(lambda: there.dispatcher.owned)
        request = GetCallRequest(call_control_id=there.call())
        for at in made.processes:
            error = await error_of(at.stub.GetCall(request, timeout=20))
            assert (error.code, error.info.reason) == (grpc.StatusCode.UNAVAILABLE, "RESTORING")
            assert error.has_retry
        assert here.forwarded("restoring") == 1
        may_claim.set()
        await made.spread(here, there)
        error = await error_of(here.stub.GetCall(request, timeout=20))
        assert error.info.reason == "CALL_NOT_FOUND"


async def test_a_page_that_nobody_can_tell_is_unreachable(two: Street) -> None:
    """
    The owner's door is closed while the group still names it: UNAVAILABLE, and when to come again.
    """
    here, there = two.processes
    await there.server.stop(0)
    error = await error_of(here.stub.GetCall(GetCallRequest(call_control_id=there.call()), timeout=20))
    assert (error.code, error.info.reason) == (grpc.StatusCode.UNAVAILABLE, "OWNER_UNREACHABLE")
    assert error.has_retry
    assert here.forwarded("unreachable") == 1


async def test_nothing_is_lost_while_partitions_move(two: Street) -> None:
    """
    Dispatchers come and go, some without a word, while commands come in at the doors that stay.
    """
    waiting = []
    for number in range(8):
        guest = await two.started()
        for at in (*two.processes[:2], *([guest] if number % 2 else [])):
            waiting.append(_execute(at, f"c{len(waiting)}", f"call-{len(waiting)}"))
        if number % 2:
            await asyncio.gather(*waiting[-3:])
            await guest.stop()
            await guest.log.close()
        else:
            await guest.die()
        await two.spread(*two.processes[:2])
    assert {(await one).result.state for one in waiting} == {STATE_SUCCEEDED}
    for number in range(len(waiting)):
        for at in two.processes[:2]:
            assert (await _view(at, f"c{number}", f"call-{number}")).phase in (PHASE_OPEN, PHASE_ENDED)
