"""The end of a consumer: whatever aiokafka is doing meanwhile, whoever ends one goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.consumers import assigned_consumer, stop
from cordboard.log.kafka.demands import demands
from cordboard.log.kafka.topics import ensure
from cordboard.topics import Topics


@pytest.fixture
async def consumer(kafka_servers: str, kafka_prefix: str) -> AsyncIterator[AIOKafkaConsumer]:
    """One that follows a topic."""
    topics, connection = Topics(kafka_prefix), Connection(bootstrap_servers=kafka_servers)
    wanted = demands(topics.specs(["main"], 1), ledger=topics.ledger, partitions=1, inputs=topics.inputs)
    await ensure(connection, wanted)
    consumer = assigned_consumer(connection, "read_committed")
    await consumer.start()
    place = TopicPartition(topics.results, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    yield consumer
    await consumer._client.close()


async def pausing(consumer: AIOKafkaConsumer) -> None:
    """Have every fetch fail, as by a broker that died, and return once the consumer pauses before its next one."""
    failed = asyncio.Event()

    async def send(*_: object, **__: object) -> None:
        failed.set()
        raise KafkaConnectionError("the broker died")

    consumer._fetcher._retry_backoff = 3_600
    consumer._client.send = send
    await failed.wait()
    await asyncio.sleep(0)  # It goes from the failure to its pause without waiting for anything else.


async def test_a_consumer_whose_fetch_has_just_failed_ends(consumer: AIOKafkaConsumer) -> None:
    """
    What aiokafka cancels of its own does not end the task that ends the consumer, and no connection stays open.
    """
    await pausing(consumer)
    async with asyncio.timeout(30):
        await stop(consumer)

    assert [conn for conn in consumer._client._conns.values() if conn.connected()] == []


async def test_who_is_cancelled_meanwhile_is_cancelled(consumer: AIOKafkaConsumer) -> None:
    """
    A task that is told to end while it ends a consumer does so.
    """

    async def never() -> None:
        await asyncio.Event().wait()

    consumer._coordinator.close = never
    ending = asyncio.create_task(stop(consumer))
    while not consumer._closed:  # noqa: ASYNC110 - aiokafka tells nobody of it.
        await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
