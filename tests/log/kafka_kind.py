"""Kafka behind the conformance suite's few verbs: real brokers, own topics for each test, faults at the writers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from cordboard.clock import SystemClock
from cordboard.log.cruelty import Cruelty, Fate, Killed, Step, by_chance, gentle, nth_write
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.entries import Stored
from cordboard.log.kafka.log import KafkaLog
from cordboard.log.kafka.ownership import Writing
from cordboard.log.kafka.writer import Placed
from cordboard.log.port import (
    Appended,
    AppendUncertain,
    Claim,
    GroupListener,
    Log,
    LogError,
    LogUnavailable,
    Member,
    NewRecord,
    Reader,
    Record,
    TopicPartition,
)
from tests.log.kinds import INPUTS, PARTITIONS, TOPICS, dawdling

T = TypeVar("T")
CONFIG = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(8 * 1024 * 1024)}


class KafkaKind:
    """Topics under a prefix of their own; a log is one process's connection."""

    def __init__(self, servers: str, prefix: str) -> None:
        self._connection = Connection(bootstrap_servers=servers)
        self._prefix = prefix
        self._logs: list[Renamed] = []
        self._made = False

    async def open(self, fault: tuple[int, Fate] | None = None) -> Log:
        return await self._open(gentle if fault is None else nth_write(*fault))

    async def colleague(self, log: Log) -> Log:
        return await self.open()

    async def restless(self, random: Random) -> Log:
        odds = {fate: 0.03 for fate in Fate if fate is not Fate.GO}
        return await self._open(dawdling(random, by_chance(random, odds)))

    async def survive(self, log: Log, work: Coroutine[Any, Any, None]) -> LogError | None:
        try:
            await work
        except LogError as error:
            return error
        except Killed:
            pass  # The others carry on.
        return None

    async def later(self) -> int:
        await asyncio.sleep(0.6)  # The brokers' time is real.
        return round(time.time() * 1000)

    async def end(self) -> None:
        for log in self._logs:
            with suppress(Killed):  # At the last of its writes, perhaps.
                await log.close()
        if self._made:
            async with admin(self._connection) as client:
                await client.delete_topics([f"{self._prefix}.{name}" for name in (*(t.name for t in TOPICS), "ledger")])

    async def _open(self, cruelty: Cruelty) -> Log:
        if not self._made:
            await self._make()
        process = Process(cruelty)
        log = await KafkaLog.open(
            self._connection,
            [replace(spec, name=f"{self._prefix}.{spec.name}") for spec in TOPICS],
            ledger=f"{self._prefix}.ledger",
            inputs=[f"{self._prefix}.{name}" for name in INPUTS],
            clock=SystemClock(),
            through=process.writing,
        )
        self._logs.append(Renamed(log, self._prefix))
        return self._logs[-1]

    async def _make(self) -> None:
        self._made = True
        topics = [NewTopic(f"{self._prefix}.{t.name}", t.partitions, 1, topic_configs=CONFIG) for t in TOPICS]
        ledger = NewTopic(f"{self._prefix}.ledger", PARTITIONS, 1, topic_configs=CONFIG | {"cleanup.policy": "compact"})
        async with admin(self._connection) as client:
            await client.create_topics([*topics, ledger])
            names = [topic.name for topic in (*topics, ledger)]
            while not all(told["partitions"] for told in await client.describe_topics(names)):
                pass  # The controller has made them; the broker learns of it in a moment.


@asynccontextmanager
async def admin(connection: Connection) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that makes topics."""
    client = AIOKafkaAdminClient(**connection.arguments())
    await client.start()
    try:
        yield client
    finally:
        await client.close()


class Process:
    """A process that may die at any of its writes; the dead write nothing."""

    def __init__(self, cruelty: Cruelty) -> None:
        self._cruelty = cruelty
        self._dead = False

    def writing(self, inner: Writing) -> Writing:
        return Faulty(self, inner)

    async def write(self, step: Step, write: Callable[[], Awaitable[T]]) -> T:
        if self._dead:
            raise LogUnavailable("this process has died")
        fate = await self._cruelty(step)
        if fate is Fate.REFUSE:
            raise LogUnavailable(f"{step}: refused")
        if fate is Fate.LOSE:
            raise AppendUncertain(f"{step}: lost")
        if fate is Fate.STOP_BEFORE:
            self._die()
        result = await write()
        if fate is Fate.TWICE:
            await write()
        if fate is Fate.LOSE_ACK:
            raise AppendUncertain(f"{step}: written, but the acknowledgement was lost")
        if fate is Fate.STOP_AFTER:
            self._die()
        return result

    def _die(self) -> None:
        self._dead = True
        raise Killed


class Faulty:
    """Stands before a writer. Records are written one by one, so that something may happen between any two."""

    def __init__(self, process: Process, inner: Writing) -> None:
        self._process = process
        self._inner = inner

    async def append(self, records: Sequence[Placed]) -> list[Appended]:
        appended: list[Appended] = []
        for record in records:
            try:
                appended += await self._process.write(Step.APPEND, lambda record=record: self._inner.append([record]))
            except LogUnavailable as error:
                if not appended:
                    raise
                raise AppendUncertain("a part of the records was written") from error
        return appended

    async def append_whole(self, at: TopicPartition, records: Sequence[Stored]) -> int:
        return await self._process.write(Step.OWING, lambda: self._inner.append_whole(at, records))


class Renamed:
    """A log whose topics and groups have a prefix that its users do not know of."""

    def __init__(self, inner: Log, prefix: str) -> None:
        self._inner = inner
        self._prefix = f"{prefix}."

    @property
    def healthy(self) -> bool:
        return self._inner.healthy

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        return await self._inner.append(self._inside(records))

    def partitions(self, topic: str) -> int:
        return self._inner.partitions(self._prefix + topic)

    def partition_for(self, topic: str, key: bytes) -> int:
        return self._inner.partition_for(self._prefix + topic, key)

    async def start(self, at: TopicPartition) -> int:
        return await self._inner.start(self._at(at))

    async def end(self, at: TopicPartition) -> int:
        return await self._inner.end(self._at(at))

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        return await self._inner.offset_at(self._at(at), time_ms)

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        return RenamedReader(self._inner.reader({self._at(at): o for at, o in positions.items()}), self._prefix)

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        return await self._inner.join(self._prefix + group, self._prefix + topic, listener, name)

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        return await self._inner.holders(self._prefix + group, self._prefix + topic)

    async def claim(self, partition: int) -> Claim:
        claim = await self._inner.claim(partition)
        claim.positions = {topic.removeprefix(self._prefix): o for topic, o in claim.positions.items()}
        return claim

    async def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        async for page in self._inner.pages(claim):
            yield page

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        inside = {self._prefix + topic: offset for topic, offset in positions.items()}
        await self._inner.settle(claim, pages, self._inside(outputs), inside)

    async def close(self) -> None:
        await self._inner.close()

    def _at(self, at: TopicPartition) -> TopicPartition:
        return TopicPartition(self._prefix + at.topic, at.partition)

    def _inside(self, records: Sequence[NewRecord]) -> list[NewRecord]:
        return [replace(record, topic=self._prefix + record.topic) for record in records]


class RenamedReader:
    def __init__(self, inner: Reader, prefix: str) -> None:
        self._inner = inner
        self._prefix = prefix

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        records = await self._inner.read(timeout_seconds, records_max)
        return [replace(record, topic=record.topic.removeprefix(self._prefix)) for record in records]

    async def read_past(self, time_ms: int) -> bool:
        return await self._inner.read_past(time_ms)

    def positions(self) -> Mapping[TopicPartition, int]:
        known = self._inner.positions().items()
        return {TopicPartition(at.topic.removeprefix(self._prefix), at.partition): offset for at, offset in known}

    def interrupt(self) -> None:
        self._inner.interrupt()

    async def close(self) -> None:
        await self._inner.close()
