"""Calls that fall silent, and dials that ring too late: through the real workers, against the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cordboard.v1 import CALL_STATE_ACTIVE, CALL_STATE_ENDED, REASON_TELNYX_ERROR, STATE_SUCCEEDED, STATE_UNKNOWN
from tests.promises.stage import ACCOUNT, Stage, command, dial, until

SILENCE_SECONDS = 4 * 3600
LOST_END = {"on": "webhook", "match": {"event_type": "call.hangup"}, "drop": True}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage(tmp_path, late_dial="hang_up") as stage:
        yield stage


def learned(stage: Stage, answer: str) -> float:
    """How many questions about a silence came to this."""
    return stage.registry.get_sample_value("cordboard_calls_asked_total", {"why": "silence", "answer": answer}) or 0


async def state_of(stage: Stage, call: str) -> Any:
    return (await stage.client.get_call(call)).state


async def test_a_call_whose_end_nobody_told_is_found_out(stage: Stage):
    """
    Its hangup webhook was lost; Telnyx knows when it is asked, and what comes then is told so.
    """
    stage.faults(LOST_END)
    call = await stage.call()
    stage.far_end(call)
    await stage.skip(SILENCE_SECONDS)
    assert await until(lambda: learned(stage, "ended"))
    await stage.submit(command("s", call))

    assert await stage.ended("s") == []
    assert stage.otherwise(s="REJECTED call_ended") == []
    assert await state_of(stage, call) == CALL_STATE_ENDED


async def test_a_call_that_lives_goes_on(stage: Stage):
    """
    It is asked for once, and again when it was silent for as long again.
    """
    call = await stage.call()
    for asked in (1, 2):
        await stage.skip(SILENCE_SECONDS)
        assert await until(lambda asked=asked: learned(stage, "alive") == asked)
        assert await state_of(stage, call) == CALL_STATE_ACTIVE


async def test_a_question_without_an_answer_settles_nothing(stage: Stage):
    """
    Telnyx answers 503 to the end; in an hour it is asked again.
    """
    call = await stage.call()
    stage.faults({"match": {"action": "retrieve"}, "status": 503})
    await stage.skip(SILENCE_SECONDS)
    assert await until(lambda: learned(stage, "unclear") == 1)
    assert await state_of(stage, call) == CALL_STATE_ACTIVE
    stage.faults()
    await stage.skip(3600)
    assert await until(lambda: learned(stage, "alive") == 1)


async def test_a_dial_that_rings_too_late_is_hung_up(stage: Stage):
    """
    Its sender was told UNKNOWN; its own webhook settles it, and a hangup of ours ends the call, once.
    """
    stage.faults({"match": {"action": "dial"}, "status": 500, "happens": True, "times": 1})
    await stage.submit(dial("d"))
    assert await until(lambda: [one for one in stage.effects() if one.action == "hangup" and one.happened])
    (leg,) = [one.call_control_id for one in stage.effects() if one.happened and one.action == "dial"]
    await stage.all_told()

    view = await stage.client.get_command("d", account=ACCOUNT)
    assert (view.result.state, view.result.reason) == (STATE_UNKNOWN, REASON_TELNYX_ERROR)
    assert (view.settlement.state, view.settlement.settles) == (STATE_SUCCEEDED, True)
    assert [one.action for one in stage.effects() if one.call_control_id == leg] == ["dial", "hangup"]
