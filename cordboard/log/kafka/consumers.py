"""aiokafka's consumers, as all of this package make and end them."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import RECORD_BYTES_MAX
from cordboard.log.kafka.troubles import in_words

FETCH_WAIT_MS: Final = 500  # How long a broker keeps a request that it has nothing for.
REQUEST_MS: Final = 5_000  # After which a broker counts as gone, and another is looked for.
_STOP_SECONDS: Final = 5.0

# What is read of Kafka's transactions, which only other people's producers use: those that were committed, up to the
# first that is open (the last stable offset), or all that was written.
Isolation = Literal["read_committed", "read_uncommitted"]

_log = structlog.get_logger(__name__)


def assigned_consumer(connection: Connection, isolation: Isolation) -> AIOKafkaConsumer:
    """A consumer outside any group, which goes nowhere by itself when its position is not there."""
    return AIOKafkaConsumer(
        **connection.arguments(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level=isolation,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        max_partition_fetch_bytes=RECORD_BYTES_MAX,
        request_timeout_ms=REQUEST_MS,
    )


async def stop(consumer: AIOKafkaConsumer) -> None:
    """End a consumer; one that does not end in time is left to itself."""
    await asyncio.sleep(0)  # A task of aiokafka's that is cancelled before its first step makes its stop fail.
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await _stop(consumer)
    except (KafkaError, OSError, TimeoutError) as error:
        _log.info("a consumer was left as it was", why=in_words(error))


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """End it without being ended.

    aiokafka cancels its fetches and waits for them. One that has just failed, as when a broker died, and pauses before
    the next one does not take that as its end (tried with 0.14): the wait raises CancelledError though nobody
    has cancelled us. All that was still to be done by then is to close the connections.
    """
    task = asyncio.current_task()
    asked = task.cancelling() if task is not None else 0
    try:
        await consumer.stop()
    except asyncio.CancelledError:
        if task is None or task.cancelling() > asked:
            raise  # It is we who are to end, or to wait no longer.
        await consumer._client.close()
