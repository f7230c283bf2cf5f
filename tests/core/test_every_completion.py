"""Each command's completion is told by a story of its own."""

from __future__ import annotations

import re
from pathlib import Path

from cordboard.catalogue import CATALOGUE

STORIES = sorted((Path(__file__).parent / "stories").glob("completion_*.txt"))
SUBMITTED = re.compile(r"^submit (\w+)", re.MULTILINE)


def test_every_command_has_a_story():
    """
    All 28 are submitted in one of the stories of completion; `custom` is what has no name there.
    """
    told = {action for path in STORIES for action in SUBMITTED.findall(path.read_text())}

    assert told == set(CATALOGUE) - {"custom"}


def test_every_event_of_a_command_is_heard_in_a_story():
    """
    No event that the contract names as a command's own is without an example.
    """
    heard = {word for path in STORIES for word in re.findall(r"^event ([\w.]+)", path.read_text(), re.MULTILINE)}
    named = {event for action in CATALOGUE.values() for event in action.completion.events}

    assert named - heard == set()
