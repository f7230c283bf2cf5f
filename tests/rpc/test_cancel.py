"""CancelCommands: through the log, in order with the commands, and reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cordboard.v1 import (
    REASON_CANCEL_REQUESTED,
    STATE_CANCELLED,
    CancelCommandsRequest,
    CancelRequest,
    ExecuteRequest,
    GetCommandRequest,
    SubmitRequest,
)
from dispatcher.rpc import asking
from tests.rpc.door import NO_DEFAULT, TOPICS, Desk, desk_at, dial, error_of, speak


async def _cancel(desk: Desk, **what: Any) -> Any:
    return await desk.stub.CancelCommands(CancelCommandsRequest(**what), timeout=20)


async def test_what_waits_is_cancelled_and_what_was_released_is_too_late(desk: Desk) -> None:
    """The report says of each command what became of it."""
    desk.hands.respond = lambda work: None
    for number in range(3):
        await desk.stub.Submit(SubmitRequest(command=speak(f"c{number}")), timeout=20)
    answer = await _cancel(desk, call_control_id="A", command_ids=["c0", "c1", "c9"])
    assert list(answer.report.cancelled_command_ids) == ["c1"]
    assert list(answer.report.too_late_command_ids) == ["c0"]
    assert list(answer.report.unknown_command_ids) == ["c9"]
    assert answer.report.cancel_id == answer.cancel_id != ""
    view = (await desk.stub.GetCommand(GetCommandRequest(command_id="c1", call_control_id="A"), timeout=20)).command
    assert (view.result.state, view.result.reason) == (STATE_CANCELLED, REASON_CANCEL_REQUESTED)


async def test_a_group_of_a_call(desk: Desk) -> None:
    """Only commands of the group are taken back."""
    desk.hands.respond = lambda work: None
    for number, group in enumerate(["x", "x", "y"]):
        await desk.stub.Submit(SubmitRequest(command=speak(f"c{number}", group=group)), timeout=20)
    answer = await _cancel(desk, call_control_id="A", group="x")
    assert list(answer.report.cancelled_command_ids) == ["c1"]


async def test_a_dial_is_named_by_its_id_alone(desk: Desk) -> None:
    """A dial that was released is too late; one that is not known is said to be unknown."""
    await desk.stub.Execute(ExecuteRequest(command=dial("d1")), timeout=20)
    answer = await _cancel(desk, command_ids=["d1"])
    assert list(answer.report.too_late_command_ids) == ["d1"]
    answer = await _cancel(desk, command_ids=["d2"])
    assert list(answer.report.unknown_command_ids) == ["d2"]


async def test_what_cannot_be_meant_is_refused(desk: Desk) -> None:
    """Neither a call nor one dial: the violation says what is missing; nothing is written."""
    assert (await error_of(_cancel(desk))).fields == ["call_control_id"]
    assert (await error_of(_cancel(desk, command_ids=["d1", "d2"]))).fields == ["call_control_id"]
    assert (await error_of(_cancel(desk, command_ids=["d1", "d2"], group="x"))).fields == ["command_ids"]
    assert (await error_of(_cancel(desk, call_control_id="A", account="nobody"))).info.reason == "UNKNOWN_ACCOUNT"
    assert await desk.all_of(TOPICS.commands) == []


async def test_without_a_default_a_dial_needs_its_account(tmp_path: Path) -> None:
    """Whose dial, or whose group, it is must be said."""
    async with desk_at(tmp_path, NO_DEFAULT) as desk:
        assert (await error_of(_cancel(desk, group="campaign"))).fields == ["account"]
        assert (await error_of(_cancel(desk, command_ids=["d1"]))).fields == ["account"]


async def test_the_request_is_durable_also_where_nobody_decides_in_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the owner away the wait ends: accepted, no report."""
    await desk.dispatcher.stop()
    monkeypatch.setattr(asking, "patience", lambda seconds_left: 0.01)
    answer = await _cancel(desk, call_control_id="A")
    assert not answer.HasField("report")
    (record,) = await desk.all_of(TOPICS.commands)
    assert CancelRequest.FromString(record.value).cancel_id == answer.cancel_id
