"""What the promises' tests share: a stage, and a mechanism taken out before it is set up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.promises.stage import Stage, Without


@pytest.fixture
def without(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Without:
    """A mechanism that is not there; to be asked for before the stage."""
    taken: Without = request.param
    taken.take_out(monkeypatch)
    return taken


@pytest.fixture
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """Everything running."""
    async with Stage(tmp_path) as stage:
        if "without" in request.fixturenames:
            stage.patience = 4.0  # What never comes is waited for in vain.
        yield stage
