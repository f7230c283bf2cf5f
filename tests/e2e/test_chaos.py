"""The promises under kill -9: nothing lost, nothing twice, nothing out of order, one result each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.chaos import chaos


# One run, because what the last kill leaves behind takes a while to be judged. `make chaos` has 200 kills.
@pytest.mark.timeout(480)
async def test_the_promises_hold_through_kill_9(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """
    Killed again and again under load, Cordboard keeps every promise that it had made to anybody.
    """
    summary = await chaos(tmp_path, seed=1, kills=25, tell=print)

    record_property("summary", str(summary))
    assert summary.violations == []
    assert summary.faults == 25
    assert summary.states["SUCCEEDED"] > 100, "there was no load to speak of"
