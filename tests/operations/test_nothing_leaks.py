"""No line of the logs shows what is secret: a whole desk is led through all that can go wrong, at debug, and read."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog

from cordboard import journal
from cordboard.settings import Logging
from cordboard.v1 import Command
from tests.docs.test_metrics_move import STORY, Scene, logs
from tests.promises.stage import Stage, command, dial

assert logs  # The fixture that gives a scene its log.

ROOT = Path(__file__).parents[2]
API_KEY, SAID, PRESSED, DIALLED = "KEY-of-this-story", "the-secret-that-is-spoken", "4111222233334444", "+15557654321"
SECRETS = (API_KEY, SAID, PRESSED, DIALLED, "a-secret-of-this-stage")
CONTENT = {"body", "value", "payload", "digits", "text", "headers", "message", "to", "from_number", "client_state"}


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    lines = io.StringIO()
    journal.configure(
        Logging(level="debug", format="json"), frozenset({API_KEY, "a-secret-of-this-stage"}), None, lines
    )
    yield lines
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def scene(tmp_path: Path, logs: list[Any], lines: io.StringIO) -> AsyncIterator[Scene]:
    async with Stage(tmp_path, late_dial="hang_up", api_key=API_KEY) as stage:
        yield Scene(stage, logs[0])


def telling() -> list[Command]:
    """Commands that are full of what nobody else should read."""
    dtmf = command("t1", "v3:nobody", "send_dtmf")
    dtmf.send_dtmf.digits = PRESSED
    gather = command("t2", "v3:nobody", "gather_using_speak")
    gather.gather_using_speak.payload, gather.gather_using_speak.voice = SAID, "female"
    return [dtmf, gather, command("t3", "v3:nobody", payload=SAID), dial("t4", to=DIALLED)]


async def in_every_way(scene: Scene) -> None:
    """Sent, refused by Telnyx, lost on the way, invalid, poisonous, and not even a command."""
    for number, fault in enumerate(({}, {"status": 401}, {"status": 500}, {"status": 422})):
        scene.stage.faults(*([{**fault, "times": 9}] if fault else []))
        for one in telling():
            one.command_id += str(number)
            await scene.stage.submit(one)
            assert await scene.stage.ended(one.command_id) == []
    scene.stage.faults()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dispatcher.batch.advance", poisoned)
        await scene.stage.client.submit(command("p1", "v3:p", payload=SAID))
        await scene.counts("cordboard_dead_letters_total")
    await scene.write("cordboard.commands", json.dumps({"speak": {"payload": SAID}, "to": DIALLED}).encode())


def poisoned(page: object, key: str, given: object, *more: object) -> None:
    """A bug whose exception repeats all that it was given."""
    raise ValueError(repr((given, SAID, PRESSED)))


async def test_nothing_that_is_secret_is_written(scene: Scene, lines: io.StringIO):
    """
    Keys, what is said and pressed, whom is called: in none of the lines, of ours and of libraries.
    """
    await in_every_way(scene)
    for happens in STORY:
        await happens(scene)

    written = lines.getvalue()
    events = {json.loads(line)["event"] for line in written.splitlines()}
    assert {"command_ended", "request_failed", "release_ended", "an input could not be applied"} <= events
    assert [(secret, line) for line in written.splitlines() for secret in SECRETS if secret in line] == []


async def test_a_desk_changes_its_level_while_it_runs(scene: Scene, lines: io.StringIO):
    """
    By its operations port: what is not to be said any more is not said.
    """
    async with httpx.AsyncClient(base_url=scene.stage.operations_url, trust_env=False) as operations:
        answer = await operations.put("/loglevel", json={"level": "error"})
    assert answer.json() == {"level": "error", "usual": "debug"}
    before = lines.getvalue()
    await scene.stage.submit(command("n1", "v3:nobody"))
    assert await scene.stage.ended("n1") == []

    assert lines.getvalue() == before


def sites() -> Iterator[tuple[str, ast.Call]]:
    """Every place in the product where a line is written."""
    for package in ("cordboard", "dispatcher", "workers"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="_log" | "_logger"))):
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_no_place_writes_content():
    """
    A line says in fixed words what happened, with fields of which none is content.
    """
    found = dict(sites())
    wordy = [place for place, call in found.items() if isinstance(call.args[0], ast.JoinedStr)]
    telling = [place for place, call in found.items() if CONTENT & {word.arg for word in call.keywords}]

    assert len(found) > 40
    assert (wordy, telling) == ([], [])
