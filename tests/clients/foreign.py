"""Clients of other people's making: librdkafka's producer and consumer, which know nothing of ours."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition

PATIENCE_SECONDS: Final = 60.0  # For what must happen; nothing is concluded from how soon it does.
_POLL_SECONDS: Final = 0.05
_TRANSACTION_SECONDS: Final = 30.0

HeaderList = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """A record as another client reads it."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: HeaderList

    def header(self, name: str) -> str:
        """A header's text; "" where there is none."""
        return next((value.decode() for known, value in self.headers if known == name and value), "")


class Sender:
    """A producer of librdkafka's. `settings` are its own, such as {"partitioner": "murmur2_random"}."""

    def __init__(self, servers: str, **settings: Any) -> None:
        self.settings = {"bootstrap.servers": servers, "acks": "all", "linger.ms": 0} | settings
        self.producer = Producer(self.settings)
        self.placed: list[Message] = []
        self._failed: list[str] = []

    def put(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        headers: Mapping[str, bytes | None] | HeaderList | None = None,
        partition: int = -1,
    ) -> None:
        """Hand a record over; `sent` says when it is written."""
        said = list(headers.items()) if isinstance(headers, Mapping) else headers or []
        self.producer.produce(topic, value, key, partition, on_delivery=self._delivered, headers=said)

    async def send(self, topic: str, value: bytes | None, key: bytes | None = None, **more: Any) -> Message:
        """Write one record; where it is."""
        self.put(topic, value, key, **more)
        await self.sent()
        return self.placed[-1]

    async def sent(self) -> list[Message]:
        """Return when all is acknowledged; where it lies."""
        left = await asyncio.to_thread(self.producer.flush, PATIENCE_SECONDS)
        assert not left, f"{left} records were not acknowledged"
        assert not self._failed, self._failed
        return self.placed

    async def begin(self) -> None:
        """Begin a transaction; the settings name a transactional.id."""
        if not self.placed:
            await asyncio.to_thread(self.producer.init_transactions, _TRANSACTION_SECONDS)
        self.producer.begin_transaction()

    async def commit(self) -> None:
        """Make true what was sent since it began."""
        await asyncio.to_thread(self.producer.commit_transaction, _TRANSACTION_SECONDS)

    async def abort(self) -> None:
        """Take back what was sent since it began."""
        await asyncio.to_thread(self.producer.abort_transaction, _TRANSACTION_SECONDS)

    def _delivered(self, error: object, message: Message) -> None:
        if error is None:
            self.placed.append(message)
        else:
            self._failed.append(str(error))


class Ear:
    """Reads topics from their beginning with librdkafka's consumer, in a thread, and keeps what it reads."""

    def __init__(self, servers: str, topics: Mapping[str, int]) -> None:
        """`topics` have so many partitions each."""
        self._by_topic: dict[str, list[Heard]] = defaultdict(list)
        self._by_command: dict[str, list[Heard]] = defaultdict(list)
        self._consumer = Consumer({"bootstrap.servers": servers, "group.id": "nobody", "enable.auto.commit": False})
        self._consumer.assign(
            [
                TopicPartition(topic, number, OFFSET_BEGINNING)
                for topic, count in topics.items()
                for number in range(count)
            ]
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="a foreign consumer")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._consumer.close()

    def of(self, topic: str) -> list[Heard]:
        """What was read of a topic."""
        return list(self._by_topic[topic])

    def about(self, command_id: str) -> list[Heard]:
        """What was read about a command."""
        return list(self._by_command[command_id])

    def _listen(self) -> None:
        while not self._over.is_set():
            for message in self._consumer.consume(500, _POLL_SECONDS):
                if message.error() is None:
                    self._keep(_heard(message))

    def _keep(self, heard: Heard) -> None:
        self._by_topic[heard.topic].append(heard)
        if command_id := heard.header("ce_commandid"):
            self._by_command[command_id].append(heard)


async def until(holds: Callable[[], object], what: str) -> None:
    """Return when it holds; fail the test when it never does."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not holds():  # noqa: ASYNC110 - what is waited for happens in other threads and processes
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"waited in vain for {what}") from None


def _heard(message: Message) -> Heard:
    return Heard(
        message.topic() or "",
        message.partition() or 0,
        message.key(),
        message.value(),
        message.headers() or [],
    )
