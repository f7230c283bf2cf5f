"""What the tests of forwarding share: a service that listens, and forwarders on an embedded log."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.clock import SystemClock
from cordboard.http_server import HttpServer
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import NewRecord, Record, TopicPartition
from tests.forwarding.stage import TOPICS, Service
from workers.core.forwarding import Patience
from workers.forwarding import Endpoint, Forwarder, ForwardSettings
from workers.forwarding.events import Event
from workers.forwarding.line import Poster

PARTITIONS = 2
QUICK = Patience(pause_ms=5, pause_ms_max=40)


class World:
    """A log, forwarders and what they tell."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.clock = SystemClock()
        self.events: list[Event] = []
        self.forwarders: list[Forwarder] = []
        self._endpoints: list[Endpoint] = []
        self.log: EmbeddedLog

    async def open(self) -> None:
        self.log = await EmbeddedLog.open(
            self._path, TOPICS.specs([], PARTITIONS), PARTITIONS, self.clock, TOPICS.inputs
        )

    async def forwarder(
        self, url: str, account: str = "main", timeout_ms: int = 2_000, poster: Poster | None = None, **settings: object
    ) -> Forwarder:
        chosen = ForwardSettings(**{"account": account, "patience": QUICK, "handover_ms": 1_000, **settings})
        endpoint = Endpoint(url, timeout_ms=timeout_ms)
        made = Forwarder(
            chosen,
            log=self.log,
            topics=TOPICS,
            endpoint=poster or endpoint,
            clock=self.clock,
            rng=random.Random(7),
            observe=self.events.append,
        )
        self._endpoints.append(endpoint)
        self.forwarders.append(made)
        await made.start()
        return made

    async def write(self, *records: NewRecord) -> None:
        await self.log.append(records)

    def committed(self, account: str = "main") -> list[int | None]:
        group = f"cordboard.forward.{account}"
        return [self.log.stored_commit((group, TOPICS.events, number)) for number in range(PARTITIONS)]

    async def ends(self) -> list[int]:
        return [await self.log.end(TopicPartition(TOPICS.events, number)) for number in range(PARTITIONS)]

    async def all_committed(self, account: str = "main") -> bool:
        return self.committed(account) == await self.ends()

    async def dead_letters(self) -> list[Record]:
        at = TopicPartition(TOPICS.dead_letters, 0)
        reader, found = self.log.reader({at: 0}), []
        while reader.positions()[at] < await self.log.end(at):
            found += await reader.read(1.0)
        await reader.close()
        return found

    async def close(self) -> None:
        for forwarder in self.forwarders:
            await forwarder.drain(0.1)
        for endpoint in self._endpoints:
            await endpoint.close()
        await self.log.close()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path / "log.sqlite3")
    await world.open()
    yield world
    await world.close()


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    service.server = HttpServer(service.app(), "127.0.0.1", 0, drain_seconds=0.1)
    await service.server.start()
    yield service
    service.let_go()
    await service.server.stop()
