"""Recordings and transfers end to end: the real sandbox, ingress, log and door, and processes that begin anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cordboard.v1 import CallEvent, Command, CommandCompletion, CompletionState
from tests.promises.stage import Stage, command, dial

BUSY, ANSWERS_AT_ONCE, RINGS_ON, MACHINE = "+15550109901", "+15550109908", "+15550109905", "+15550109906"
SAVED_SECONDS = 1_000.0  # Of the sandbox: so late that a test says when.


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything running; recordings are saved when the test lets so much time pass at Telnyx."""
    async with Stage(tmp_path) as stage:
        stage.sandbox.station.exchange.life.habits.recording_save_seconds = SAVED_SECONDS
        yield stage


def let_time_pass(stage: Stage, seconds: float) -> None:
    """At Telnyx only."""
    stage.sandbox.station.tell(lambda exchange: exchange.advance(exchange.life.now + seconds))


def record_start(command_id: str, call: str) -> Command:
    """A recording to be begun."""
    made = command(command_id, call, "record_start")
    made.record_start.format, made.record_start.channels = "mp3", "single"
    return made


def transfer(command_id: str, call: str, *to: str, **options: Any) -> Command:
    """The call to be connected with somebody else, or with the first of several to answer."""
    made = command(command_id, call, "transfer", **options)
    if len(to) == 1:
        made.transfer.to = to[0]
    else:
        made.transfer.to_list.extend(to)
    return made


async def completion(stage: Stage, command_id: str) -> CommandCompletion:
    """What a command came to, once that is told."""
    assert await stage.until(lambda: any(one.command_id == command_id for one in stage.heard.completions))
    return next(one for one in stage.heard.completions if one.command_id == command_id)


def words(told: CommandCompletion) -> tuple[str, str]:
    """A completion's state, and the event that showed it."""
    return CompletionState.Name(told.state).removeprefix("COMPLETION_STATE_"), told.event_type


def recordings(stage: Stage) -> list[CallEvent]:
    """The recordings that were handed on."""
    return [one for one in stage.heard.events if one.event_type == "call.recording.saved"]


async def test_a_recording_that_was_stopped_completes_its_stop(stage: Stage) -> None:
    """
    The event names no call: it is handed on under the call that it is of, once, and with the command.
    """
    call = await stage.call()
    await stage.submit(record_start("begun", call), command("stopped", call, "record_stop"))
    assert await stage.ended("begun", "stopped") == []

    let_time_pass(stage, SAVED_SECONDS)

    told = await completion(stage, "stopped")
    assert words(told) == ("COMPLETED", "call.recording.saved")
    await stage.all_told()
    assert [(one.call_control_id, one.command_id) for one in recordings(stage)] == [(call, "begun")]


async def test_of_two_stops_each_has_its_own_recording(stage: Stage) -> None:
    """
    One that ended nothing is completed by none.
    """
    call = await stage.call()
    await stage.submit(command("for-nothing", call, "record_stop"), record_start("begun", call))
    await stage.submit(command("stopped", call, "record_stop"), command("again", call, "record_stop"))
    await stage.submit(record_start("second", call), command("ended", call, "record_stop"))
    assert await stage.ended("for-nothing", "begun", "stopped", "again", "second", "ended") == []

    let_time_pass(stage, SAVED_SECONDS)

    events = [(await completion(stage, name)).event_id for name in ("stopped", "ended")]
    await stage.all_told()
    assert [(one.event_id, one.command_id) for one in recordings(stage)] == list(
        zip(events, ("begun", "second"), strict=True)
    )
    assert {one.command_id for one in stage.heard.completions} == {"begun", "stopped", "second", "ended"}


async def test_a_recording_is_saved_after_the_hangup(stage: Stage) -> None:
    """
    The call's end does not settle what comes after it.
    """
    call = await stage.call()
    await stage.submit(record_start("begun", call), command("stopped", call, "record_stop"))
    await stage.submit(command("over", call, "hangup"))
    assert await stage.ended("begun", "stopped", "over") == []
    assert await stage.until(lambda: stage.heard.has("call.hangup", call))

    let_time_pass(stage, SAVED_SECONDS)

    assert words(await completion(stage, "stopped")) == ("COMPLETED", "call.recording.saved")
    assert await stage.until(lambda: recordings(stage))
    assert [one.call_control_id for one in recordings(stage)] == [call]


async def test_a_process_that_begins_anew_knows_the_call_of_a_recording(stage: Stage) -> None:
    """
    Cordboard is stopped between the recording and its event.
    """
    call = await stage.call()
    await stage.submit(record_start("begun", call), command("stopped", call, "record_stop"))
    assert await stage.ended("begun", "stopped") == []
    await stage.reopen()

    let_time_pass(stage, SAVED_SECONDS)

    assert words(await completion(stage, "stopped")) == ("COMPLETED", "call.recording.saved")
    assert await stage.until(lambda: recordings(stage))
    await stage.all_told()
    assert [one.call_control_id for one in recordings(stage)] == [call]


async def test_a_transfer_to_somebody_who_is_busy_has_failed(stage: Stage) -> None:
    """
    The call lives on, and what waited for the transfer's end goes ahead.
    """
    call = await stage.call()
    await stage.submit(transfer("sent", call, BUSY), command("spoken", call, start_after=2))

    told = await completion(stage, "sent")

    assert words(told) == ("FAILED", "call.hangup")
    other = next(one for one in stage.heard.events if one.event_id == told.event_id)
    assert other.call_control_id not in ("", call)
    assert await stage.ended("spoken") == []
    assert stage.otherwise(sent="SUCCEEDED", spoken="SUCCEEDED") == []


async def test_a_transfer_to_somebody_who_answers_is_completed(stage: Stage) -> None:
    """
    What becomes of the new leg afterwards changes nothing.
    """
    call = await stage.call()
    await stage.submit(transfer("sent", call, ANSWERS_AT_ONCE))

    assert words(await completion(stage, "sent")) == ("COMPLETED", "call.bridged")
    assert await stage.until(lambda: len([one for one in stage.heard.events if one.event_type == "call.bridged"]) == 2)

    await stage.submit(command("over", call, "hangup"))
    assert await stage.until(lambda: len([one for one in stage.heard.events if one.event_type == "call.hangup"]) == 2)
    await stage.all_told()
    assert [words(one) for one in stage.heard.completions if one.command_id == "sent"] == [
        ("COMPLETED", "call.bridged")
    ]


async def test_what_a_transfer_finds_out_about_who_answers_is_its_own(stage: Stage) -> None:
    """
    It is handed on under the new leg, and names the command that was given to the old one.
    """
    call = await stage.call()
    sent = transfer("sent", call, MACHINE)
    sent.transfer.answering_machine_detection = "detect"
    await stage.submit(sent)

    assert await stage.until(lambda: any("machine.detection" in one.event_type for one in stage.heard.events))
    await stage.all_told()
    found = [one for one in stage.heard.events if "machine" in one.event_type]
    assert {(one.command_id, one.call_control_id == call) for one in found} == {("sent", False)}


async def test_a_transfer_to_several_has_failed_when_the_last_has(stage: Stage) -> None:
    """
    One who is busy is no answer of the other's.
    """
    call = await stage.call()
    await stage.submit(transfer("sent", call, BUSY, RINGS_ON))
    assert await stage.ended("sent") == []
    assert await stage.until(lambda: any(one.event_type == "call.hangup" for one in stage.heard.events))
    await stage.all_told()
    assert stage.heard.completions == []

    new_leg = next(one for one in stage.sandbox.station.exchange.calls.values() if one.to == RINGS_ON)
    stage.far_end(new_leg.id)

    assert words(await completion(stage, "sent")) == ("FAILED", "call.hangup")


async def test_a_second_transfer_follows_the_first_that_failed(stage: Stage) -> None:
    """
    Each has its own new leg, also where Cordboard begins anew in between.
    """
    call = await stage.call()
    await stage.submit(transfer("busy", call, BUSY))
    assert words(await completion(stage, "busy")) == ("FAILED", "call.hangup")
    await stage.submit(transfer("rings", call, RINGS_ON))
    assert await stage.ended("rings") == []
    await stage.reopen()

    new_leg = next(one for one in stage.sandbox.station.exchange.calls.values() if one.to == RINGS_ON)
    stage.far_end(new_leg.id)

    assert words(await completion(stage, "rings")) == ("FAILED", "call.hangup")


async def test_the_leg_of_a_dial_that_joins_the_call_fails_no_transfer(stage: Stage) -> None:
    """
    Its end is told before Telnyx's answer to the dial says whose it is; the transfer's own leg still decides.
    """
    call = await stage.call()
    sent = transfer("sent", call, RINGS_ON)
    sent.transfer.timeout_secs = 600
    await stage.submit(sent)
    assert await stage.ended("sent") == []
    stage.faults({"match": {"action": "dial"}, "answer_latency_ms": 2_000, "times": 1})
    joining = dial("joining")
    joining.dial.to, joining.dial.link_to = BUSY, call
    await stage.submit(joining)
    assert await stage.until(lambda: any(one.event_type == "call.hangup" for one in stage.heard.events))
    assert not stage.heard.of("joining")
    assert await stage.ended("joining") == []
    await stage.all_told()
    assert [one.command_id for one in stage.heard.completions if one.command_id == "sent"] == []

    new_leg = next(one for one in stage.sandbox.station.exchange.calls.values() if one.to == RINGS_ON)
    stage.far_end(new_leg.id)

    assert words(await completion(stage, "sent")) == ("FAILED", "call.hangup")
