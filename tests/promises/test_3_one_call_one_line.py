"""Promise 3. One call, one line.

Commands of one call reach Telnyx in the order they were accepted, one at a time; calls proceed side by side, and no
call waits for another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest

from cordboard.roles import hands
from cordboard.settings import Account, Worker
from cordboard.v1 import PLACEMENT_NEXT
from cordboard.work import Lane
from dispatcher.core import line
from tests.promises.stage import Stage, Without, command
from workers.settings import PoolSettings

TROUBLE = (
    {"match": {"action": "speak"}, "cut": "after", "probability": 0.2, "seed": 1},
    {"match": {"action": "speak"}, "status": 503, "probability": 0.2, "seed": 2},
    {"match": {"action": "speak"}, "answer_latency_ms": 30, "probability": 0.7, "seed": 3},
)


def out_of_line(stage: Stage, lines: Mapping[str, Sequence[str]]) -> list[str]:
    """Neighbours in a line of which the later one came before the earlier one, repeats included, had left."""
    found = []
    for line_ids in lines.values():
        for before, after in pairwise(line_ids):
            earlier, later = stage.door.of(before), stage.door.of(after)
            if not earlier or not later:
                found.append(f"never came: {before} or {after}")
            elif any(visit.left is None or visit.left > later[0].came for visit in earlier):
                found.append(f"out of line: {after} came while {before} was there, or before it")
    return found


async def in_trouble(stage: Stage) -> list[str]:
    """Three calls have eight commands each, all at once; answers are slow, are lost, or are server errors."""
    calls = [await stage.call() for _ in range(3)]
    stage.faults(*TROUBLE)
    lines = {call: [f"{name}-{number}" for number in range(8)] for name, call in zip("abc", calls, strict=True)}
    for number in range(8):
        await stage.submit(*(command(ids[number], call) for call, ids in lines.items()))
    found = await stage.ended(*(one for ids in lines.values() for one in ids))
    return [*found, *out_of_line(stage, lines)]


async def over_a_restart(stage: Stage) -> list[str]:
    """Cordboard is stopped while the first of a line is in flight, and started when the others have waited for long."""
    call = await stage.call()
    ids = [f"c{number}" for number in range(5)]
    stage.door.hold("c0")
    await stage.submit(*(command(one, call) for one in ids))
    await stage.until(lambda: stage.door.inside("c0"))
    await stage.close()
    stage.door.let_go()
    await stage.skip(16)
    await stage.open()
    found = await stage.ended(*ids)
    return [*found, *out_of_line(stage, {call: ids})]


async def by_placement(stage: Stage) -> list[str]:
    """Who is placed NEXT goes before those who wait, and yet waits for the one in flight."""
    call = await stage.call()
    stage.door.hold("flies")
    await stage.submit(command("flies", call), command("waits", call))
    await stage.until(lambda: stage.door.inside("flies"))
    await stage.submit(command("next", call, placement=PLACEMENT_NEXT))
    await stage.fence()
    stage.door.let_go()
    found = await stage.ended("flies", "waits", "next")
    return [*found, *out_of_line(stage, {call: ["flies", "next", "waits"]})]


async def side_by_side(stage: Stage) -> list[str]:
    """A request of one call gets no answer; another call has five commands."""
    slow, quick = await stage.call(), await stage.call()
    stage.door.hold("slow")
    await stage.submit(command("slow", slow))
    await stage.until(lambda: stage.door.inside("slow"))
    ids = [f"q{number}" for number in range(5)]
    await stage.submit(*(command(one, quick) for one in ids))
    await stage.ended(*ids)
    found = [f"waits for another call: {one}" for one in ids if not stage.heard.of(one)]
    stage.door.let_go()
    return [*found, *await stage.ended("slow", *ids), *out_of_line(stage, {quick: ids})]


async def test_commands_go_in_order_and_one_at_a_time(stage: Stage) -> None:
    """
    Whatever is slow, lost or repeated: the next command of a call comes when the one before it has left for good.
    """
    assert await in_trouble(stage) == []


async def test_the_order_outlasts_a_restart(stage: Stage) -> None:
    """
    What waited in line when the process stopped goes on in the same order afterwards.
    """
    assert await over_a_restart(stage) == []


async def test_a_place_in_the_line_is_no_way_past_what_is_in_flight(stage: Stage) -> None:
    """
    Placement changes who is next, not that there is one at a time.
    """
    assert await by_placement(stage) == []


async def test_no_call_waits_for_another(stage: Stage) -> None:
    """
    While Telnyx is silent about one call, the commands of another one go through.
    """
    assert await side_by_side(stage) == []


def waiting_for_ones_turn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(line, "_is_held_up", lambda turn: False)


def room_for_many_calls(patch: pytest.MonkeyPatch) -> None:
    def narrow(name: str, account: Account, chosen: Worker) -> PoolSettings:
        return PoolSettings(name=name, concurrency=dict.fromkeys(Lane, 1))

    patch.setattr(hands, "pool_settings", narrow)


@pytest.mark.parametrize(
    "without",
    [
        Without(waiting_for_ones_turn, in_trouble, "out of line"),
        Without(waiting_for_ones_turn, over_a_restart, "out of line"),
        Without(waiting_for_ones_turn, by_placement, "out of line"),
        Without(room_for_many_calls, side_by_side, "waits for another call"),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))
