"""The log on Apache Kafka. What can be known of Kafka stays in this package; to all others it is the port.

One producer for what anybody appends, for the ledger and for what it owes: a request is under way at a time, and all
that comes meanwhile goes with the next. A producer for each of the three took twice the requests for the same commands.
Readers are consumers of their own; seats in groups read nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Self
from weakref import WeakSet

from aiokafka.partitioner import murmur2

from cordboard.clock import Clock
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.events import Observer, ignore
from cordboard.log.kafka.membership import Memberships, named
from cordboard.log.kafka.offsets import Offsets, partition_counts
from cordboard.log.kafka.ownership import Ownership, Writing
from cordboard.log.kafka.reader import KafkaReader
from cordboard.log.kafka.restore import Restorer
from cordboard.log.kafka.seat import KafkaSeat
from cordboard.log.kafka.writer import Placed, Writer
from cordboard.log.port import (
    Appended,
    Claim,
    GroupListener,
    LogError,
    LogUnavailable,
    Member,
    NewRecord,
    Reader,
    TopicPartition,
    TopicSpec,
)

MakeWriting = Callable[[Writer], Writing]


class KafkaLog:
    """One process's connection to a cluster. Made by `open`."""

    def __init__(
        self,
        connection: Connection,
        specs: Sequence[TopicSpec],
        ledger: str,
        inputs: Sequence[str],
        clock: Clock,
        session_ms: int,
        observe: Observer,
        through: MakeWriting,
    ) -> None:
        self._connection = connection
        self._counts = {spec.name: spec.partitions for spec in specs}
        self._ledger = ledger
        self._inputs = tuple(inputs)
        self._clock = clock
        self._session_ms = session_ms
        self._observe = observe
        self._writer = Writer(connection, clock, observe)
        self._writing = through(self._writer)
        self._offsets = Offsets(connection)
        self._memberships = Memberships(connection)
        restorer = Restorer(connection, ledger, self._offsets, observe)
        self._ownership = Ownership(ledger, inputs, self._writing, restorer, self._place, observe)
        self._readers: WeakSet[KafkaReader] = WeakSet()
        self._seats: WeakSet[KafkaSeat] = WeakSet()
        self._open = False

    @classmethod
    async def open(
        cls,
        connection: Connection,
        specs: Sequence[TopicSpec],
        *,
        ledger: str,
        inputs: Sequence[str],
        clock: Clock,
        session_timeout_ms: int = 10_000,
        observe: Observer = ignore,
        through: MakeWriting = lambda writer: writer,
    ) -> Self:
        """Connect. The topics must be there, with the partitions of their specs: `topics.ensure` makes them.

        `session_timeout_ms` is how long a silent member keeps its partitions. `through` lets tests stand between the
        log and its writer. Raises LogUnavailable, and LogError for topics that are not as declared.
        """
        log = cls(connection, specs, ledger, inputs, clock, session_timeout_ms, observe, through)
        try:
            await log._offsets.start()
            await log._check_counts()
            await log._writer.start()
        except BaseException:
            await log.close()
            raise
        log._open = True
        return log

    async def _check_counts(self) -> None:
        partitions = {self._counts[topic] for topic in self._inputs}
        if len(partitions) != 1:
            raise LogError(f"{', '.join(self._inputs)} must have equal partition counts")
        wanted = self._counts | {self._ledger: partitions.pop()}
        found = await partition_counts(self._connection, wanted)
        wrong = [
            f"topic {topic} has {found[topic]} partitions and must have {count}"
            if found[topic]
            else f"topic {topic} is not there"
            for topic, count in wanted.items()
            if found[topic] != count
        ]
        if wrong:
            raise LogError("; ".join(wrong))

    @property
    def healthy(self) -> bool:
        """See the port."""
        return self._open and self._writer.healthy

    @property
    def skew_ms(self) -> int:
        """How far the brokers' clock was ahead of ours at the last write (below 0: behind, or it took long)."""
        return self._writer.skew_ms

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See the port."""
        self._must_be_open()
        if not records:
            return []
        return await self._writing.append([Placed(self._place(record), record) for record in records])

    def partitions(self, topic: str) -> int:
        """See the port."""
        return self._counts[topic]

    def partition_for(self, topic: str, key: bytes) -> int:
        """See the port: as Java's clients place keys, so that theirs come where they belong."""
        return _hash(key) % self._counts[topic]

    async def start(self, at: TopicPartition) -> int:
        """See the port."""
        return (await self._offsets.starts((at,)))[at]

    async def end(self, at: TopicPartition) -> int:
        """See the port."""
        return (await self._offsets.ends((at,)))[at]

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        """See the port."""
        found = await self._offsets.at_time(at, time_ms)
        return await self.end(at) if found is None else found

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See the port."""
        self._must_be_open()
        reader = KafkaReader(self._connection, self._offsets, self._clock, positions, self._observe)
        self._readers.add(reader)
        return reader

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        """See the port."""
        self._must_be_open()
        connection = replace(self._connection, client_id=named(self._connection.client_id, name))
        seat = KafkaSeat(connection, group, topic, listener, self._session_ms, self._observe)
        self._seats.add(seat)
        await seat.take()
        return seat

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        """See the port."""
        self._must_be_open()
        return await self._memberships.holders(group, topic)

    async def claim(self, partition: int) -> Claim:
        """See the port. Raises PositionsLost."""
        self._must_be_open()
        return await self._ownership.claim(partition)

    async def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        """See the port. Raises Fenced."""
        self._must_be_open()
        async for page in self._ownership.pages(claim):
            yield page

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        """See the port."""
        self._must_be_open()
        await self._ownership.settle(claim, pages, outputs, positions)

    async def close(self) -> None:
        """See the port."""
        if self._open:
            self._open = False
            for reader in self._readers:
                reader.stop()
            await self._ownership.close()
        await asyncio.gather(
            *(reader.close() for reader in self._readers),
            *(seat.leave() for seat in self._seats),
            return_exceptions=True,
        )
        await asyncio.gather(self._writer.close(), self._offsets.close(), self._memberships.close())

    def _place(self, record: NewRecord) -> int:
        number = record.partition
        return self.partition_for(record.topic, record.key or b"") if number is None else number

    def _must_be_open(self) -> None:
        if not self._open:
            raise LogUnavailable("the log is closed")


@lru_cache(maxsize=16_384)  # It is written in Python, and asked for a dozen times in the life of one command.
def _hash(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF
