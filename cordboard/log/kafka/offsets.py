"""Questions about offsets: where partitions begin and end, and what lies where in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiokafka import TopicPartition as KafkaPartition

from cordboard.log.kafka.asking import asked
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.consumers import assigned_consumer, stop
from cordboard.log.kafka.troubles import asking
from cordboard.log.port import LogUnavailable, TopicPartition

Ask = Callable[[list[KafkaPartition]], Awaitable[dict[KafkaPartition, int]]]


class Offsets:
    """Asks the leaders, by consumers that read nothing: one is told of all records, one of those that can be read."""

    def __init__(self, connection: Connection) -> None:
        self._consumer = assigned_consumer(connection, "read_uncommitted")
        self._of_readable = assigned_consumer(connection, "read_committed")
        self._open = False

    async def start(self) -> None:
        """Reach the cluster. Raises LogUnavailable."""
        with asking("connecting to Kafka"):
            await asyncio.gather(self._consumer.start(), self._of_readable.start())
        self._open = True

    async def close(self) -> None:
        """Ask nothing more."""
        self._open = False
        await asyncio.gather(stop(self._consumer), stop(self._of_readable))

    async def starts(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The oldest offsets kept. Raises LogUnavailable."""
        return await self._told("asking where partitions begin", self._consumer.beginning_offsets, partitions)

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offsets that come next: everything acknowledged until now lies before them. Raises LogUnavailable."""
        return await self._told("asking where partitions end", self._consumer.end_offsets, partitions)

    async def readable_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The ends, or where the oldest transaction begins that is still open. Raises LogUnavailable."""
        what = "asking up to where partitions can be read"
        return await self._told(what, self._of_readable.end_offsets, partitions)

    async def at_time(self, at: TopicPartition, time_ms: int) -> int | None:
        """The first offset of that time or later, None when there is none. Raises LogUnavailable."""
        self._must_be_open()
        place = KafkaPartition(*at)
        with asking("asking what lies where in time"):
            told = (await self._consumer.offsets_for_times({place: max(time_ms, 0)}))[place]
        return None if told is None else int(told.offset)

    async def _told(self, what: str, ask: Ask, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        self._must_be_open()
        with asking(what):
            told = await ask([KafkaPartition(*at) for at in partitions])
        return {TopicPartition(at.topic, at.partition): offset for at, offset in told.items()}

    def _must_be_open(self) -> None:
        if not self._open:
            raise LogUnavailable("the log is closed")


async def partition_counts(connection: Connection, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each of these topics has; 0 for one that is not there. Raises LogUnavailable."""
    names = list(topics)
    told = await asked(connection, lambda admin: admin.describe_topics(names))
    return {one["topic"]: len(one["partitions"]) for one in told}
