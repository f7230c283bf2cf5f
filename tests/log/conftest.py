"""Every test that asks for a `kind` runs on every kind of log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.log.kafka_kind import KafkaKind
from tests.log.kinds import EmbeddedKind, Kind, MemoryKind, SealedKind


@pytest.fixture(params=["embedded", "sealed", "memory", "kafka"])
async def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Kind]:
    made: Kind
    if request.param == "memory":
        made = MemoryKind()
    elif request.param == "embedded":
        made = EmbeddedKind(tmp_path, monkeypatch)
    elif request.param == "sealed":
        made = SealedKind(EmbeddedKind(tmp_path, monkeypatch))
    else:
        made = KafkaKind(request.getfixturevalue("kafka_servers"), request.getfixturevalue("kafka_prefix"))
    yield made
    await made.end()
