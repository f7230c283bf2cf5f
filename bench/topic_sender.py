"""Commands straight from Kafka: written to the commands topic, their results read from the results topic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.cells import Place
from bench.commands import command, wrong
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.offsets import partition_counts
from cordboard.topics import Topics
from cordboard.v1.result_pb2 import CommandResult

# What a sender is told of a command that is sent once; both are results.
_FINAL: Final = frozenset({b"cordboard.command.result.v1", b"cordboard.command.result.refused.v1"})
# More than are ever in flight: who finds a batch full would wait, and others would pass it.
_BATCH_BYTES: Final = 1024 * 1024


class TopicSender:
    """One producer and one consumer, by aiokafka's defaults but for safety: acknowledged by all, written once."""

    keeps_order = True

    def __init__(self, topics: Topics, producer: AIOKafkaProducer) -> None:
        self._commands = topics.commands
        self._producer = producer
        self._waiting: dict[bytes, asyncio.Future[bytes]] = {}

    async def send(self, call: str, command_id: str) -> str:
        answered = self._waiting[command_id.encode()] = asyncio.get_running_loop().create_future()
        value = command(call, command_id).SerializeToString()
        await self._producer.send(self._commands, value, call.encode())
        return wrong(CommandResult.FromString(await answered))

    async def hear(self, consumer: AIOKafkaConsumer) -> None:
        """Hand results to those who wait for them, until cancelled; who still waits then, or when it fails, is told."""
        try:
            async for record in consumer:
                headers = dict(record.headers)
                if headers["ce_type"] in _FINAL and (answered := self._waiting.pop(headers["ce_commandid"], None)):
                    answered.set_result(record.value)
        finally:
            for answered in self._waiting.values():
                answered.set_exception(ConnectionError("results are not read any more"))


@asynccontextmanager
async def topics_sender(place: Place) -> AsyncIterator[TopicSender]:
    """Connected, and reading results from their end."""
    topics = Topics(place.topic_prefix)
    async with (
        AIOKafkaProducer(
            bootstrap_servers=place.kafka_servers, acks="all", enable_idempotence=True, max_batch_size=_BATCH_BYTES
        ) as producer,
        from_the_end(place.kafka_servers, topics.results) as consumer,
    ):
        sender = TopicSender(topics, producer)
        hearing = asyncio.create_task(sender.hear(consumer))
        yield sender
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


@asynccontextmanager
async def from_the_end(servers: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of all that a topic is given from now on."""
    every = await partitions(servers, topic)
    async with AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="latest") as consumer:
        consumer.assign(every)
        for at in every:
            await consumer.position(at)  # From here on it is where the end is now.
        yield consumer


async def partitions(servers: str, topic: str) -> list[TopicPartition]:
    """All of a topic."""
    counts = await partition_counts(Connection(bootstrap_servers=servers), [topic])
    return [TopicPartition(topic, number) for number in range(counts[topic])]
