"""Reading a ledger partition from its beginning: what its entries amount to, for a claim."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.consumers import assigned_consumer, stop
from cordboard.log.kafka.entries import from_stored
from cordboard.log.kafka.events import Observer, RestoreEnded, Restoring
from cordboard.log.kafka.offsets import Offsets
from cordboard.log.kafka.troubles import asking
from cordboard.log.ledger import Ledger
from cordboard.log.port import LogUnavailable, TopicPartition

SILENCE_SECONDS_MAX: Final = 15.0  # Without a single record, although there are some.
RECORDS_AT_ONCE: Final = 2_000  # So that others may run in between.
_WAIT_MS: Final = 1_000


@dataclass(slots=True)
class Restored:
    """A ledger, and the offset up to which it was read."""

    ledger: Ledger = field(default_factory=Ledger)
    offset: int = 0
    records: int = 0


class Restorer:
    """Reads the partitions of the ledger topic."""

    def __init__(self, connection: Connection, ledger: str, offsets: Offsets, observe: Observer) -> None:
        self._connection = connection
        self._topic = ledger
        self._offsets = offsets
        self._observe = observe

    async def read(self, partition: int, so_far: Restored | None = None, until: int | None = None) -> Restored:
        """Read on from where it was read to, up to an offset or to the end. Raises LogUnavailable, LogUnusable."""
        at = TopicPartition(self._topic, partition)
        end = until if until is not None else (await self._offsets.ends((at,)))[at]
        restored = so_far or Restored(offset=(await self._offsets.starts((at,)))[at])
        if restored.offset >= end:
            return restored
        started = asyncio.get_running_loop().time()
        # Only owners write to a ledger, and never in a transaction: whatever stands there counts as it stands.
        consumer = assigned_consumer(self._connection, "read_uncommitted")
        try:
            with asking(f"reading the ledger's partition {partition}"):
                await consumer.start()
                place = KafkaPartition(*at)
                consumer.assign([place])
                consumer.seek(place, restored.offset)
                await self._follow(consumer, place, restored, end)
        finally:
            self._tell_end(partition, restored, started, is_whole=restored.offset >= end, is_rest=so_far is not None)
            await stop(consumer)
        return restored

    def _tell_end(self, partition: int, restored: Restored, started: float, *, is_whole: bool, is_rest: bool) -> None:
        seconds = asyncio.get_running_loop().time() - started
        pages = len(restored.ledger.pages)
        self._observe(RestoreEnded(partition, restored.records, pages, seconds, is_whole, is_rest))

    async def _follow(self, consumer: AIOKafkaConsumer, place: KafkaPartition, restored: Restored, end: int) -> None:
        loop = asyncio.get_running_loop()
        started = heard = loop.time()
        start = restored.offset
        while restored.offset < end:
            seconds = loop.time() - started
            self._observe(Restoring(place.partition, restored.records, start, restored.offset, end, seconds))
            fetched = await consumer.getmany(place, timeout_ms=_WAIT_MS, max_records=RECORDS_AT_ONCE)
            take = restored.ledger.take
            for record in fetched.get(place, ()):
                if record.offset < end and (entry := from_stored(record.key, record.value, record.headers)) is not None:
                    take(record.offset, entry)
                    restored.records += 1
            reached = min(await consumer.position(place), end)  # Beyond the last record, where compaction left gaps.
            if reached > restored.offset:
                heard = loop.time()
            elif loop.time() - heard > SILENCE_SECONDS_MAX:
                raise LogUnavailable(f"the ledger's partition {place.partition} is not served")
            restored.offset = reached
            await asyncio.sleep(0)
