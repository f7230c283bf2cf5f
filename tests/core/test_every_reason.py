"""Every state and reason that docs/errors.md lists is given by the real core in some story, and no other is."""

from __future__ import annotations

import pytest

from cordboard.v1 import Reason, State, command_pb2
from dispatcher.core.decision import Completed, Output, Result
from docs.generate import errors
from docs.generate.reasons import NONE
from tests.core.story import Story, retell
from tests.core.test_stories import STORIES
from tests.dispatcher.harness import HandClock, connect, make_broker, staged

Pair = tuple[str, str]
# What needs no reason, which the contract therefore does not say beside one.
PLAIN = {("SUCCEEDED", NONE)}
PLAIN_COMPLETIONS = {("COMPLETED", NONE), ("FAILED", NONE)}


class Listening(Story):
    """A story that keeps with which state and reason results and completions came."""

    def __init__(self) -> None:
        super().__init__()
        self.results: set[Pair] = set()
        self.completions: set[Pair] = set()

    def describe(self, output: Output) -> str:
        if isinstance(output, Result):
            self.results.add((output.state.value, _name(output.reason.value)))
        elif isinstance(output, Completed):
            self.completions.add((output.state.value, _name(output.reason.value)))
        return super().describe(output)


def _name(reason: str) -> str:
    return NONE if reason == "NONE" else reason


@pytest.fixture(scope="module")
def told() -> Listening:
    """What all stories say together."""
    every = Listening()
    for path in STORIES:
        story = Listening()
        retell(path.read_text(), story)
        every.results |= story.results
        every.completions |= story.completions
    return every


def listed(sayings: list[errors.Saying]) -> set[Pair]:
    return {(saying.place, saying.reason) for saying in sayings}


async def invalid_command() -> set[Pair]:
    """Written to the topic by somebody who did not ask the door: refused by the shell around the core."""
    clock = HandClock()
    async with staged(connect(make_broker(clock)), clock) as stage:
        await stage.submit(command_pb2.Command(command_id="c1", call_control_id="A"))
        await stage.applied()
        return {
            (State.Name(one.state).removeprefix("STATE_"), Reason.Name(one.reason).removeprefix("REASON_"))
            for one in await stage.results()
        }


async def test_results_are_those_that_are_listed(told: Listening):
    """
    A reason without a story is missing here; a story with a reason that nobody reads about is, too.
    """
    given = told.results | await invalid_command()

    assert given == listed(errors.of_results()) | PLAIN


def test_completions_are_those_that_are_listed(told: Listening):
    """
    The same for what comes of what a command started.
    """
    assert told.completions == listed(errors.of_completions()) | PLAIN_COMPLETIONS
