"""A seat in a consumer group: who is alive, and who holds which partitions. Nothing is read through it.

The groups of aiokafka give everything up before they spread it anew, so the listener is told to let go of all, and
then gets its share; an assignor that moves as little as it can makes that mostly the same one. Nobody is given what
another has not let go of: the broker waits for every member that lives, for the length of a session.

Rule 1: a commit is sent only for what is held, and none is under way when a partition has been let go of: a commit
that was tried again in a later generation would be taken for one of that generation.
Rule 2: a seat that breaks (authorization, a bug) lets go of everything and is taken anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError

from cordboard.log.kafka.commits import committed
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.consumers import stop
from cordboard.log.kafka.events import Observer, Rebalanced, SeatLost
from cordboard.log.kafka.troubles import asking, committing, in_words
from cordboard.log.port import AppendUncertain, Fenced, GroupListener, LogUnavailable

HEARTBEAT_MS: Final = 500  # Also how soon a member learns that the group wants to spread anew.
COMMIT_SECONDS: Final = 5.0
REQUEST_MS: Final = 11_000  # No less than a session: a join is answered when everybody has joined.
_POLL_MS: Final = 1_000
_RETRY_SECONDS: Final = 1.0
_FOREVER_MS: Final = 10**12  # Nothing is read here, so no pause between two reads is too long.

_log = structlog.get_logger(__name__)


class KafkaSeat:
    """One member of one group, from `take` to `leave`."""

    def __init__(
        self,
        connection: Connection,
        group: str,
        topic: str,
        listener: GroupListener,
        session_ms: int,
        observe: Observer,
    ) -> None:
        self._connection = connection
        self._group = group
        self._topic = topic
        self._listener = listener
        self._session_ms = session_ms
        self._observe = observe
        # aiokafka keeps what a member had on the class, so each seat needs one of its own.
        self._assignor = type("Assignor", (StickyPartitionAssignor,), {})
        self._consumer: AIOKafkaConsumer | None = None
        self._watching: asyncio.Task[None] | None = None
        self._held: frozenset[int] = frozenset()
        self._commits: set[asyncio.Task[None]] = set()
        self._seated = asyncio.Event()
        self._left = False
        self._taken_away_at = 0.0

    async def take(self) -> None:
        """Join, and return when the first share was given. Raises LogUnavailable with the seat left."""
        try:
            await self._join()
            self._watching = asyncio.create_task(self._watch(), name=f"seat in {self._group}")
            await self._seated.wait()
        except BaseException:
            await self.leave()
            raise

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """See the port. Raises Fenced, and AppendUncertain where it is not known what the group took."""
        foreign = sorted(offsets.keys() - self._held)
        consumer = self._consumer
        if foreign or consumer is None:
            raise Fenced(f"group {self._group}: partitions {foreign or sorted(offsets)} are not this member's any more")
        wanted = {KafkaPartition(self._topic, partition): offset for partition, offset in offsets.items()}
        task = asyncio.ensure_future(self._commit(consumer, wanted))
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)
        try:
            await asyncio.wait((task,))
        finally:
            task.cancel()
        if task.cancelled():
            raise Fenced(f"group {self._group}: partitions were taken away while they were committed")
        task.result()

    async def committed(self, partition: int) -> int | None:
        """See the port."""
        consumer = self._consumer
        if consumer is None:
            raise LogUnavailable(f"group {self._group}: this member has left")
        with asking(f"group {self._group}"):
            async with asyncio.timeout(COMMIT_SECONDS):
                return await committed(consumer, self._group, KafkaPartition(self._topic, partition))

    async def leave(self) -> None:
        """See the port."""
        self._left = True
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait((self._watching,))
        await self._let_go()
        await self._stop()

    async def let_go(self) -> None:
        """Everything is about to be another's, or this member's again: tell the listener, and let no commit linger."""
        self._taken_away_at = _now()
        await self._let_go()

    async def get(self, partitions: frozenset[int]) -> None:
        """The group has given these."""
        self._held = partitions
        seconds = _now() - self._taken_away_at if self._taken_away_at else 0.0
        self._observe(Rebalanced(self._group, len(partitions), seconds))
        if partitions and not self._left:
            await self._told(self._listener.assigned(partitions))
        self._seated.set()

    async def _let_go(self) -> None:
        # Still held while the listener lets go: what it commits on the way out counts.
        if self._held:
            await self._told(self._listener.revoked(self._held))
        self._held = frozenset()
        for task in list(self._commits):
            task.cancel()

    async def _told(self, call: object) -> None:
        try:
            await call  # type: ignore[misc] # One of the listener's coroutines.
        except Exception:
            # One member's trouble is not the others': the partitions move on.
            _log.exception("a member of a consumer group failed while partitions moved", group=self._group)

    async def _commit(self, consumer: AIOKafkaConsumer, wanted: Mapping[KafkaPartition, int]) -> None:
        with committing(self._group):
            async with asyncio.timeout(COMMIT_SECONDS):
                await consumer.commit(dict(wanted))

    async def _join(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._connection.arguments(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="latest",  # Nothing is read: it only keeps the consumer from complaining.
            partition_assignment_strategy=(self._assignor,),
            session_timeout_ms=self._session_ms,
            rebalance_timeout_ms=self._session_ms,
            heartbeat_interval_ms=HEARTBEAT_MS,
            max_poll_interval_ms=_FOREVER_MS,
            request_timeout_ms=max(REQUEST_MS, self._session_ms + 1_000),
        )
        consumer.subscribe([self._topic], listener=_Told(self, consumer))
        self._consumer = consumer  # The listener may ask for what was committed before the start has returned.
        try:
            with asking(f"joining group {self._group}"):
                await consumer.start()
        except BaseException:
            await self._let_go()
            await self._stop()
            raise

    async def _stop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stop(consumer)

    async def _watch(self) -> None:
        """See whether the seat is still one, and take it anew where it is not."""
        while True:
            try:
                if self._consumer is None:
                    await self._join()
                if self._consumer is not None:
                    await self._consumer.getmany(timeout_ms=_POLL_MS)
            except (KafkaError, LogUnavailable, AppendUncertain, OSError) as error:
                self._observe(SeatLost(self._group, in_words(error)))
                _log.warning("a seat in a group broke; it is taken anew", group=self._group, why=in_words(error))
                await self._let_go()
                await self._stop()
                await asyncio.sleep(_RETRY_SECONDS)


class _Told(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types.
    """What aiokafka tells, for one consumer; pauses what it is given, because nothing is read through it."""

    def __init__(self, seat: KafkaSeat, consumer: AIOKafkaConsumer) -> None:
        self._seat = seat
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Iterable[KafkaPartition]) -> None:
        await self._seat.let_go()

    async def on_partitions_assigned(self, assigned: Collection[KafkaPartition]) -> None:
        self._consumer.pause(*assigned)
        await self._seat.get(frozenset(place.partition for place in assigned))


def _now() -> float:
    return asyncio.get_running_loop().time()
