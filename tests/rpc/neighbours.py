"""Several dispatchers, each with its door, that share the partitions of one in-memory broker as processes would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from prometheus_client import CollectorRegistry

from cordboard.log.memory import MemoryLog
from cordboard.log.memory_broker import MemoryBroker
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from tests.rpc.door import CLOCK, PARTITIONS, TOPICS, Hands, make_dispatcher, make_door, until


class Process:
    """A dispatcher and its door on a connection of its own."""

    def __init__(self, broker: MemoryBroker, credentials: grpc.ChannelCredentials | None = None, **door: Any) -> None:
        """`credentials` are those of who asks at its door, where that has TLS."""
        self._credentials = credentials
        self.log = MemoryLog(broker)
        self.registry = CollectorRegistry()
        self.dispatcher = make_dispatcher(self.log)
        self.server = make_door(self.log, self.dispatcher, registry=self.registry, **door)
        self.name = ""
        self.stub: Any = None
        self.channel: grpc.aio.Channel | None = None

    async def open(self) -> None:
        """Open the door."""
        self.name = f"127.0.0.1:{await self.server.start()}"
        if self._credentials is None:
            self.channel = grpc.aio.insecure_channel(self.name)
        else:
            self.channel = grpc.aio.secure_channel(self.name, self._credentials)
        self.stub = stubs.DispatcherServiceStub(self.channel)

    async def start(self) -> None:
        """Open the door, then take a seat under its address."""
        await self.open()
        await self.dispatcher.start(self.name)

    async def stop(self) -> None:
        """Close the door and give everything up."""
        if self.channel is not None:
            await self.channel.close()
        await self.server.stop(0.1)
        await self.dispatcher.stop()

    async def die(self) -> None:
        """End without a word to anybody."""
        await self.log.kill()
        await self.server.stop(0)

    def forwarded(self, outcome: str) -> float:
        """How many questions it put to others that came to this."""
        return self.registry.get_sample_value("cordboard_questions_forwarded_total", {"outcome": outcome}) or 0

    def call(self, number: int = 0) -> str:
        """A call whose page this process owns."""
        return [key for key in map(str, range(200)) if self._partition(key) in self.dispatcher.owned][number]

    def _partition(self, key: str) -> int:
        return self.log.partition_for(TOPICS.commands, key.encode())


class Street:
    """All of them, and the workers."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(TOPICS.specs(["main", "other"], PARTITIONS), PARTITIONS, CLOCK, TOPICS.inputs)
        self.hands = Hands(MemoryLog(self.broker))
        self.processes: list[Process] = []

    async def started(self, **door: Any) -> Process:
        """A new process."""
        process = Process(self.broker, **door)
        self.processes.append(process)
        await process.start()
        return process

    async def spread(self, *living: Process) -> None:
        """Return when every partition is served by one of these."""
        await until(lambda: sorted(p for one in living for p in one.dispatcher.owned) == list(range(PARTITIONS)))
        for one in living:
            await one.dispatcher.settled()


@asynccontextmanager
async def street(count: int, **door: Any) -> AsyncIterator[Street]:
    """So many processes, their doors made so, the partitions spread over them; the first two own one each."""
    made = Street()
    working = asyncio.create_task(made.hands.run())
    try:
        for _ in range(count):
            await made.started(**door)
        await made.spread(*made.processes)
        yield made
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        for process in made.processes:
            if process.log.healthy:
                await process.stop()
