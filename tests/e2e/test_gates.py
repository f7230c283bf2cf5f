"""Gates, holds and requirements through the whole of Cordboard, also where it is killed while something waits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.v1 import START_AFTER_PREVIOUS_COMPLETED, Command
from tests.e2e.mortal import Mortal
from tests.promises.stage import ANOTHER, OWN_NUMBER, Stage, command

TEXT = "hello " * 15  # Six seconds.
LONG = "https://sounds.example/music-600s.mp3"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything running in this process, where time can be skipped."""
    async with Stage(tmp_path) as stage:
        yield stage


def gather(command_id: str, call: str) -> Command:
    """Digits are waited for as soon as what came before is complete."""
    made = command(command_id, call, "gather", start_after=START_AFTER_PREVIOUS_COMPLETED)
    made.gather.timeout_millis = 5_000
    return made


def music(command_id: str, call: str) -> Command:
    """Something that is heard for longer than any test takes."""
    made = command(command_id, call, "playback_start")
    made.playback_start.audio_url = LONG
    return made


@pytest.mark.parametrize("dies", ["never", "while it speaks", "before it is sent"])
async def test_digits_are_asked_for_when_the_text_has_been_spoken(dies: str, tmp_path: Path) -> None:
    """
    The gather comes to Telnyx after the end of the speech was told, wherever Cordboard is killed meanwhile.
    """
    async with Mortal(tmp_path, speed=2.0) as stage:
        call = await stage.call()
        if dies == "before it is sent":
            stage.faults({"match": {"action": "speak"}, "cut": "before", "times": 1})
        await stage.submit(command("speaks", call, payload=TEXT), gather("asks", call))
        if dies != "never":
            assert await stage.until(lambda: stage.effects("speak"))
            await stage.die()

        assert await stage.states("speaks", "asks") == ["SUCCEEDED", "SUCCEEDED"]
        (speech,) = [one for one in stage.effects("speak") if one.happened]
        asked = [one.time for one in stage.effects("gather")]
        assert speech.time < stage.told_at("call.speak.ended") < min(asked)


async def test_what_is_placed_next_goes_through_a_gate(stage: Stage) -> None:
    """
    Barge-in: a stop ends what is heard, and so the gate behind it opens.
    """
    call = await stage.call()
    await stage.submit(music("plays", call), gather("asks", call))
    assert await stage.ended("plays") == []
    assert await stage.until(lambda: stage.heard.has("call.playback.started", call))
    assert not stage.door.of("asks")

    await stage.submit(command("stops", call, "playback_stop"))

    assert await stage.ended("stops", "asks") == []
    assert [visit.command_id for visit in stage.door.visits] == ["plays", "stops", "asks"]


async def test_a_gate_is_not_held_shut_by_what_was_taken_out_of_the_queue(stage: Stage) -> None:
    """
    Of a speech that had not begun when all was stopped Telnyx tells nothing: what waits behind it goes all the same.
    """
    call = await stage.call()
    await stage.submit(music("plays", call), command("queued", call), gather("asks", call))
    assert await stage.ended("plays", "queued") == []
    await stage.submit(command("stops", call, "playback_stop"))
    assert await stage.ended("stops") == []
    await stage.until(lambda: stage.heard.has("call.playback.ended", call))
    assert not stage.door.of("asks")

    await stage.skip(6)

    assert await stage.ended("asks") == []
    assert stage.otherwise(asks="SUCCEEDED") == []


async def test_the_default_expiry_counts_from_the_gates_opening(stage: Stage) -> None:
    """
    Who waits longer than 30 s behind a gate has 30 s from when it opens; who set a time of its own has no more.
    """
    call = await stage.call()
    patient, hasty = gather("patient", call), gather("hasty", call)
    hasty.expire_time.FromMilliseconds(stage.clock.now_ms() + 30_000)
    await stage.submit(music("plays", call), patient, hasty)
    assert await stage.ended("plays") == []
    await stage.skip(40)
    assert await stage.ended("hasty") == []

    await stage.submit(command("stops", call, "playback_stop"))

    assert await stage.ended("patient") == []
    assert stage.otherwise(patient="SUCCEEDED", hasty="EXPIRED in_line") == []


async def test_what_requires_another_outlasts_a_death(tmp_path: Path) -> None:
    """
    After a restart it is still known what was required, and what became of that.
    """
    async with Mortal(tmp_path, speed=20.0) as stage:
        call = await stage.call()
        refused = command("refused", call, "fork_stop")
        stage.faults({"match": {"action": "speak"}, "latency_ms": 1_500, "times": 1})
        await stage.submit(
            command("first", call),
            command("wants_first", call, requires_command_id="first"),
            refused,
            command("wants_refused", call, requires_command_id="refused"),
        )
        await stage.die()

        states = await stage.states("first", "wants_first", "refused", "wants_refused")
        assert states == ["SUCCEEDED", "SUCCEEDED", "FAILED telnyx_refused", "CANCELLED previous_failed"]


async def test_the_line_is_held_until_the_call_is_answered(stage: Stage) -> None:
    """
    What follows an answer is sent when the call is answered, not when Telnyx has accepted that it is to be.
    """
    call = await stage.call(answered=False)
    stage.faults({"on": "webhook", "match": {"event_type": "call.answered"}, "delay_ms": 400})
    await stage.submit(command("answers", call, "answer"), command("speaks", call))

    assert await stage.ended("answers", "speaks") == []
    answered = [one for one in stage.sandbox.station.truth.deliveries if one.event_type == "call.answered"]
    assert stage.otherwise(answers="SUCCEEDED", speaks="SUCCEEDED") == []
    assert answered[0].time * 1_000 <= stage.door.of("speaks")[0].at_ms


async def test_the_line_is_not_held_for_ever(stage: Stage) -> None:
    """
    Where the event that says that the call is answered is lost, the next command goes after 5 s.
    """
    call = await stage.call(answered=False)
    stage.faults({"on": "webhook", "match": {"event_type": "call.answered"}, "drop": True})
    await stage.submit(command("answers", call, "answer"), command("speaks", call))
    assert await stage.ended("answers") == []
    await stage.fence()
    assert not stage.door.of("speaks")

    await stage.skip(5.5)

    assert await stage.ended("speaks") == []


async def test_where_no_webhook_comes_the_line_is_not_held(stage: Stage) -> None:
    """
    A call of which no webhook was ever seen tells nobody that it is answered: nobody waits for that.
    """
    stage.faults({"on": "webhook", "drop": True})
    call = stage.sandbox.station.tell(
        lambda exchange: exchange.incoming(from_=ANOTHER, to=OWN_NUMBER, connection_id="c")
    ).id

    await stage.submit(command("answers", call, "answer"), command("speaks", call))

    assert await stage.ended("answers", "speaks") == []
    assert stage.otherwise(answers="SUCCEEDED", speaks="SUCCEEDED") == []
