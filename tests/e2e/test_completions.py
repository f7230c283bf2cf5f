"""Completion through the whole of Cordboard, against the sandbox: each of the 28 commands, and how some of them fail.

What is told of each is held against the catalogue: by which event it is complete, and which events are its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cordboard.catalogue import CATALOGUE
from cordboard.v1 import WAIT_FOR_COMPLETION, Command, CommandCompletion, CompletionState, Reason
from tests.e2e.scenes import FAILING, SCENES, Scene
from tests.promises.stage import OWN_NUMBER, Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything running."""
    async with Stage(tmp_path) as stage:
        yield stage


def asking(action: str, command_id: str, call: str, fields: dict[str, Any]) -> Command:
    """A command of any kind."""
    made = Command(command_id=command_id, call_control_id="" if action == "dial" else call, **{action: fields})
    if action == "client_state_update":
        made.client_state = "bmV3"
    return made


async def incoming(stage: Stage, caller: str, *, answered: bool) -> str:
    """Somebody calls, and is answered, perhaps."""
    call = stage.sandbox.station.tell(
        lambda exchange: exchange.incoming(from_=caller, to=OWN_NUMBER, connection_id="c")
    ).id
    if answered:
        stage.picked_up(call)
    assert await stage.until(lambda: stage.heard.has("call.answered" if answered else "call.initiated", call))
    return call


async def set_up(stage: Stage, scene: Scene) -> Command:
    """What was there before the command, and the command."""
    call = await incoming(stage, scene.caller, answered=scene.answered)
    for number, (action, fields) in enumerate(scene.before):
        await stage.submit(asking(action, f"before-{number}", call, fields))
        assert await stage.ended(f"before-{number}") == []
        assert stage.heard.of(f"before-{number}")[0].state == "SUCCEEDED"
    fields = dict(scene.fields)
    if scene.with_another:
        fields["call_control_id_to_bridge_with"] = await incoming(stage, scene.caller, answered=True)
    return asking(scene.action, "it", call, fields)


async def completion_of(stage: Stage, command_id: str) -> CommandCompletion:
    """What is told of its completion, once, and of the event that it is by."""
    assert await stage.until(lambda: any(one.command_id == command_id for one in stage.heard.completions))
    await stage.all_told()
    (told,) = [one for one in stage.heard.completions if one.command_id == command_id]
    assert not told.event_id or await stage.until(lambda: events_of(told, stage))
    return told


def in_words(told: CommandCompletion) -> tuple[str, str, str]:
    """State, reason, and what the event says."""
    state = CompletionState.Name(told.state).removeprefix("COMPLETION_STATE_")
    return state, Reason.Name(told.reason).removeprefix("REASON_"), told.status


def strangers(stage: Stage, command_id: str, action: str) -> list[str]:
    """Events that name the command, and that the catalogue does not give it."""
    named = [event.event_type for event in stage.heard.events if event.command_id == command_id]
    return [event_type for event_type in named if event_type not in CATALOGUE[action].completion.events]


def events_of(told: CommandCompletion, stage: Stage) -> Sequence[str]:
    """The command that the completing event was handed on with."""
    return [event.command_id for event in stage.heard.events if event.event_id == told.event_id]


def tied_to(scene: Scene, told: CommandCompletion) -> str:
    """The command that the completing event is tied to."""
    rule = CATALOGUE[scene.action].completion
    if told.event_type in rule.failed_by_new_leg:
        return ""  # A new leg's page hands its events on, and knows no command of the old one.
    return "before-0" if rule.ends_another else "it"  # What is over was begun by another command.


@pytest.mark.parametrize("scene", [*SCENES, *FAILING], ids=str)
async def test_a_command_is_complete_as_the_catalogue_says(scene: Scene, stage: Stage) -> None:
    """
    By the event that the catalogue names, in the state that the scene leads to, and with no event that is another's.
    """
    await stage.submit(await set_up(stage, scene))
    assert await stage.ended("it") == []
    if scene.meanwhile:
        scene.meanwhile(stage, stage.heard.of("it")[0].result.call_control_id)
    told = await completion_of(stage, "it")

    rule = CATALOGUE[scene.action].completion
    by = rule.completed_by | rule.failed_by | rule.failed_by_new_leg | rule.started_by
    assert in_words(told) == scene.told
    assert (told.event_type in by) if not rule.at_acceptance else told.event_type == ""
    assert strangers(stage, "it", scene.action) == []
    if not rule.at_acceptance:
        assert events_of(told, stage) == [tied_to(scene, told)]


def test_every_command_has_a_scene() -> None:
    """
    All 28.
    """
    assert {scene.action for scene in SCENES} == set(CATALOGUE) - {"custom"}


async def test_execute_waits_for_completion(stage: Stage) -> None:
    """
    Who asks with WAIT_FOR_COMPLETION is told at once how it went, and of a failure as well.
    """
    call = await incoming(stage, "+15550100001", answered=True)
    spoken = asking("speak", "spoken", call, {"payload": "hello", "voice": "female"})
    missing = asking("playback_start", "missing", call, {"audio_url": "https://sounds.example/missing.mp3"})

    answers = [await stage.client.execute(one, wait_for=WAIT_FOR_COMPLETION) for one in (spoken, missing)]

    assert [in_words(one.completion)[0] for one in answers] == ["COMPLETED", "FAILED"]
