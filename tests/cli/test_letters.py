"""`cordboard dead-letters replay`: several at once, all that can be, and what becomes of one that cannot."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.cli.choices import Output
from cordboard.cli.exits import Failure, Status
from cordboard.cli.letters import replay
from cordboard.cli.screen import Screen
from cordboard.cli.target import Target
from cordboard.log.port import NewRecord
from tests.rpc.door import TOPICS, Desk, desk_at, speak


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """With three dead letters: two commands, and an event, which cannot be written back."""
    async with desk_at(tmp_path) as desk:
        for topic, value in (
            (TOPICS.commands, speak("one").SerializeToString()),
            (TOPICS.events, b"{}"),
            (TOPICS.commands, speak("two").SerializeToString()),
        ):
            why = (("dlq.errors.topic", topic.encode()), ("dlq.errors.reason", b"a bug"))
            await desk.log.append([NewRecord(TOPICS.dead_letters, b"A", value, why)])
        yield desk


async def written_back(desk: Desk, *letters: str, every: bool = False) -> tuple[Status, list[dict[str, str]]]:
    stream = io.StringIO()
    status = await replay(letters, Target(desk.target), Screen(Output.JSON, stream), every=every)
    return status, [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_all_that_can_be_are_written_back_once(desk: Desk) -> None:
    """
    The oldest first; a second time there are none.
    """
    status, told = await written_back(desk, every=True)

    assert (status, [one["letter_id"] for one in told]) == (Status.OK, ["0", "2"])
    assert await desk.commands() == ["one", "two"]
    assert await written_back(desk, every=True) == (Status.OK, [])


async def test_one_that_cannot_be_keeps_none_of_the_others(desk: Desk) -> None:
    """
    It is said which, and why; the status tells that something did not come out right.
    """
    status, told = await written_back(desk, "0", "1", "2")

    assert status is Status.FAILED
    assert [one.get("refused", "") for one in told] == ["", "NOT_REPLAYABLE", ""]
    assert await desk.commands() == ["one", "two"]


@pytest.mark.parametrize(("letters", "every"), [((), False), (("0",), True)])
async def test_what_is_meant_must_be_said(desk: Desk, letters: tuple[str, ...], every: bool) -> None:
    """
    Numbers, or all: not neither, and not both.
    """
    with pytest.raises(Failure, match="say --all"):
        await written_back(desk, *letters, every=every)
