"""The simulated product logs nothing: its story is told by the simulation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from simulation.running import silence


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """Put the logs away, and back afterwards."""
    before = structlog.get_config()
    silence()
    yield
    structlog.configure(**before)
