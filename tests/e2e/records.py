"""What the topics say: every record of every topic but the ledger's, read from outside, from the very beginning.

An observer of its own, by plain aiokafka: nothing of the product stands between the brokers and what is judged.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from cordboard.topics import Topics
from cordboard.v1 import Command, CommandCompletion, CommandResult
from tests.e2e.checker import Told
from tests.e2e.observer import Heard
from tests.e2e.process import ACCOUNT

_WAIT_MS: Final = 200
_PAUSE_SECONDS: Final = 0.5
_COMPLETED: Final = "cordboard.command.completed.v1"


class Line(NamedTuple):
    """One record; `time_ms` is the broker's (Unix milliseconds)."""

    topic: str
    partition: int
    offset: int
    time_ms: int
    key: bytes
    value: bytes
    headers: dict[str, str]


class Records(Heard):
    """Follows the topics, in a task of its own by `run`. `by_topic` has the records as they were read."""

    def __init__(self, servers: str, topics: Topics, partitions: int) -> None:
        super().__init__()
        self._servers = servers
        self._topics = topics
        # What processes say of themselves never ends, and says nothing of calls.
        specs = [spec for spec in topics.specs([ACCOUNT], partitions) if spec.name != topics.processes]
        self.names = [spec.name for spec in specs]
        self._places = [TopicPartition(spec.name, number) for spec in specs for number in range(spec.partitions)]
        self.by_topic: dict[str, list[Line]] = defaultdict(list)
        self.redelivered = 0
        self._reached: dict[TopicPartition, int] = {}
        self._events: set[str] = set()

    async def run(self) -> None:
        """Take what comes, until cancelled; a consumer that breaks is replaced."""
        while True:
            consumer = self._consumer()
            try:
                await self._follow(consumer)
            except KafkaError:
                await asyncio.sleep(_PAUSE_SECONDS)
            finally:
                await consumer.stop()

    async def behind(self) -> int:
        """How many records there are that were not read yet."""
        consumer = self._consumer()
        try:
            await consumer.start()
            ends = await consumer.end_offsets(self._places)
        finally:
            await consumer.stop()
        return sum(end - self._reached.get(place, 0) for place, end in ends.items())

    def commands(self) -> list[tuple[Line, Command]]:
        """Everything that was accepted, in the order in which it stands in each partition."""
        lines = [*self.by_topic[self._topics.commands], *self.by_topic[self._topics.now]]
        return [(line, Command.FromString(line.value)) for line in lines]

    def _consumer(self) -> AIOKafkaConsumer:
        # Not a group's: the partitions are given by hand. A record is dropped where it was read before.
        return AIOKafkaConsumer(
            bootstrap_servers=self._servers, enable_auto_commit=False, auto_offset_reset="earliest", group_id=None
        )

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        await consumer.start()
        consumer.assign(self._places)
        for place in self._places:
            consumer.seek(place, self._reached.get(place, 0))
        while True:
            for place, records in (await consumer.getmany(timeout_ms=_WAIT_MS)).items():
                for record in records:
                    headers = {name: value.decode() for name, value in record.headers}
                    line = Line(*place, record.offset, record.timestamp, record.key or b"", record.value, headers)
                    self._take(place, line)

    def _take(self, place: TopicPartition, line: Line) -> None:
        if line.offset < self._reached.get(place, 0):
            return
        self._reached[place] = line.offset + 1
        self.by_topic[line.topic].append(line)
        if line.topic == self._topics.results:
            self._take_said(line)
        elif line.topic == self._topics.events:
            event_id = line.headers["ce_id"]
            self.redelivered += event_id in self._events
            self._events.add(event_id)
            content = line.value + repr(sorted(line.headers.items())).encode()
            self.take_event(event_id, line.headers["ce_type"].removeprefix("com.telnyx."), line.key.decode(), content)

    def _take_said(self, line: Line) -> None:
        kind = line.headers["ce_type"]
        if kind == _COMPLETED:
            self.take_completion(CommandCompletion.FromString(line.value))
        elif ".result." in kind:
            self.take_result(kind, CommandResult.FromString(line.value), line.headers["ce_id"].encode() + line.value)


def home_of(call: str, partitions: int) -> int:
    """The partition in which a call's records belong."""
    return (int(murmur2(call.encode())) & 0x7FFFFFFF) % partitions


def in_order_of_acceptance(
    accepted: Sequence[tuple[Line, Command]], told: Sequence[Told], partitions: int
) -> list[str]:
    """The ids of all commands that are in the log, of each call in the order in which its line let them in.

    Of copies the first one counts that arrived in the call's own partition; a copy that was turned away (its line was
    full, say) is none, if a later one was let in: its result says when that came.
    """
    taken_ms = {one.command_id: one.accept_ms for one in told if one.kind == "result"}
    refused = {one.command_id for one in told if one.kind == "refused"}
    order: dict[str, None] = {}
    for line, command in accepted:
        is_home = not command.call_control_id or line.partition == home_of(command.call_control_id, partitions)
        turned_away = command.command_id in refused and line.time_ms != taken_ms.get(command.command_id, line.time_ms)
        if is_home and not turned_away:
            order.setdefault(command.command_id)
    return list(order)
