"""Every test that asks for a `kind` runs on every kind of log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.log.kinds import EmbeddedKind, Kind, MemoryKind


@pytest.fixture(params=["embedded", "memory"])
async def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kind]:
    made: Kind = MemoryKind() if request.param == "memory" else EmbeddedKind(tmp_path, monkeypatch)
    yield made
    await made.end()
