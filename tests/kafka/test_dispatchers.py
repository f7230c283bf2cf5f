"""Dispatchers that share real topics: what is kept through a rebalance, what is read again, and what is waited for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import httpx
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cordboard.clock import SystemClock
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import demands
from cordboard.log.kafka.events import Claimed, Event
from cordboard.log.kafka.log import KafkaLog
from cordboard.log.kafka.restore import Restored, Restorer
from cordboard.log.kafka.topics import ensure
from cordboard.log.port import NewRecord, TopicPartition
from cordboard.roles.desk import Desk
from cordboard.roles.kafka import open_kafka
from cordboard.roles.topics import topics_of
from cordboard.settings import Duties, Role, Settings
from dispatcher.core.page import Page, encode
from tests.dispatcher.harness import TOPICS, Stage, speak
from tests.log.kafka_kind import Renamed

PARTITIONS: Final = 4
PATIENCE_SECONDS: Final = 90.0
PAGES: Final = 20_000


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110  # what is waited for is a sum of things, none of which has an event
            await asyncio.sleep(0.01)


class Sharing:
    """Dispatchers on the same topics."""

    def __init__(self, servers: str, prefix: str) -> None:
        self._connection = Connection(bootstrap_servers=servers)
        self._prefix = prefix
        self._specs = [
            type(spec)(f"{prefix}.{spec.name}", spec.partitions, spec.retention_ms)
            for spec in TOPICS.specs(["main", "other"], PARTITIONS)
        ]
        self._ledger = f"{prefix}.{TOPICS.ledger}"
        self._inputs = [f"{prefix}.{topic}" for topic in TOPICS.inputs]
        self.claims: dict[int, list[Claimed]] = {}

    async def make(self) -> None:
        demanded = demands(self._specs, ledger=self._ledger, partitions=PARTITIONS, inputs=self._inputs)
        await ensure(self._connection, demanded, 1, 1)

    @asynccontextmanager
    async def dispatcher(self, number: int) -> AsyncIterator[Stage]:
        """One that has its seat, and leaves in peace. Its claims are noted under its number."""
        claims = self.claims[number] = []

        def observe(event: Event) -> None:
            if isinstance(event, Claimed):
                claims.append(event)

        log = await KafkaLog.open(
            self._connection,
            self._specs,
            ledger=self._ledger,
            inputs=self._inputs,
            clock=SystemClock(),
            observe=observe,
        )
        stage = Stage(Renamed(log, self._prefix), SystemClock())  # type: ignore[arg-type]  # any clock will do
        try:
            await stage.dispatcher.start()
            yield stage
        finally:
            await stage.dispatcher.stop()
            await log.close()


@pytest.fixture
async def sharing(kafka_servers: str, kafka_prefix: str) -> Sharing:
    made = Sharing(kafka_servers, kafka_prefix)
    await made.make()
    return made


def serves(stage: Stage, count: int) -> Callable[[], bool]:
    return lambda: len(stage.dispatcher.owned) == count and not stage.dispatcher.restoring


def call_in(stage: Stage, partition: int) -> str:
    calls = map(str, range(1_000))
    return next(call for call in calls if stage.log.partition_for(TOPICS.commands, call.encode()) == partition)


def first_of(claims: list[Claimed]) -> dict[int, bool]:
    """By partition, whether its first claim was warm: a group may spread twice, and the second time all is."""
    return {claim.partition: claim.warm for claim in reversed(claims)}


def commands_of(page: Page | None) -> set[str]:
    assert page is not None
    return {held.ask.command_id for held in page.line} | {flight.ask.command_id for flight in page.flights}


@pytest.mark.timeout(300)
async def test_what_is_kept_through_rebalances_stays_warm_and_what_another_wrote_is_read(sharing: Sharing) -> None:
    """
    A second dispatcher joins and leaves: the partitions that stay are claimed without reading anything, those that come
    back are read, with what was written meanwhile; and both kinds have every page.
    """
    async with sharing.dispatcher(1) as one:
        await until(serves(one, PARTITIONS))
        calls = {number: call_in(one, number) for number in range(PARTITIONS)}
        for number, call in calls.items():
            await one.submit(speak(f"first-{number}", call))
            await one.dispatcher.find(call)
        claims = sharing.claims[1]
        assert [claim.warm for claim in claims] == [False] * PARTITIONS
        claims.clear()

        async with sharing.dispatcher(2) as two:
            await until(lambda: serves(one, 2)() and serves(two, 2)())
            kept, moved = set(one.dispatcher.owned), set(two.dispatcher.owned)
            assert first_of(claims) == dict.fromkeys(kept, True)
            assert first_of(sharing.claims[2]) == dict.fromkeys(moved, False)
            for number in moved:
                await one.submit(speak(f"second-{number}", calls[number]))
                assert commands_of(await two.dispatcher.find(calls[number])) == {f"first-{number}", f"second-{number}"}
            claims.clear()

        await until(serves(one, PARTITIONS))
        warmth = dict.fromkeys(kept, True) | dict.fromkeys(moved, False)
        assert first_of(claims) == warmth
        for number, call in calls.items():
            told = {f"first-{number}"} | ({f"second-{number}"} if number in moved else set())
            assert commands_of(await one.dispatcher.find(call)) == told


@pytest.mark.timeout(300)
async def test_a_warm_owner_goes_on_with_the_pages_it_kept(sharing: Sharing) -> None:
    """
    After a rebalance that changed nothing for it, the next command of a call finds the call's line as it was.
    """
    async with sharing.dispatcher(1) as one:
        await until(serves(one, PARTITIONS))
        calls = {number: call_in(one, number) for number in range(PARTITIONS)}
        for number, call in calls.items():
            await one.submit(speak(f"first-{number}", call))
            await one.dispatcher.find(call)
        async with sharing.dispatcher(2) as two:
            await until(lambda: serves(one, 2)() and serves(two, 2)())
            for number in one.dispatcher.owned:
                await two.submit(speak(f"second-{number}", calls[number]))
                found = commands_of(await one.dispatcher.find(calls[number]))
                assert found == {f"first-{number}", f"second-{number}"}


def on_kafka(servers: str, prefix: str) -> Settings:
    return Settings(
        accounts={"main": {"api_key": "k"}},
        log={"kind": "kafka", "topic_prefix": prefix, "partitions": 1},
        kafka={"bootstrap_servers": servers},
        grpc={"port": 0},
        rest={"port": 0},
        operations={"port": 0},
    )


async def fill(settings: Settings) -> None:
    """A ledger of many calls, and a command that nobody has read yet."""
    log, topics = await open_kafka(settings, SystemClock(), CollectorRegistry()), topics_of(settings)
    claim = await log.claim(0)
    now_ms = SystemClock().now_ms()
    for first in range(0, PAGES, 1_000):
        names = [f"call-{number}" for number in range(first, first + 1_000)]
        pages = [(name, encode(Page(key=name, account="main", opened_ms=now_ms, touched_ms=now_ms))) for name in names]
        await log.settle(claim, pages, [], {})
    await log.append([NewRecord(topics.commands, b"call-7", speak("late", "call-7").SerializeToString())])
    await log.close()


class Gate:
    """Holds back whoever has read a ledger, before it goes on with it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        real = Restorer.read

        async def read(restorer: Restorer, partition: int, *more: object, **named: object) -> Restored:
            restored = await real(restorer, partition, *more, **named)  # type: ignore[arg-type]  # as they came
            self.reached.set()
            await self.open.wait()
            return restored

        monkeypatch.setattr(Restorer, "read", read)


@pytest.mark.timeout(300)
async def test_a_dispatcher_is_not_ready_and_reads_no_input_while_it_restores(
    kafka_servers: str, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    20,000 pages: until all are there it says that it is restoring, and decides nothing; then about what waited.
    """
    settings = on_kafka(kafka_servers, kafka_prefix)
    topics = topics_of(settings)
    await fill(settings)
    log, gate, registry = (
        await open_kafka(settings, SystemClock(), CollectorRegistry()),
        Gate(monkeypatch),
        CollectorRegistry(),
    )
    work = TopicPartition(f"{topics.prefix}.work.main.action", 0)
    duties = Duties(frozenset({Role.DISPATCHER}))
    desk = Desk(settings, SystemClock(), random.Random(1), registry, duties=duties)

    with capture_logs() as lines:
        starting = asyncio.create_task(desk.__aenter__())
        await gate.reached.wait()
        async with httpx.AsyncClient() as http:
            while (ready := await http.get(f"{desk.operations.url}/readyz")).json()["checks"].get("partitions") is None:
                pass  # It is not far enough in its start to have partitions at all.
            assert ready.status_code == 503
            assert ready.json()["checks"]["partitions"] == "partitions 0 are being restored"
            assert await log.end(work) == 0
            assert (await http.get(f"{desk.operations.url}/startz")).status_code == 503
            gate.open.set()
            await starting
            assert (await http.get(f"{desk.operations.url}/startz")).status_code == 200
            while (ready := await http.get(f"{desk.operations.url}/readyz")).status_code != 200:
                assert "partitions" not in ready.json()["failing"], ready.text
            assert ready.json()["checks"]["dispatcher_progress"] == "ok"
        await until(lambda: registry.get_sample_value("cordboard_settled_total", {"what": "inputs"}))
        await desk.__aexit__()
    assert await log.end(work) == 1
    await log.close()

    assert registry.get_sample_value("cordboard_kafka_restored_pages_total") == PAGES
    restored = [line for line in lines if "restored" in line["event"] or line["event"] == "a partition was read back"]
    assert [line["log_level"] for line in restored] == ["info"] * 2
    assert restored[-1]["pages"] == PAGES
