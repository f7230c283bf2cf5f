"""A ledger of a test's own on a real broker: owners' logs on it, what stands in it, and what a zombie puts there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from cordboard.clock import SystemClock
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import Copies, creation, demands
from cordboard.log.kafka.entries import Stored, from_stored, to_stored
from cordboard.log.kafka.events import Claimed, Event, RestoreEnded, ignore
from cordboard.log.kafka.log import KafkaLog
from cordboard.log.kafka.topics import ensure
from cordboard.log.kafka.writer import Writer
from cordboard.log.ledger import Entry, Ledger
from cordboard.log.port import Claim, NewRecord, TopicPartition
from cordboard.topics import Topics
from tests.log.kafka_kind import admin

PATIENCE_SECONDS: Final = 60.0


class Owning:
    """One process's log, and what it has told of itself."""

    def __init__(self, log: KafkaLog, seen: list[Event]) -> None:
        self.log = log
        self._seen = seen

    async def claim(self) -> Claim:
        return await self.log.claim(0)

    async def pages(self, claim: Claim) -> dict[str, bytes]:
        return dict([page async for page in self.log.pages(claim)])

    @property
    def claimed(self) -> list[Claimed]:
        return [event for event in self._seen if isinstance(event, Claimed)]

    @property
    def restored(self) -> list[RestoreEnded]:
        return [event for event in self._seen if isinstance(event, RestoreEnded)]


class Ledgers:
    """One partition, as many processes as a test opens, and a hand in the ledger."""

    def __init__(self, servers: str, prefix: str) -> None:
        self._connection = Connection(bootstrap_servers=servers)
        self.topics = Topics(prefix)
        self._at = TopicPartition(self.topics.ledger, 0)
        self._specs = self.topics.specs(["main"], 1)
        self._logs: list[KafkaLog] = []
        self._writer = Writer(self._connection, SystemClock(), ignore)

    async def make(self) -> None:
        """Create the topics."""
        demanded = demands(self._specs, ledger=self.topics.ledger, partitions=1, inputs=self.topics.inputs)
        await ensure(self._connection, demanded, 1, 1)
        self._as_made = creation(demanded[-1], Copies(1, 1))
        await self._writer.start()

    async def close(self) -> None:
        await asyncio.gather(*(log.close() for log in self._logs), self._writer.close())

    async def open(self) -> Owning:
        """A process."""
        seen: list[Event] = []
        log = await KafkaLog.open(
            self._connection,
            self._specs,
            ledger=self.topics.ledger,
            inputs=self.topics.inputs,
            clock=SystemClock(),
            observe=seen.append,
        )
        self._logs.append(log)
        return Owning(log, seen)

    async def write(self, *entries: Entry) -> int:
        """Put entries into the ledger by hand; the first one's offset."""
        return await self.write_stored(*map(to_stored, entries))

    async def write_stored(self, *records: Stored) -> int:
        return await self._writer.append_whole(self._at, records)

    async def records(self) -> list[tuple[int, Stored]]:
        """All that stands in the ledger, each with its offset."""
        return [(one.offset, Stored(one.key, one.value, tuple(one.headers))) for one in await self._read(self._at)]

    async def entries(self) -> list[tuple[int, Entry]]:
        return read(await self.records())

    async def results(self) -> list[bytes]:
        """All that came out."""
        return [record.value for record in await self._read(TopicPartition(self.topics.results, 0))]

    async def until(self, holds: Callable[[list[tuple[int, Entry]]], bool]) -> None:
        """Return when it holds of the ledger's entries."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds(await self.entries()):
                pass  # To read them takes its time.

    async def compacted(self) -> int:
        """Have the broker compact what there is, at once, and return how many records it took away."""
        hurried = {"min.compaction.lag.ms": "0", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001"}
        async with admin(self._connection) as client:
            settings = ConfigResource(ConfigResourceType.TOPIC, self.topics.ledger, self._as_made | hurried)
            [answer] = await client.alter_configs([settings])
        assert [one[0] for one in answer.resources] == [0]
        before = await self.records()
        kept = {offset for offset, _ in keep_last(before)}
        # The cleaner leaves the segment alone that is written to: what is no entry of a ledger begins the next one.
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (left := {offset for offset, _ in await self.records()} & {o for o, _ in before}) > kept:
                await self.write_stored(Stored(b"x", b"nothing"))
                await asyncio.sleep(0.1)
        assert left == kept, "the broker kept other records than the last one of each key"
        return len(before) - len(kept)

    def result(self, value: bytes) -> NewRecord:
        return NewRecord(self.topics.results, b"call", value, (("ce_id", value),), 0)

    def positions(self, commands: int) -> dict[str, int]:
        return dict.fromkeys(self.topics.inputs, 0) | {self.topics.commands: commands}

    async def _read(self, at: TopicPartition) -> list[object]:
        consumer = AIOKafkaConsumer(**self._connection.arguments(), group_id=None, auto_offset_reset="earliest")
        await consumer.start()
        try:
            place = KafkaPartition(*at)
            consumer.assign([place])
            end, found = (await consumer.end_offsets([place]))[place], []
            await consumer.seek_to_beginning(place)
            while await consumer.position(place) < end:
                found += (await consumer.getmany(place, timeout_ms=200)).get(place, [])
            return [record for record in found if record.offset < end]
        finally:
            await consumer.stop()


def read(records: Iterable[tuple[int, Stored]]) -> list[tuple[int, Entry]]:
    """The entries that records stand for."""
    made = ((offset, from_stored(*record)) for offset, record in records)
    return [(offset, entry) for offset, entry in made if entry is not None]


def keep_last(records: Iterable[tuple[int, Stored]]) -> list[tuple[int, Stored]]:
    """What compaction leaves at its hardest: of each key the last record."""
    last = {record.key: offset for offset, record in records}
    return [(offset, record) for offset, record in records if last[record.key] == offset]


def amounts_to(records: Iterable[tuple[int, Stored]]) -> tuple[dict[str, bytes], dict[str, int]]:
    """Pages and positions, what is owed taken as done."""
    ledger = Ledger.of(read(records))
    for owing in ledger.owed.values():
        ledger.positions |= owing.positions
    return ledger.pages, ledger.positions
