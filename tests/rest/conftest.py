"""Everything running, and a plain HTTP client at the REST door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.promises.stage import Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """All of Cordboard, with the sandbox for Telnyx."""
    async with Stage(tmp_path) as stage:
        yield stage


@pytest.fixture
async def http(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the account's key."""
    headers = {"authorization": "Bearer key"}
    async with httpx.AsyncClient(base_url=stage.rest_url, headers=headers, timeout=30, trust_env=False) as client:
        yield client
