"""Results and events straight from Kafka, as a group: many processes share them, and each is dealt with once or again.

What was handed out counts as dealt with when the next one is asked for, and is committed then, at most once a second,
and at the end. So after a crash the last ones come again: an event's id, or a command's, tells them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Generic, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from google.protobuf.message import DecodeError

from cordboard.client.told import Event, Told, kind_of
from cordboard.log.sealing import MAGIC
from cordboard.v1 import CallEvent, CommandResult

COMMIT_SECONDS: Final = 1.0
_EVENT: Final = "com.telnyx."
_RESULTS: Final = frozenset({"result", "replayed", "refused", "settled"})
_SIGNATURES: Final = ("telnyx-signature-ed25519", "telnyx-timestamp")
T = TypeVar("T")


class TopicSealed(Exception):
    """A topic's values can only be read by Cordboard itself; the message says what to do."""


class GroupFeed(Generic[T]):
    """Use it as a context, and iterate over it with `async for`. One task at a time."""

    def __init__(
        self, topic: str, read: Callable[[Any], T | None], bootstrap_servers: str, group: str, **options: Any
    ) -> None:
        self._topic = topic
        self._read = read
        self._made: dict[str, Any] = {
            "bootstrap_servers": bootstrap_servers,
            "group_id": group,
            "auto_offset_reset": "earliest",
        }
        self._made |= {"enable_auto_commit": False, "isolation_level": "read_committed", **options}
        self._consumer: Any = None
        self._done: dict[TopicPartition, int] = {}
        self._at: tuple[TopicPartition, int] | None = None  # What was handed out last.
        self._committed = 0.0

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(self._topic, **self._made)
        await self._consumer.start()
        self._committed = asyncio.get_running_loop().time()
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:  # Else the last one was perhaps not dealt with.
                self._dealt_with()
            await self._commit()
        finally:
            await self._consumer.stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        self._dealt_with()
        while True:
            if asyncio.get_running_loop().time() - self._committed >= COMMIT_SECONDS:
                await self._commit()
            batch = await self._consumer.getmany(timeout_ms=round(COMMIT_SECONDS * 1000), max_records=1)
            for place, records in batch.items():
                for record in records:
                    _must_be_plain(record)
                    item = self._read(record)
                    if item is not None:
                        self._at = (place, record.offset + 1)
                        return item
                    self._done[place] = record.offset + 1

    def _dealt_with(self) -> None:
        if self._at is not None:
            place, offset = self._at
            self._done[place], self._at = offset, None

    async def _commit(self) -> None:
        self._committed = asyncio.get_running_loop().time()
        held = self._consumer.assignment()
        done = {place: offset for place, offset in self._done.items() if place in held}
        self._done.clear()
        if done:
            await self._consumer.commit(done)


def events_from_kafka(
    bootstrap_servers: str, group: str, *, prefix: str = "cordboard", **options: Any
) -> GroupFeed[Event]:
    """Events. `options` are those of aiokafka's consumer, such as its security's."""
    return GroupFeed(f"{prefix}.events", _event, bootstrap_servers, group, **options)


def results_from_kafka(
    bootstrap_servers: str, group: str, *, prefix: str = "cordboard", **options: Any
) -> GroupFeed[Told]:
    """Results, replays, refusals and settlements. `options` as above."""
    return GroupFeed(f"{prefix}.results", _told, bootstrap_servers, group, **options)


def _must_be_plain(record: Any) -> None:
    """To pass over what is sealed would lose it without a word."""
    if (record.value or b"").startswith(MAGIC):
        raise TopicSealed(
            f"{record.topic} is sealed, and only Cordboard has its keys: read it by Client.events and Client.results, "
            "or have it taken out of sealing.public_topics"
        )


def _headers(record: Any) -> Mapping[str, str]:
    return {name: value.decode(errors="replace") for name, value in record.headers}


def _told(record: Any) -> Told | None:
    kind = kind_of(_headers(record).get("ce_type", ""))
    if kind not in _RESULTS:
        return None
    try:
        return Told(kind, CommandResult.FromString(record.value or b""))
    except DecodeError:
        return None  # Another hand wrote it.


def _event(record: Any) -> Event | None:
    headers = _headers(record)
    event_type = headers.get("ce_type", "")
    if not event_type.startswith(_EVENT):
        return None
    message = CallEvent(
        event_id=headers.get("ce_id", ""),
        event_type=event_type.removeprefix(_EVENT),
        account=headers.get("ce_source", "").rpartition("/")[2],
        call_control_id=headers.get("ce_subject", ""),
        command_id=headers.get("ce_commandid", ""),
        late=headers.get("ce_late") == "true",
        payload=record.value or b"",
        headers={name: headers.get(name, "") for name in _SIGNATURES},
    )
    try:
        message.occur_time.FromDatetime(datetime.fromisoformat(headers.get("ce_time", "")))
    except ValueError:
        pass  # Telnyx named none, or none that can be read.
    return Event(message)
