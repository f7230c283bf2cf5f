"""Writing: records and whole batches, through an idempotent producer that waits for all replicas in sync.

The producer tries again by itself and never gives up; a write is given up here, after a while, and may still happen.
What it sends to one partition arrives in the order in which it was given, once. A producer that has failed a batch for
good has a hole in its sequence and is good for nothing: it is replaced by a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cordboard.clock import Clock
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import RECORD_BYTES_MAX
from cordboard.log.kafka.entries import Stored
from cordboard.log.kafka.events import Observer, Written
from cordboard.log.kafka.troubles import asking, in_words, refused
from cordboard.log.port import Appended, AppendUncertain, LogError, LogUnavailable, NewRecord, TopicPartition

PATIENCE_SECONDS: Final = 10.0  # After which a write without an acknowledgement is given up.
REQUEST_MS: Final = 5_000  # After which the producer tries a request again, perhaps with another broker.
BATCH_BYTES: Final = 1024 * 1024
RENEW_SECONDS: Final = 1.0  # Between two tries to have a new producer, while nobody writes.
_CLOSE_SECONDS: Final = 3.0

Futures = list[asyncio.Future[Any]]

_log = structlog.get_logger(__name__)


class Placed(NamedTuple):
    """A record and its partition."""

    partition: int
    record: NewRecord


class Writer:
    """One producer, from `start` to `close`, and the next one where it breaks."""

    def __init__(self, connection: Connection, clock: Clock, observe: Observer) -> None:
        self._connection = connection
        self._clock = clock
        self._observe = observe
        self._producer: AIOKafkaProducer | None = None
        self._renewing: asyncio.Task[AIOKafkaProducer] | None = None
        self._retired: set[asyncio.Task[None]] = set()
        self._closed = False
        # Whether the last write that ended was acknowledged, or a producer has reached the cluster since.
        self.healthy = True
        self.skew_ms = 0  # The log's time at the last acknowledged write, less ours.

    async def start(self) -> None:
        """Reach the cluster. Raises LogUnavailable."""
        self._producer = await self._new_producer()

    async def close(self) -> None:
        """Send what waits, for a moment, and stop."""
        self._closed = True
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait((self._renewing,))
        producer, self._producer = self._producer, None
        if producer is not None:
            self._retire(producer)
        await asyncio.gather(*self._retired, return_exceptions=True)

    async def append(self, records: Sequence[Placed]) -> list[Appended]:
        """Write records; those of a partition keep their order. Raises LogUnavailable and AppendUncertain."""

        async def send(producer: AIOKafkaProducer, futures: Futures) -> None:
            for partition, record in records:
                futures.append(
                    await producer.send(record.topic, record.value, record.key, partition, headers=list(record.headers))
                )

        told = await self._written(records[0].record.topic, len(records), send)
        if min(one.offset for one in told) < 0:
            raise AppendUncertain("the records are there, and the log does not know their places any more")
        return [Appended(one.partition, one.offset, one.timestamp) for one in told]

    async def append_whole(self, at: TopicPartition, records: Sequence[Stored]) -> int:
        """Write records as one batch, all or none, with consecutive offsets; returns the first one.

        Minus one where the log has the batch and does not know its place any more. Raises as `append` does; for what
        does not fit into one batch LogUnavailable.
        """

        async def send(producer: AIOKafkaProducer, futures: Futures) -> None:
            batch = producer.create_batch()
            for key, value, headers in records:
                if batch.append(key=key, value=value, timestamp=None, headers=list(headers)) is None:
                    raise LogUnavailable(f"{at.topic}: {len(records)} records do not fit into one batch")
            futures.append(await producer.send_batch(batch, at.topic, partition=at.partition))

        [told] = await self._written(at.topic, len(records), send)
        return int(told.offset)

    async def _written(
        self, topic: str, count: int, send: Callable[[AIOKafkaProducer, Futures], Awaitable[None]]
    ) -> list[Any]:
        """What was acknowledged of what `send` has handed to the producer, each of them by a future."""
        producer, started, futures = await self._usable(), _now(), Futures()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await send(producer, futures)
                told = await _acknowledged(futures)
        except (KafkaError, TimeoutError, OSError) as error:
            raise self._failed(producer, topic, started, futures, error) from error
        finally:
            _look_away(futures)
        self._succeeded(topic, count, started, told[-1].timestamp)
        return told

    def _succeeded(self, topic: str, records: int, started: float, time_ms: int) -> None:
        self.healthy = True
        self.skew_ms = time_ms - self._clock.now_ms()
        self._observe(Written(topic, records, _now() - started, acknowledged=True))

    def _failed(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        started: float,
        futures: Futures,
        error: Exception,
    ) -> LogError:
        self._observe(Written(topic, len(futures), _now() - started, acknowledged=False))
        self.healthy = False
        for future in futures:
            # While the outage lasts the producer goes on trying; when it succeeds, that is news.
            future.add_done_callback(self._heard_late)
        if isinstance(error, TimeoutError):
            return AppendUncertain(f"{topic}: no acknowledgement within {PATIENCE_SECONDS:.0f} s")
        if producer is self._producer:
            self._producer = None
            self._retire(producer)
            self._renew()  # At once: a process that is not ready may be given nothing more to write.
        return refused(error, topic)

    def _heard_late(self, future: asyncio.Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None:
            self.healthy = True

    async def _usable(self) -> AIOKafkaProducer:
        if self._closed:
            raise LogUnavailable("the log is closed")
        if self._producer is not None:
            return self._producer
        renewing = self._renew()
        await asyncio.wait((renewing,))  # Whoever is cancelled leaves it to the others.
        if renewing.cancelled():
            raise LogUnavailable("the log is closed")
        return renewing.result()

    def _renew(self) -> asyncio.Task[AIOKafkaProducer]:
        """The try to have a new producer, which all who wait for one share; while it fails another one follows."""
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._replace(), name="a new producer")
            self._renewing.add_done_callback(self._look_after)
        return self._renewing

    async def _replace(self) -> AIOKafkaProducer:
        producer = self._producer = await self._new_producer()
        self.healthy = True
        _log.warning("a new producer was made, because the last one had failed for good")
        return producer

    def _look_after(self, task: asyncio.Task[AIOKafkaProducer]) -> None:
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_later(RENEW_SECONDS, self._renew_if_needed)

    def _renew_if_needed(self) -> None:
        if not self._closed and self._producer is None:
            self._renew()

    async def _new_producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._connection.arguments(),
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES,
            max_request_size=RECORD_BYTES_MAX,
            request_timeout_ms=REQUEST_MS,
        )
        try:
            with asking("connecting to Kafka"):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await producer.start()
        except BaseException:
            self._retire(producer)
            raise
        return producer

    def _retire(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(_stop(producer), name="a producer stops")
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await producer.stop()
    except Exception as error:  # It is given up either way.
        _log.info("a producer was left with what it could not send", why=in_words(error))


def batches(records: Iterable[Stored]) -> list[list[Stored]]:
    """Cut records into parts that fit into a batch each; one alone may be as large as it likes."""
    parts: list[list[Stored]] = []
    room = 0
    for record in records:
        # What the batch's format adds to a record is less than this.
        size = 64 + len(record.key) + len(record.value or b"") + sum(32 + len(value) for _, value in record.headers)
        if not parts or size > room:
            parts.append([])
            room = BATCH_BYTES - 1024
        parts[-1].append(record)
        room -= size
    return parts


async def _acknowledged(futures: Sequence[asyncio.Future[Any]]) -> list[Any]:
    """What all of them come to. Whoever is cancelled while waiting leaves them as they are, to be heard late."""
    if futures:
        await asyncio.wait(futures)
    return [future.result() for future in futures]


def _look_away(futures: Iterable[asyncio.Future[Any]]) -> None:
    """Whoever failed has said so once; what the others come to is not asked any more."""
    for future in futures:
        if future.done():
            if not future.cancelled():
                future.exception()
        else:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())


def _now() -> float:
    return asyncio.get_running_loop().time()
