"""Straight to Kafka: commands as any client may write them, past the gRPC doors, some on the wrong partition."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cordboard.topics import Topics
from cordboard.v1 import PLACEMENT_NOW, Command

_ASTRAY_SHARE: Final = 0.1  # Clients whose hashing is another one; Cordboard routes their commands on.
_PAUSE_SECONDS: Final = 0.3


class Producer:
    """One producer for all services; a good client: what was not acknowledged is written again under the same id.

    An idempotent producer tries again by itself, for as long as it takes; one that broke for good is replaced.
    """

    def __init__(self, servers: str, topics: Topics, partitions: int, rng: Random) -> None:
        self._servers = servers
        self._topics = topics
        self._partitions = partitions
        self._rng = rng
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._usable()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def produce(self, commands: Sequence[Command]) -> set[str]:
        """Write commands in this order, until every one is acknowledged; their ids."""
        waiting = list(commands)
        while waiting:
            producer = await self._usable()
            try:
                written = [await self._write(producer, command) for command in waiting]
                await asyncio.wait(written)
            except KafkaError:
                written = []
            waiting = [
                command
                for command, one in zip(waiting, written or [None] * len(waiting), strict=True)
                if one is None or one.exception() is not None
            ]
            if waiting:
                await self._replace(producer)
        return {command.command_id for command in commands}

    async def _write(self, producer: AIOKafkaProducer, command: Command) -> asyncio.Future[object]:
        topic = self._topics.now if command.placement == PLACEMENT_NOW else self._topics.commands
        astray = self._rng.randrange(self._partitions) if self._rng.random() < _ASTRAY_SHARE else None
        key = command.call_control_id.encode()
        future: asyncio.Future[object] = await producer.send(topic, command.SerializeToString(), key, astray)
        return future

    async def _usable(self) -> AIOKafkaProducer:
        async with self._making:
            while self._producer is None:
                producer = AIOKafkaProducer(bootstrap_servers=self._servers, acks="all", enable_idempotence=True)
                try:
                    await producer.start()
                except KafkaError:
                    await producer.stop()
                    await asyncio.sleep(_PAUSE_SECONDS)
                else:
                    self._producer = producer
            return self._producer

    async def _replace(self, broken: AIOKafkaProducer) -> None:
        if self._producer is broken:
            self._producer = None
            await broken.stop()
        await asyncio.sleep(_PAUSE_SECONDS)
