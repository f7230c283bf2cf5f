"""Orders through the door: a group cancelled in all its calls, an account paused and resumed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cordboard.v1 import (
    REASON_CANCEL_REQUESTED,
    STATE_CANCELLED,
    CancelCommandsRequest,
    GetCommandRequest,
    PauseAccountRequest,
    ResumeAccountRequest,
    SubmitRequest,
)
from dispatcher.acceptance.refusals import Refused
from dispatcher.rpc.ordering import Ordering
from tests.rpc.door import NO_DEFAULT, TOPICS, Desk, desk_at, error_of, speak


async def _submit(desk: Desk, name: str, call: str, **more: Any) -> None:
    await desk.stub.Submit(SubmitRequest(command=speak(name, call, **more)), timeout=20)


async def _result(desk: Desk, name: str, call: str) -> Any:
    """What became of a command, once something has."""
    while True:
        request = GetCommandRequest(command_id=name, call_control_id=call)
        view = (await desk.stub.GetCommand(request, timeout=20)).command
        if view.HasField("result"):
            return view.result
        await asyncio.sleep(0.01)


async def test_a_group_is_cancelled_in_all_its_calls(desk: Desk) -> None:
    """What waits, wherever it waits; what was released is too late, and other groups go on."""
    desk.hands.respond = lambda work: None
    for call in "ABCD":
        await _submit(desk, f"{call}0", call, group="spring")
        await _submit(desk, f"{call}1", call, group="spring")
        await _submit(desk, f"{call}2", call, group="autumn")
    answer = await desk.stub.CancelCommands(CancelCommandsRequest(group="spring"), timeout=20)

    assert answer.cancel_id != ""
    assert not answer.HasField("report")
    results = [await _result(desk, f"{call}1", call) for call in "ABCD"]
    assert {(one.state, one.reason) for one in results} == {(STATE_CANCELLED, REASON_CANCEL_REQUESTED)}
    for call in "ABCD":
        for name in (f"{call}0", f"{call}2"):
            request = GetCommandRequest(command_id=name, call_control_id=call)
            view = (await desk.stub.GetCommand(request, timeout=20)).command
            assert not view.HasField("result")


async def test_a_paused_account_takes_and_keeps(desk: Desk) -> None:
    """Accepted all the same, released when it is resumed, in their order."""
    answer = await desk.stub.PauseAccount(PauseAccountRequest(comment="wrong list"), timeout=20)
    assert answer.account == "main"
    assert answer.pause_time.seconds > 0
    (order,) = await desk.all_of(TOPICS.control)
    said = json.loads(order.value)
    assert said.pop("given_ms") > 0
    assert (order.key, said) == (b"pause/main", {"paused": True, "comment": "wrong list"})
    await _submit(desk, "s1", "A")
    view = (await desk.stub.GetCommand(GetCommandRequest(command_id="s1", call_control_id="A"), timeout=20)).command
    assert not view.HasField("result")

    await desk.stub.ResumeAccount(ResumeAccountRequest(account="main"), timeout=20)
    assert (await _result(desk, "s1", "A")).reason == 0


async def test_whom_an_order_means_must_be_known(tmp_path: Path) -> None:
    """An account that is not configured, or not named where there is no default, is refused; nothing is written."""
    async with desk_at(tmp_path, NO_DEFAULT) as desk:
        unknown = await error_of(desk.stub.PauseAccount(PauseAccountRequest(account="nobody"), timeout=20))
        missing = await error_of(desk.stub.ResumeAccount(ResumeAccountRequest(), timeout=20))
        long = await error_of(desk.stub.PauseAccount(PauseAccountRequest(comment="x" * 300), timeout=20))

        assert unknown.info.reason == "UNKNOWN_ACCOUNT"
        assert (missing.fields, long.fields) == (["account"], ["comment"])
        assert await desk.all_of(TOPICS.control) == []


async def test_an_order_is_not_given_for_a_caller_who_has_gone(desk: Desk) -> None:
    """A process that stood still would give it after others that came since: nothing is written."""
    intake = desk.server.acceptance.intake
    ordering = Ordering(TOPICS, intake, _at_noon)
    with pytest.raises(Refused, match="waits no longer"):
        await ordering.pause(PauseAccountRequest(), lambda: -0.5)

    assert await desk.all_of(TOPICS.control) == []


async def _at_noon(account: str) -> int:
    return 43_200_000
