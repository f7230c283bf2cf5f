"""Reading: one consumer without a group, its partitions given by hand.

What was fetched is taken over at once, so that the consumer goes on fetching, and handed out topic by topic, the most
pressing first. A topic of which much waits here is not fetched meanwhile, so that it holds up none of the others.
Offsets that have no record (compaction, the markers of transactions) are passed over.

Of other people's transactions what was committed is read, when it was. Until then whatever lies behind waits, which is
all that a broker offers; timers do not wait for it, or a transaction that is left open would stop them all.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import OffsetOutOfRangeError

from cordboard.clock import Clock
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.consumers import FETCH_WAIT_MS, assigned_consumer, stop
from cordboard.log.kafka.events import Fetched, Following, Observer, Overtaken, PassedOver, Unfollowed
from cordboard.log.kafka.offsets import Offsets
from cordboard.log.kafka.troubles import asking
from cordboard.log.kafka.unreadable import Unreadable, unreadable
from cordboard.log.port import LogError, LogUnavailable, Record, TopicPartition

WAIT_SECONDS_MAX: Final = 1.0  # How long one wait lasts; then it is seen whether positions moved without a record.
HELD_MAX: Final = 1_000  # Records of a partition that wait here before it is fetched no more.
_numbers: Final = itertools.count()
_log = structlog.get_logger(__name__)


class KafkaReader:
    """Follows partitions. One task reads at a time; the first read connects."""

    def __init__(
        self,
        connection: Connection,
        offsets: Offsets,
        clock: Clock,
        positions: Mapping[TopicPartition, int],
        observe: Observer,
    ) -> None:
        self._connection = connection
        self._offsets = offsets
        self._clock = clock
        self._positions = dict(positions)
        self._times: dict[TopicPartition, int] = {}  # Of the last records returned.
        self._held = {at: deque[Record]() for at in positions}
        self._turns = [deque(at for at in positions if at.topic == topic) for topic in _topics_of(positions)]
        self._observe = observe
        self._number = next(_numbers)
        self._consumer: AIOKafkaConsumer | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._interrupted = False
        self._stopped = False

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        """See the port."""
        self._must_be_open()
        loop = asyncio.get_running_loop()
        end = None if timeout_seconds is None else loop.time() + timeout_seconds
        consumer = await self._started()
        await self._gather(consumer, 0)
        while not (records := self._take(records_max)) and not self._interrupted:
            left = WAIT_SECONDS_MAX if end is None else min(end - loop.time(), WAIT_SECONDS_MAX)
            if left <= 0:
                break
            await self._gather(consumer, left)
            self._must_be_open()
            if await self._has_passed_over(consumer):
                break
        self._interrupted = False
        self._release(consumer)
        return records

    async def read_past(self, time_ms: int) -> bool:
        """See the port: what a leader has when it is asked is all that it took until then.

        What lies behind an open transaction does not count: nobody can read it yet.
        """
        self._must_be_open()
        if self._clock.now_ms() < time_ms:
            return False
        unsure = [at for at in self._positions if self._times.get(at, 0) < time_ms]
        ends = await self._offsets.readable_ends(unsure) if unsure else {}
        await self._has_passed_over(await self._started())
        for at in (at for at, end in ends.items() if self._positions[at] < end):
            first = self._held[at][0].offset if self._held[at] else self._positions[at]
            younger = await self._offsets.at_time(at, time_ms)
            if younger is None or younger > first:
                return False
        return True

    def positions(self) -> Mapping[TopicPartition, int]:
        """See the port."""
        return dict(self._positions)

    def interrupt(self) -> None:
        """See the port."""
        self._interrupted = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def close(self) -> None:
        """See the port."""
        self.stop()
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            self._observe(Unfollowed(self._number, tuple(self._positions)))
            await stop(consumer)

    def stop(self) -> None:
        """Stop at once; a waiting `read` raises LogUnavailable."""
        self._stopped = True
        self.interrupt()

    def _must_be_open(self) -> None:
        if self._stopped:
            raise LogUnavailable("this reader is closed")

    async def _started(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = assigned_consumer(self._connection, "read_committed")
            try:
                with asking("connecting to Kafka"):
                    await consumer.start()
            except BaseException:
                await stop(consumer)
                raise
            consumer.assign([KafkaPartition(*at) for at in self._positions])
            for at, offset in self._positions.items():
                consumer.seek(KafkaPartition(*at), offset)
            self._consumer = consumer
            self._must_be_open()
            self._observe(Following(self._number, tuple(self._positions)))
        return self._consumer

    async def _gather(self, consumer: AIOKafkaConsumer, seconds: float) -> None:
        """Take over what was fetched; wait for something where there is nothing yet, unless interrupted."""
        try:
            with asking("reading"):
                if seconds:
                    await self._wait(consumer, seconds)
                else:
                    self._hold(consumer, await consumer.getmany(timeout_ms=0))
        except LogError as error:
            if not isinstance(error.__cause__, OffsetOutOfRangeError):
                raise
            await self._find_way(consumer)
        except UnicodeDecodeError as error:
            await self._pass_over(consumer, unreadable(error))

    async def _wait(self, consumer: AIOKafkaConsumer, seconds: float) -> None:
        asked = self._waiting = asyncio.ensure_future(consumer.getmany(timeout_ms=round(seconds * 1000)))
        try:
            await asyncio.wait((asked,))
        finally:
            self._waiting = None
            if asked.done() and not asked.cancelled() and asked.exception() is None:
                self._hold(consumer, asked.result())  # Whoever is cancelled takes nothing with it.
            else:
                asked.cancel()
        if not asked.cancelled():
            asked.result()

    def _hold(self, consumer: AIOKafkaConsumer, fetched: Mapping[KafkaPartition, list[ConsumerRecord]]) -> None:
        for place, records in fetched.items():
            at = TopicPartition(place.topic, place.partition)
            held = self._held[at]
            held.extend(map(_record, records))
            if len(held) > HELD_MAX:
                consumer.pause(place)
            last = consumer.highwater(place)
            lag = max(last - records[-1].offset - 1, 0) if last is not None else 0
            seconds = max(self._clock.now_ms() - records[0].timestamp, 0) / 1000
            self._observe(Fetched(self._number, at, len(records), lag + len(held), seconds))

    def _take(self, records_max: int) -> list[Record]:
        taken: list[Record] = []
        for partitions in self._turns:
            for at in partitions:
                held = self._held[at]
                some = [held.popleft() for _ in range(min(len(held), records_max - len(taken)))]
                if some:
                    self._positions[at], self._times[at] = some[-1].offset + 1, some[-1].time_ms
                    taken += some
            partitions.rotate(-1)  # So that a full partition does not keep the others of its topic waiting.
        return taken

    def _release(self, consumer: AIOKafkaConsumer) -> None:
        for place in consumer.paused():
            if len(self._held[TopicPartition(place.topic, place.partition)]) <= HELD_MAX:
                consumer.resume(place)

    async def _has_passed_over(self, consumer: AIOKafkaConsumer) -> bool:
        """Move on where the consumer went over offsets that have no records; whether any position moved."""
        moved = False
        with asking("asking a consumer where it stands"):
            for at, held in self._held.items():
                if not held and (reached := await consumer.position(KafkaPartition(*at))) > self._positions[at]:
                    self._positions[at], moved = reached, True
        return moved

    async def _pass_over(self, consumer: AIOKafkaConsumer, found: Unreadable) -> None:
        """Go on behind a batch that cannot be read; what stands in it before the record that cannot is taken."""
        place = found.place
        for at, held in self._held.items():  # What aiokafka had in its hands of others went down with it.
            consumer.seek(KafkaPartition(*at), held[-1].offset + 1 if held else self._positions[at])
        with asking("reading up to what cannot be read"):
            while await consumer.position(place) < found.offset:
                consumer.resume(place)
                self._hold(consumer, await consumer.getmany(place, timeout_ms=FETCH_WAIT_MS, max_records=1))
        consumer.seek(place, found.next_offset)
        self._observe(PassedOver(TopicPartition(*place), found.next_offset - found.offset))
        _log.error(
            "records were passed over: the name of a header is not UTF-8",
            topic=place.topic,
            partition=place.partition,
            first_offset=found.offset,
            next_offset=found.next_offset,
        )

    async def _find_way(self, consumer: AIOKafkaConsumer) -> None:
        """Go on at the oldest record where retention has overtaken; raise where the log ends before our position."""
        starts, ends = await self._offsets.starts(self._positions), await self._offsets.ends(self._positions)
        for at, position in self._positions.items():
            if position > ends[at]:
                raise LogUnavailable(
                    f"partition {at.partition} of {at.topic} ends at {ends[at]}, and was read up to {position}: "
                    "it has lost records, or is another topic of the same name"
                )
            if position < starts[at] and not self._held[at]:
                self._observe(Overtaken(at, starts[at] - position))
                self._positions[at] = starts[at]
                consumer.seek(KafkaPartition(*at), starts[at])


def _topics_of(positions: Mapping[TopicPartition, int]) -> list[str]:
    return list(dict.fromkeys(at.topic for at in positions))


def _record(read: ConsumerRecord) -> Record:
    headers = read.headers
    if any(value is None for _, value in headers):  # Other clients may write such; the port knows none.
        headers = tuple((name, value or b"") for name, value in headers)
    return Record(read.topic, read.partition, read.offset, read.timestamp, read.key, read.value or b"", headers)
