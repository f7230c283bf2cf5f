"""Every test that asks for a `kind` runs on every kind of log."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.log.kafka_kind import KafkaKind
from tests.log.kinds import EmbeddedKind, Kind, MemoryKind


@pytest.fixture(params=["embedded", "memory", "kafka"])
async def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kind]:
    made: Kind
    if request.param == "memory":
        made = MemoryKind()
    elif request.param == "embedded":
        made = EmbeddedKind(tmp_path, monkeypatch)
    else:
        made = KafkaKind(os.environ["KAFKA_BOOTSTRAP_SERVERS"], f"t{uuid.uuid4().hex[:12]}")
    yield made
    await made.end()
