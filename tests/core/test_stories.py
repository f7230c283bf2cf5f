"""The core's stories are told again, and nothing in them has changed. UPDATE_STORIES=1 rewrites them: read the diff."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.core.story import retell

STORIES = sorted((Path(__file__).parent / "stories").glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_the_story_is_still_true(path: Path):
    """
    Every block of the story is answered as it is written down.
    """
    written = path.read_text()
    told = retell(written)
    if os.environ.get("UPDATE_STORIES"):
        path.write_text(told)
        return
    assert told == written
