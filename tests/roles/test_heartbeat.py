"""What a process says of itself: from its start on, as it is, and at its end that it leaves."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge
from structlog.testing import capture_logs

from cordboard.clock import SystemClock
from cordboard.liveness import Post, Standing
from cordboard.log.port import Appended, LogUnavailable, NewRecord, Record, TopicPartition
from cordboard.operations import Check, Excused
from cordboard.presence import LaneWord, PartitionWord, PoolWord, Presence, last_words
from cordboard.roles import heartbeat
from cordboard.roles.heartbeat import Heartbeat
from workers.pool import Carrying

TOPIC = "t.processes"


class Log:
    """Takes words, unless it is away."""

    def __init__(self) -> None:
        self.said: list[NewRecord] = []
        self.away = False
        self.news = asyncio.Event()

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        self.news.set()
        if self.away:
            raise LogUnavailable("the brokers are away")
        self.said += records
        return [Appended(0, 0, 0)]

    @property
    def words(self) -> list[Presence]:
        records = [Record(TOPIC, 0, place, 0, one.key, one.value) for place, one in enumerate(self.said)]
        return [next(iter(last_words([one])[0].values())).word for one in records]

    async def next(self) -> None:
        self.news.clear()
        await self.news.wait()


class Brain:
    holdings = {0: 5, 1: 2, 2: 0, 3: 1}  # noqa: RUF012  # nobody changes it
    broken = (2,)
    restoring = (1,)


class Hands:
    loads = {("main", "dial"): Carrying(1, 64), ("main", "action"): Carrying(0, 256)}  # noqa: RUF012  # as above
    held = {("main", "dial"): (0, 1)}  # noqa: RUF012  # as above
    breakers = {"main": True}  # noqa: RUF012  # as above


class Looks:
    """What liveness has found."""

    found = (
        Standing(Post(0, {}), {TopicPartition("c", 0): 3, TopicPartition("w", 0): 4}, 0.0),
        Standing(Post(0, {}, ("main", "dial")), {TopicPartition("d", 0): 2}, 31.0),
    )


def beating(**checks: Check) -> tuple[Heartbeat, CollectorRegistry]:
    registry = CollectorRegistry()
    return Heartbeat(("worker", "dispatcher"), TOPIC, checks, SystemClock(), random.Random(1), registry), registry


async def test_it_says_what_it_is_and_misses() -> None:
    """
    Checks that fail, apart from those that are excused; what is well is not said.
    """
    checks: dict[str, Any] = {
        "log": lambda: "it cannot be written",
        "tables": Excused(lambda: "they are away", "nobody waits"),
        "clock": lambda: None,
    }
    word = await beating(**checks)[0].word()

    assert word.roles == ("dispatcher", "worker")
    assert word.troubles == (("log", "it cannot be written"),)
    assert word.remarks == (("tables", "they are away; nobody waits"),)
    assert (word.partitions, word.lanes, word.pools) == ((), (), ())


async def test_it_says_what_it_holds() -> None:
    """
    Partitions with their lag, and how far a restore from Kafka has come; lanes and breakers.
    """
    said, registry = beating()
    looks: Any = Looks()
    brain: Any = Brain()
    hands: Any = Hands()
    said.dispatcher, said.workers, said.looks = brain, hands, [looks]
    Gauge("cordboard_kafka_restore_ratio", "As the log has it.", ("partition",), registry=registry).labels(1).set(0.5)
    word = await said.word()

    assert word.partitions == (
        PartitionWord(0, "served", 5, None, 7),
        PartitionWord(1, "restoring", 2, 0.5),
        PartitionWord(2, "broken", 0),
        PartitionWord(3, "served", 1),
    )
    assert word.lanes == (
        LaneWord("main", "action", (), 0, 256, 0),
        LaneWord("main", "dial", (0, 1), 1, 64, 2, 31.0),
    )
    assert word.pools == (PoolWord("main", breaker_open=True),)


async def test_it_speaks_until_it_leaves_whatever_the_log_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Under one name; while it is not heard that is logged once, and at the end it says that it leaves.
    """
    monkeypatch.setattr(heartbeat, "EVERY_SECONDS", 0.001)
    said, log = beating()[0], Log()
    with capture_logs() as lines:
        await said.start(log)
        await log.next()
        log.away = True
        for _ in range(3):
            await log.next()
        log.away = False
        await log.next()
        await said.stop()

    assert len({word.name for word in log.words}) == 1
    assert [word.leaving for word in log.words][-2:] == [False, True]
    assert [line["event"] for line in lines] == ["cordboard status does not hear of this process"]
