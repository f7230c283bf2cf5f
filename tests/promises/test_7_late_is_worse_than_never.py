"""Promise 7. Late is worse than never.

A command past its `expire_time` is not sent.
"""

from __future__ import annotations

from typing import Any

import pytest

from cordboard.v1 import Command
from cordboard.work import Work
from dispatcher.core import admission, line
from tests.promises.stage import Stage, Without, command

MINUTE = 60


def expiring(stage: Stage, command_id: str, call: str, seconds: float) -> Command:
    """A command that is worth sending for so long."""
    return command(command_id, call, expire_ms=stage.clock.now_ms() + round(seconds * 1000))


def sent_late(stage: Stage, *commands: Command) -> list[str]:
    """Requests that came to Telnyx when nobody wanted them any more."""
    times = {one.command_id: one.expire_time.ToMilliseconds() for one in commands}
    return [f"sent late: {one.command_id}" for one in stage.door.of(*times) if one.at_ms > times[one.command_id]]


async def in_the_line(stage: Stage) -> list[str]:
    """The time passes while the command before it is in flight."""
    call = await stage.call()
    head, late = expiring(stage, "head", call, 10 * MINUTE), expiring(stage, "late", call, 5)
    stage.door.hold("head")
    await stage.submit(head, late)
    await stage.until(lambda: stage.door.inside("head"))
    await stage.skip(8)
    stage.door.let_go()
    await stage.ended("head", "late")
    return [*sent_late(stage, head, late), *stage.otherwise(head="SUCCEEDED", late="EXPIRED in_line")]


async def in_the_lane(stage: Stage) -> list[str]:
    """The time passes while Telnyx's rate limit keeps the whole lane waiting."""
    call, other = await stage.call(), await stage.call()
    stage.faults({"match": {"action": "speak"}, "rate_limit": {"reset": 20}, "times": 1})
    await stage.submit(command("limited", other))
    await stage.ended("limited")
    late = expiring(stage, "late", call, 5)
    await stage.submit(late)
    await stage.skip(8)
    await stage.ended("late")
    await stage.skip(15)
    found = await stage.ended("late")
    states = {one.state for one in stage.heard.of("late")}
    return [*sent_late(stage, late), *found, *(f"told otherwise: late {one}" for one in states - {"EXPIRED"})]


async def while_nobody_was_there(stage: Stage) -> list[str]:
    """Cordboard is stopped while the command waits, and started when its time has passed."""
    call = await stage.call()
    head, late = expiring(stage, "head", call, 10 * MINUTE), expiring(stage, "late", call, 5)
    stage.door.hold("head")
    await stage.submit(head, late)
    await stage.until(lambda: stage.door.inside("head"))
    await stage.close()
    stage.door.let_go()
    await stage.skip(16)
    await stage.open()
    await stage.ended("head", "late")
    return [*sent_late(stage, head, late), *stage.otherwise(head="SUCCEEDED", late="EXPIRED in_line")]


async def between_two_tries(stage: Stage) -> list[str]:
    """Telnyx answers with server errors until the time has passed: what was sent is in doubt, but not sent again."""
    call = await stage.call()
    stage.faults({"match": {"action": "speak"}, "status": 503})
    late = expiring(stage, "late", call, 5)
    await stage.submit(late)
    await stage.until(lambda: len(stage.door.of("late")) >= 2)
    await stage.skip(8)
    await stage.until(lambda: stage.heard.of("late") or sent_late(stage, late))
    return [*sent_late(stage, late), *stage.otherwise(late="UNKNOWN telnyx_error")]


async def test_what_waits_in_its_calls_line_expires_there(stage: Stage) -> None:
    """
    When its turn comes too late, its turn does not come.
    """
    assert await in_the_line(stage) == []


async def test_what_waits_for_a_worker_expires_there(stage: Stage) -> None:
    """
    A command that was released in time is not sent by a worker that was kept from sending it in time.
    """
    assert await in_the_lane(stage) == []


async def test_time_passes_while_nobody_is_there(stage: Stage) -> None:
    """
    What expired while all processes were down is not sent when they come back.
    """
    assert await while_nobody_was_there(stage) == []


async def test_it_is_not_tried_again_when_its_time_has_passed(stage: Stage) -> None:
    """
    Every try is held against the time, not only the first; as one may have happened, the result is UNKNOWN.
    """
    assert await between_two_tries(stage) == []


def the_workers_look_at_the_time(patch: pytest.MonkeyPatch) -> None:
    def timeless(**fields: Any) -> Work:
        return Work(**{**fields, "expire_ms": None})

    patch.setattr(line, "Work", timeless)


def everybodys_look_at_the_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(admission, "_explicit_expiry", lambda ask: None)
    patch.setattr(admission, "_first_expiry", lambda ask, *, gated: None)


@pytest.mark.parametrize(
    "without",
    [
        Without(everybodys_look_at_the_time, in_the_line, "sent late: late"),
        Without(everybodys_look_at_the_time, while_nobody_was_there, "sent late: late"),
        Without(the_workers_look_at_the_time, in_the_lane, "sent late: late"),
        Without(the_workers_look_at_the_time, between_two_tries, "sent late: late"),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))
