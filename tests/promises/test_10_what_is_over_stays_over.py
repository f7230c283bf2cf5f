"""Promise 10. What is over stays over.

After the call's end, commands for it end as CALL_ENDED without a round trip (a hangup: SUCCEEDED, ALREADY_ENDED).
"""

from __future__ import annotations

import pytest

from dispatcher.core import admission, flights, hearing, verdicts
from dispatcher.core.inputs import Heard
from dispatcher.core.page import Life
from dispatcher.core.turn import Turn
from tests.promises.stage import Stage, Without, command


def sent_after_the_end(stage: Stage, *command_ids: str) -> list[str]:
    """Requests for a call that was known to be over."""
    return [f"sent after the end: {visit.command_id}" for visit in stage.door.of(*command_ids)]


async def called_and_over(stage: Stage) -> str:
    """A call whose end was handed on."""
    call = await stage.call()
    stage.far_end(call)
    await stage.until(lambda: stage.heard.has("call.hangup", call))
    return call


async def after_the_hangup(stage: Stage) -> list[str]:
    """Commands come for a call that has ended, also after a restart."""
    call = await called_and_over(stage)
    await stage.submit(command("spoken", call), command("hung_up", call, "hangup"))
    await stage.ended("spoken", "hung_up")
    await stage.reopen()
    await stage.submit(command("later", call))
    await stage.ended("later")
    ends = {"spoken": "REJECTED call_ended", "hung_up": "SUCCEEDED already_ended", "later": "REJECTED call_ended"}
    return [*sent_after_the_end(stage, *ends), *stage.otherwise(**ends)]


async def while_they_wait(stage: Stage) -> list[str]:
    """The call ends while one command is in flight and others wait behind it."""
    call = await stage.call()
    stage.door.hold("first")
    await stage.submit(command("first", call), command("waits", call), command("hangs_up", call, "hangup"))
    await stage.until(lambda: stage.door.inside("first"))
    stage.far_end(call)
    await stage.until(lambda: stage.heard.has("call.hangup", call))
    stage.door.let_go()
    await stage.ended("first", "waits", "hangs_up")
    ends = {"waits": "CANCELLED call_ended", "hangs_up": "SUCCEEDED already_ended"}
    return [*sent_after_the_end(stage, *ends), *stage.otherwise(first="FAILED call_ended", **ends)]


async def told_by_a_refusal(stage: Stage) -> list[str]:
    """The webhook of the end is lost: the first command learns it from Telnyx, for all others."""
    call = await stage.call()
    stage.faults({"on": "webhook", "match": {"event_type": "call.hangup"}, "drop": True})
    stage.far_end(call)
    stage.door.hold("first")  # Else it might be refused before the second one has come.
    await stage.submit(command("first", call), command("second", call))
    stage.door.let_go()
    await stage.ended("first", "second")
    await stage.submit(command("third", call))
    await stage.ended("third")
    ends = {"second": "CANCELLED call_ended", "third": "REJECTED call_ended"}
    return [*sent_after_the_end(stage, "third"), *stage.otherwise(first="FAILED call_ended", **ends)]


async def late_news(stage: Stage) -> list[str]:
    """The news that the call was answered comes when it has ended."""
    call = await stage.call(answered=False)
    stage.faults({"on": "webhook", "match": {"event_type": "call.answered"}, "delay_ms": 800})
    stage.picked_up(call)
    stage.far_end(call)
    await stage.until(lambda: stage.heard.has("call.hangup", call))
    await stage.until(lambda: stage.heard.has("call.answered", call))
    await stage.submit(command("spoken", call))
    await stage.ended("spoken")
    return [*sent_after_the_end(stage, "spoken"), *stage.otherwise(spoken="REJECTED call_ended")]


async def test_commands_for_an_ended_call_are_not_sent(stage: Stage) -> None:
    """
    Who comes after the end is told so at once; who wants the end is told that it is there.
    """
    assert await after_the_hangup(stage) == []


async def test_what_waits_when_the_call_ends_is_cancelled(stage: Stage) -> None:
    """
    The end empties the line, and a hangup that waited has succeeded.
    """
    assert await while_they_wait(stage) == []


async def test_telnyx_says_once_that_a_call_is_over(stage: Stage) -> None:
    """
    A refusal that says so ends the call as its webhook would have.
    """
    assert await told_by_a_refusal(stage) == []


async def test_late_news_does_not_revive_a_call(stage: Stage) -> None:
    """
    Webhooks come in any order; a call that has ended is not answered any more.
    """
    assert await late_news(stage) == []


def ending_the_call(patch: pytest.MonkeyPatch) -> None:
    for module in (hearing, flights):
        patch.setattr(module, "end_call", lambda turn, clue=None: None)


def turning_away_at_the_door(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(admission, "Life", type("Life", (), {"ENDED": None, "STRANGER": Life.STRANGER}))


def believing_the_refusal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(verdicts, "says_call_is_over", lambda action, outcome: False)


def staying_over(patch: pytest.MonkeyPatch) -> None:
    learn = hearing._learn

    def forgetful(turn: Turn, heard: Heard) -> None:
        learn(turn, heard)
        if heard.event_type == "call.answered":
            turn.page.life = Life.ANSWERED

    patch.setattr(hearing, "_learn", forgetful)


@pytest.mark.parametrize(
    "without",
    [
        Without(ending_the_call, after_the_hangup, "sent after the end: spoken"),
        Without(ending_the_call, while_they_wait, "sent after the end: waits"),
        Without(turning_away_at_the_door, after_the_hangup, "sent after the end: spoken"),
        Without(believing_the_refusal, told_by_a_refusal, "sent after the end: third"),
        Without(staying_over, late_news, "sent after the end: spoken"),
    ],
    indirect=True,
    ids=str,
)
async def test_it_fails_without(without: Without, stage: Stage) -> None:
    """
    What stands behind the promise is needed: the same story goes wrong without it.
    """
    assert without.seen_in(await without.story(stage))
