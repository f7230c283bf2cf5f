"""Promise 5. The same command twice is one command.

Same id and same content: the first one's result again. Same id and other content: refused with COMMAND_ID_REUSED.
Remembered for the life of the call and an hour more; for Dial 24 hours.
"""

from __future__ import annotations

import asyncio

import pytest

from cordboard.v1 import Command
from dispatcher.core import admission, memory, retention
from tests.promises.stage import Stage, Without, command, dial

MINUTE, HOUR = 60, 3600


def taken_as_two(stage: Stage, *command_ids: str) -> list[str]:
    """Commands that Telnyx was asked for more than once, or whose results are more or fewer than one."""
    asked = {one: len(stage.effects(one)) for one in command_ids}
    results = {one: len(stage.heard.of(one)) for one in command_ids}
    return [
        *(f"asked twice: {one}, {times} requests" for one, times in asked.items() if times > 1),
        *(f"not one result: {one}, {times} of them" for one, times in results.items() if times != 1),
    ]


async def asked_again(stage: Stage, *commands: Command) -> list[str]:
    """Repeats of ended commands that are not answered with the first one's result, marked as said again."""
    answers = await asyncio.gather(*(stage.client.execute(one, timeout=stage.patience) for one in commands))
    await stage.all_told()
    first = {one.command_id: stage.heard.of(one.command_id)[0].result for one in commands}
    return [
        f"not said again: {said.command_id}"
        for said in (answer.result for answer in answers)
        if not said.replayed
        or said.state != first[said.command_id].state
        or said.dialed != first[said.command_id].dialed
    ]


async def repeated(stage: Stage) -> list[str]:
    """A command comes again while it waits, while it is in flight, and twice at once minutes after it has ended."""
    call = await stage.call()
    first, second = command("first", call), command("second", call)
    stage.door.hold("first")
    await stage.submit(first, second, first, second)
    await stage.until(lambda: stage.door.inside("first"))
    await stage.submit(first, second)
    stage.door.let_go()
    await stage.ended("first", "second")
    await stage.skip(2 * MINUTE)
    found = await asked_again(stage, first, second, first)
    return [*found, *taken_as_two(stage, "first", "second")]


async def repeated_dial(stage: Stage) -> list[str]:
    """A dial comes three times at once, and again minutes after it is known which call it made."""
    wanted = dial("outbound")
    await asyncio.gather(*(stage.submit(wanted) for _ in range(3)))
    await stage.ended("outbound")
    await stage.skip(2 * MINUTE)
    return [*await asked_again(stage, wanted, wanted), *taken_as_two(stage, "outbound")]


async def other_content(stage: Stage) -> list[str]:
    """Other words come under an id that is in flight, and under the same id when it has ended."""
    call = await stage.call()
    stage.door.hold("one")
    await stage.submit(command("one", call), command("one", call, payload="something else"))
    await stage.until(lambda: stage.door.inside("one"))
    stage.door.let_go()
    await stage.ended("one")
    await stage.submit(command("one", call, payload="something else again"))
    await stage.until(lambda: len(stage.heard.of("one", "refused", "replayed")) == 2)
    answers = [one.reason for one in stage.heard.of("one", "refused", "replayed")]
    found = [] if answers == ["command_id_reused"] * 2 else [f"not refused: {answers}"]
    return [*found, *taken_as_two(stage, "one")]


async def much_later(stage: Stage) -> list[str]:
    """Cordboard is stopped and started; 59 minutes after the call's end its command comes again, and 23 hours after
    the dial that dial."""
    call = await stage.call()
    spoken, dialled = command("spoken", call), dial("dialled")
    await stage.submit(spoken, dialled)
    await stage.ended("spoken", "dialled")
    stage.far_end(call)
    await stage.until(lambda: stage.heard.has("call.hangup", call))
    await stage.close()
    await stage.skip(59 * MINUTE)
    await stage.open()
    found = await asked_again(stage, spoken)
    await stage.skip(22 * HOUR)
    return [*found, *await asked_again(stage, dialled), *taken_as_two(stage, "spoken", "dialled")]


async def test_a_repeat_is_answered_with_the_first_ones_result(stage: Stage) -> None:
    """
    However often and whenever it comes again, it is one request, one result, and the same answer.
    """
    assert await repeated(stage) == []


async def test_a_dial_that_comes_again_is_one_phone_call(stage: Stage) -> None:
    """
    Who dials again under the same id is told of the call that it made the first time.
    """
    assert await repeated_dial(stage) == []


async def test_other_content_under_the_same_id_is_refused(stage: Stage) -> None:
    """
    Another command under a known id is not done, and does not disturb the first one.
    """
    assert await other_content(stage) == []


async def test_it_is_remembered_for_an_hour_after_the_call_and_a_dial_for_a_day(stage: Stage) -> None:
    """
    Neither a restart nor the call's end makes a command new again before its time.
    """
    assert await much_later(stage) == []


def memory_of_the_ended(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(memory, "recall", lambda entries, command_id: None)


def knowing_what_is_under_way(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(admission, "find_pending", lambda page, command_id: None)


def comparing_the_content(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(memory.Remembered, "same_content", lambda self, fingerprint: True)


def keeping_pages_after_the_end(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(retention, "_forget_at", lambda page, limits: page.ended_ms or page.touched_ms)


@pytest.mark.parametrize(
    "without",
    [
        Without(memory_of_the_ended, repeated, "asked twice: first"),
        Without(memory_of_the_ended, repeated_dial, "asked twice: outbound"),
        Without(knowing_what_is_under_way, repeated, "not one result: second"),
        Without(comparing_the_content, other_content, "not refused"),
        Without(keeping_pages_after_the_end, much_later, "asked twice: spoken"),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))
