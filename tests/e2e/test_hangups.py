"""Hangups and what they race with, through the whole of Cordboard, also where it is killed meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.v1 import PLACEMENT_NOW, CompletionState
from tests.e2e.mortal import Mortal
from tests.promises.stage import Stage, command
from tests.promises.test_8_hangup_gets_through import still_up


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything running in this process, where requests can be held at Telnyx's door."""
    async with Stage(tmp_path) as stage:
        yield stage


def completions(stage: Stage, *command_ids: str) -> list[str]:
    """How they were completed, each once."""
    states = {one: [CompletionState.Name(told.state) for told in told_of(stage, one)] for one in command_ids}
    return [" and ".join(states[one]).replace("COMPLETION_STATE_", "") for one in command_ids]


def told_of(stage: Stage, command_id: str) -> list:
    """What was told of a completion."""
    return [one for one in stage.heard.completions if one.command_id == command_id]


async def test_the_last_one_in_line_waits_for_its_turn(stage: Stage) -> None:
    """
    A hangup without a placement is sent when what was accepted before it has been, and ends the call then.
    """
    call = await stage.call()
    stage.door.hold("first")
    await stage.submit(command("first", call), command("second", call), command("ends", call, "hangup"))
    await stage.until(lambda: stage.door.inside("first"))
    stage.door.let_go()

    assert await stage.ended("first", "second", "ends") == []
    assert [visit.command_id for visit in stage.door.visits] == ["first", "second", "ends"]
    assert await stage.until(lambda: told_of(stage, "ends"))
    assert still_up(stage, call) == []
    assert completions(stage, "ends") == ["COMPLETED"]


async def test_two_hangups_both_get_what_they_want(stage: Stage) -> None:
    """
    The second one finds the call ended, which is what it was for: both have succeeded, and are complete by one event.
    """
    call = await stage.call()
    stage.door.hold("ends")
    await stage.submit(command("ends", call, "hangup", placement=PLACEMENT_NOW))
    await stage.until(lambda: stage.door.inside("ends"))
    await stage.submit(command("ends_too", call, "hangup", placement=PLACEMENT_NOW))
    assert await stage.ended("ends_too") == []
    stage.door.let_go()

    assert await stage.ended("ends") == []
    assert {one.state for one in stage.heard.of("ends") + stage.heard.of("ends_too")} == {"SUCCEEDED"}
    assert await stage.until(lambda: told_of(stage, "ends") and told_of(stage, "ends_too"))
    assert completions(stage, "ends", "ends_too") == ["COMPLETED", "COMPLETED"]


async def test_a_call_that_ends_by_itself_meanwhile_is_ended(stage: Stage) -> None:
    """
    The caller hangs up while our hangup is on its way: Telnyx says 90018, which is success.
    """
    call = await stage.call()
    stage.door.hold("ends")
    await stage.submit(command("ends", call, "hangup"), command("waits", call))
    await stage.until(lambda: stage.door.inside("ends"))
    stage.far_end(call)
    assert await stage.ended("waits") == []  # At once, though the hangup is still inside.
    stage.door.let_go()

    assert await stage.ended("ends") == []
    assert stage.effects("ends")[-1].refused == "90018"
    assert stage.otherwise(ends="SUCCEEDED already_ended", waits="CANCELLED call_ended") == []


async def test_a_hangup_in_flight_outlasts_a_death(tmp_path: Path) -> None:
    """
    NOW passes a command that Telnyx is slow to answer; killed with both in flight, Cordboard ends each of them once.
    """
    async with Mortal(tmp_path, speed=1.0) as stage:
        call = await stage.call()
        stage.faults({"answer_latency_ms": 1_500, "times": 2})
        await stage.submit(command("speaks", call), command("waits", call))
        assert await stage.until(lambda: stage.effects("speak"))
        await stage.submit(command("ends", call, "hangup", placement=PLACEMENT_NOW))
        assert await stage.until(lambda: stage.effects("hangup"))
        await stage.die()

        ends, waits = await stage.states("ends", "waits")
        assert ends.split()[0] == "SUCCEEDED"
        assert waits == "CANCELLED superseded"
        assert len(await stage.states("speaks")) == 1
        assert stage.is_over(call)
        assert len([one for one in stage.effects("hangup") if one.happened]) == 1


async def test_telnyx_being_away_and_a_death_do_not_save_a_call(tmp_path: Path) -> None:
    """
    The hangup meets server errors, Cordboard is killed, Telnyx comes back: the call ends, and its hangup is told once.
    """
    async with Mortal(tmp_path, speed=1.0) as stage:
        call = await stage.call()
        stage.faults({"match": {"action": "hangup"}, "status": 503})
        await stage.submit(command("ends", call, "hangup"))
        assert await stage.until(lambda: len(stage.effects("hangup")) >= 2)
        await stage.die()
        stage.faults()

        assert await stage.states("ends") == ["SUCCEEDED"]
        assert stage.is_over(call)
