"""A worker's lanes: what stands still in silence is told from what is full, held back by the pace, or idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from cordboard.liveness import Liveness
from cordboard.roles.liveness import LivenessMetrics
from cordboard.work import Lane, Repeat, Work
from tests.liveness.hanging import Hanging
from tests.workers.world import CLOCK, DIAL, TOPICS, Closed, World, until
from workers.pool import Pool

STALL_SECONDS = 30.0


class Watch:
    """A pool on a log that may hang, and who looks at it, by a clock of the test's own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log = Hanging(world.log)
        self.registry = CollectorRegistry()
        self._now = 0.0
        self._liveness: Liveness

    async def pool(self, **options: object) -> Pool:
        pool = await self.world.pool(log=self.log, **options)  # type: ignore[arg-type]  # it has all verbs of the log
        metrics = LivenessMetrics(self.registry)
        self._liveness = Liveness(self.log, lambda: pool.posts, STALL_SECONDS, metrics, now=lambda: self._now)
        # Four partitions of three lanes; only who has taken one over can say how far it is.
        await until(lambda: len([post for post in pool.posts if None not in post.reached.values()]) == 12)
        return pool

    async def look(self, times: int = 1) -> str | None:
        """Look every ten seconds; what readiness says then."""
        for _ in range(times):
            self._now += 10
            await self._liveness.look()
        return self._liveness.trouble()

    def gauge(self, name: str, lane: Lane, partition: int) -> float | None:
        labels = {"lane": lane.value} if "worker" in name else {"topic": TOPICS.work("main", lane)}
        return self.registry.get_sample_value(name, labels | {"pool": "main", "partition": str(partition)})


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    world = World(tmp_path / "log.sqlite3")
    await world.open()
    watch = Watch(world)
    yield watch
    watch.log.go_on()
    await world.close()


def work(command_id: str, **changes: object) -> Work:
    now_ms = CLOCK.now_ms()
    told: dict[str, object] = {
        "key": "v3:call",
        "attempt": 1,
        "account": "main",
        "action": "speak",
        "lane": Lane.ACTION,
        "repeat": Repeat.WINDOW,
        "method": "POST",
        "path": "/calls/v3:call/actions/speak",
        "body": b"{}",
        "released_ms": now_ms,
        "not_after_ms": now_ms + 50_000,
        "expire_ms": now_ms + 50_000,
    }
    return Work(command_id=command_id, **(told | changes))  # type: ignore[arg-type]  # changes are Work's


def place_of(world: World, lane: Lane) -> int:
    return world.log.partition_for(TOPICS.work("main", lane), b"v3:call")


@pytest.mark.parametrize(("verb", "lane"), [("read", Lane.ACTION), ("commit", Lane.ACTION), ("commit", Lane.DIAL)])
async def test_a_lane_that_hangs_in_the_log_stands_still(watch: Watch, verb: str, lane: Lane) -> None:
    """
    Its reader brings nothing more, or what it has read is never reserved: work waits, and nobody would say so.
    """
    await watch.pool()
    watch.log.hang(verb)
    # A read under way still brings what comes first.
    await watch.world.release(work("a", **(DIAL if lane is Lane.DIAL else {})))
    await until(lambda: verb in watch.log.hanging)
    await watch.world.release(work("b", **(DIAL if lane is Lane.DIAL else {})))
    assert await watch.look(3) is None
    partition = place_of(watch.world, lane)
    said = await watch.look(2)

    assert (said or "").startswith(f"main {lane.value} partition {partition}: nothing was done for 40 s")
    assert watch.gauge("cordboard_worker_stalled_seconds", lane, partition) == 40
    assert (watch.gauge("cordboard_partition_lag_records", lane, partition) or 0) >= 1

    watch.log.go_on()
    await watch.world.ended("a", "b")
    assert await watch.look() is None
    assert watch.gauge("cordboard_worker_stalled_seconds", lane, partition) == 0


async def test_a_lane_that_the_pace_holds_back_is_not_stalled(watch: Watch) -> None:
    """
    It waits as it should, for however long; its lag is told all the same.
    """
    pace = Closed()
    pool = await watch.pool(pace=pace)
    await watch.world.release(work("a"), work("b"))
    await until(lambda: any(post.excuse for post in pool.posts))

    assert await watch.look(100) is None
    assert (watch.gauge("cordboard_partition_lag_records", Lane.ACTION, place_of(watch.world, Lane.ACTION)) or 0) >= 1
    pace.shut = False
    await watch.world.ended("a", "b")


async def test_a_full_lane_goes_on_as_long_as_something_ends(watch: Watch) -> None:
    """
    Each release that ends makes room; who waits for its turn meanwhile, in whichever partition, is not stalled.
    """
    topic = TOPICS.work("main", Lane.ACTION)
    calls = {watch.world.log.partition_for(topic, call.encode()): call for call in map(str, range(100))}
    watch.world.hands.hold(*calls.values())
    await watch.pool(concurrency={Lane.URGENT: 1, Lane.ACTION: 1, Lane.DIAL: 1})
    await watch.world.release(*(work(call, key=call) for call in calls.values()))
    sent = watch.world.hands.sent
    for number in range(len(calls)):
        await until(lambda number=number: len(sent) > number)
        assert await watch.look(2) is None
        watch.world.hands.held[sent[number]].set()
    await watch.world.ended(*calls.values())
    assert await watch.look() is None


async def test_a_full_lane_in_which_nothing_ends_stands_still(watch: Watch) -> None:
    """
    Every try has its bound, so this is a log that takes no outcomes: the work behind it waits for a fault.
    """
    await watch.pool(concurrency={Lane.URGENT: 1, Lane.ACTION: 1, Lane.DIAL: 1})
    watch.log.hang("append")
    await watch.world.release(work("a"), work("b"))
    await until(lambda: "append" in watch.log.hanging)
    await watch.look()

    assert (await watch.look(4) or "").startswith("main action partition")
    watch.log.go_on()
    await watch.world.ended("a", "b")
    assert await watch.look() is None


async def test_an_idle_pool_is_not_stalled_and_a_drained_one_has_no_series(watch: Watch) -> None:
    """
    Nothing waits; and after the drain nothing is held.
    """
    pool = await watch.pool()
    assert await watch.look(100) is None
    assert watch.gauge("cordboard_worker_stalled_seconds", Lane.DIAL, 0) == 0

    async with asyncio.timeout(20):
        await pool.drain(1.0)
    await watch.look()
    assert watch.gauge("cordboard_worker_stalled_seconds", Lane.DIAL, 0) is None
    assert watch.gauge("cordboard_partition_lag_records", Lane.DIAL, 0) is None
