"""The promises under kill -9: nothing lost, nothing twice, nothing out of order, one result each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.chaos import chaos


# Two runs, because tests have two cores; together 25 kills. `make chaos` has 200.
@pytest.mark.timeout(480)
@pytest.mark.parametrize(("seed", "kills"), [(1, 13), (2, 12)])
async def test_the_promises_hold_through_kill_9(
    tmp_path: Path, record_property: Callable[[str, object], None], seed: int, kills: int
) -> None:
    """
    Killed again and again under load, Cordboard keeps every promise that it had made to anybody.
    """
    summary = await chaos(tmp_path, seed, kills, print)

    record_property("summary", str(summary))
    assert summary.violations == []
    assert summary.kills == kills
    assert summary.states["SUCCEEDED"] > 100, "there was no load to speak of"
