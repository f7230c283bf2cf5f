"""What a call hears when much is asked for at once: each completion is told of the sound that it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from cordboard.v1 import Command
from tests.promises.stage import Stage, command

OWN = {"playback_start", "gather_using_audio"}
FILES = "https://sounds.example"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything running."""
    async with Stage(tmp_path) as stage:
        yield stage


def playback(command_id: str, call: str, seconds: int, **fields: bool | str) -> Command:
    """A file of its own name, so long."""
    made = command(command_id, call, "playback_start")
    made.playback_start.audio_url = f"{FILES}/{command_id}-{seconds}s.mp3"
    for name, value in fields.items():
        setattr(made.playback_start, name, value)
    return made


async def told(stage: Stage, *command_ids: str) -> None:
    """Return when each has been completed, and the event by which it was has been handed on."""
    wanted = set(command_ids)
    assert await stage.until(lambda: wanted <= {one.command_id for one in stage.heard.completions})
    by = {one.event_id for one in stage.heard.completions if one.event_id}
    assert await stage.until(lambda: by <= {event.event_id for event in stage.heard.events})


def mistaken(stage: Stage) -> list[str]:
    """Events of a file that were handed on as another command's, and completions by such."""
    found = []
    commands = {event.event_id: event.command_id for event in stage.heard.events}
    for event in stage.heard.events:
        url = orjson.loads(event.payload)["data"]["payload"].get("media_url") or ""
        if url and not url.startswith(f"{FILES}/{event.command_id}-"):
            found.append(f"{event.event_type} of {url} as {event.command_id}'s")
    for one in stage.heard.completions:
        named = commands.get(one.event_id)
        found += [f"{one.command_id} by the event of {named}"] if named != one.command_id and one.action in OWN else []
    return found


async def test_a_prompt_is_no_playback(stage: Stage) -> None:
    """
    What a gather plays is heard before a playback that waits behind it, and does not complete that.
    """
    call = await stage.call()
    asks = command("asks", call, "gather_using_audio")
    asks.gather_using_audio.audio_url = f"{FILES}/asks-4s.mp3"
    asks.gather_using_audio.maximum_tries, asks.gather_using_audio.timeout_millis = 2, 2_000
    await stage.submit(asks, playback("plays", call, 2))
    await told(stage, "asks", "plays")

    assert mistaken(stage) == []


async def test_an_overlay_ends_for_itself(stage: Stage) -> None:
    """
    What lies above ends, is stopped and is told of without a word about what lies beneath.
    """
    call = await stage.call()
    await stage.submit(playback("beneath", call, 20), playback("above", call, 60, overlay=True))
    stops = command("stops", call, "playback_stop")
    stops.playback_stop.overlay = True
    await stage.submit(stops)
    await told(stage, "above", "stops")
    assert [one.command_id for one in stage.heard.completions] == ["above", "stops"]

    await told(stage, "beneath")
    assert mistaken(stage) == []


async def test_a_loop_goes_on_behind_its_completion(stage: Stage) -> None:
    """
    An endless loop is complete at its start; when it is stopped, that is not the end of the one behind it.
    """
    call = await stage.call()
    await stage.submit(playback("loops", call, 5, loop_text="infinity"), playback("plays", call, 2))
    await told(stage, "loops")
    stops = command("stops", call, "playback_stop")
    stops.playback_stop.stop = "current"
    await stage.submit(stops)
    await told(stage, "stops", "plays")

    assert mistaken(stage) == []
