"""Whole calls by script, with random races: every command one result, every success one completion, and no quarrel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.scripted import scripted

CALLS = 60


@pytest.mark.timeout(600)
async def test_sandbox_and_cordboard_agree_about_every_call(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """
    What `make scripted` does with ten thousand calls, with a few.
    """
    told, violations = await scripted(tmp_path, CALLS, seed=1)

    record_property("summary", told[0])
    assert violations == [], "\n".join(told)
