"""Questions about offsets: where partitions begin and end, and what lies where in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

from cordboard.log.kafka.asking import asked
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.consumers import Isolation
from cordboard.log.kafka.troubles import asking
from cordboard.log.port import LogUnavailable, TopicPartition

ASK_MS: Final = 5_000


class Offsets:
    """Asks the leaders, by consumers that read nothing: one is told of all records, one of those that can be read."""

    def __init__(self, connection: Connection) -> None:
        self._consumer = _asking(connection, "read_uncommitted")
        self._of_readable = _asking(connection, "read_committed")
        self._open = False

    async def start(self) -> None:
        """Reach the cluster. Raises LogUnavailable."""
        with asking("connecting to Kafka"):
            await asyncio.gather(self._consumer.start(), self._of_readable.start())
        self._open = True

    async def close(self) -> None:
        """Ask nothing more."""
        self._open = False
        await asyncio.gather(self._consumer.stop(), self._of_readable.stop())

    async def starts(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The oldest offsets kept. Raises LogUnavailable."""
        self._must_be_open()
        with asking("asking where partitions begin"):
            told = await self._consumer.beginning_offsets([KafkaPartition(*at) for at in partitions])
        return {TopicPartition(at.topic, at.partition): offset for at, offset in told.items()}

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offsets that come next: everything acknowledged until now lies before them. Raises LogUnavailable."""
        self._must_be_open()
        with asking("asking where partitions end"):
            told = await self._consumer.end_offsets([KafkaPartition(*at) for at in partitions])
        return {TopicPartition(at.topic, at.partition): offset for at, offset in told.items()}

    async def readable_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The ends, or where the oldest transaction begins that is still open. Raises LogUnavailable."""
        self._must_be_open()
        with asking("asking up to where partitions can be read"):
            told = await self._of_readable.end_offsets([KafkaPartition(*at) for at in partitions])
        return {TopicPartition(at.topic, at.partition): offset for at, offset in told.items()}

    async def at_time(self, at: TopicPartition, time_ms: int) -> int | None:
        """The first offset of that time or later, None when there is none. Raises LogUnavailable."""
        self._must_be_open()
        place = KafkaPartition(*at)
        with asking("asking what lies where in time"):
            told = (await self._consumer.offsets_for_times({place: max(time_ms, 0)}))[place]
        return None if told is None else int(told.offset)

    def _must_be_open(self) -> None:
        if not self._open:
            raise LogUnavailable("the log is closed")


def _asking(connection: Connection, isolation: Isolation) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **connection.arguments(),
        group_id=None,
        enable_auto_commit=False,
        isolation_level=isolation,
        request_timeout_ms=ASK_MS,
    )


async def partition_counts(connection: Connection, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each of these topics has; 0 for one that is not there. Raises LogUnavailable."""
    names = list(topics)
    told = await asked(connection, lambda admin: admin.describe_topics(names))
    return {one["topic"]: len(one["partitions"]) for one in told}
