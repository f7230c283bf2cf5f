"""A dispatcher whose log hangs without a word: its partition is seen to stand still, and to go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cordboard.liveness import Liveness, Relieved, Standing
from cordboard.roles.liveness import Journal, LivenessMetrics
from tests.dispatcher.harness import PARTITIONS, TOPICS, HandClock, Stage, connect, make_broker, speak, staged
from tests.liveness.hanging import Hanging

STALL_SECONDS = 30.0


class Watch:
    """A stage on a log that may hang, and who looks at it, by a clock of the test's own."""

    def __init__(self, stage: Stage, log: Hanging) -> None:
        self.stage = stage
        self.log = log
        self.registry = CollectorRegistry()
        self._metrics, self._journal = LivenessMetrics(self.registry), Journal()
        self._now = 0.0
        self._liveness = Liveness(
            log, lambda: stage.dispatcher.posts, STALL_SECONDS, self._observe, ask_seconds=0.05, now=lambda: self._now
        )

    def _observe(self, found: Standing | Relieved) -> None:
        self._metrics(found)
        self._journal(found)

    async def look(self, times: int = 1) -> str | None:
        """Look every ten seconds; what readiness says then."""
        for _ in range(times):
            self._now += 10
            await self._liveness.look()
        return self._liveness.trouble()

    def gauge(self, name: str, **labels: object) -> float | None:
        if "lag" in name:
            labels["pool"] = ""
        return self.registry.get_sample_value(name, {label: str(value) for label, value in labels.items()})

    def stalled_seconds(self) -> list[float | None]:
        return [self.gauge("cordboard_partition_stalled_seconds", partition=number) for number in range(PARTITIONS)]


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    clock = HandClock()
    log = Hanging(connect(make_broker(clock)))
    async with staged(log, clock) as stage:
        yield Watch(stage, log)
        log.go_on()


def call_of(stage: Stage, partition: int) -> str:
    """A call whose page is in that partition."""
    return next(
        key for key in map(str, range(100)) if stage.log.partition_for(TOPICS.commands, key.encode()) == partition
    )


@pytest.mark.parametrize("verb", ["read", "settle"])
async def test_a_silent_stall_is_seen_said_once_and_over_when_it_goes_on(watch: Watch, verb: str) -> None:
    """
    Whether the reader brings nothing any more or the log does not take what was decided: the gauge grows, readiness
    names the partition, and no line is written twice.
    """
    stage, call = watch.stage, call_of(watch.stage, 1)
    await stage.submit(speak("a", call))
    await stage.applied()
    watch.log.hang(verb)
    # What is awaited already brings one record still, and hangs at the next.
    await stage.submit(speak("b", call))
    await stage.until(lambda: verb in watch.log.hanging)
    await stage.submit(speak("c", call))

    with capture_logs() as lines:
        assert await watch.look(3) is None
        said = await watch.look(3)
        assert said is not None
        assert said.startswith("partition 1: nothing was done for 50 s, while ")
        assert watch.stalled_seconds() == [0, 50]
        assert watch.gauge("cordboard_partition_lag_records", topic=TOPICS.commands, partition=1) in (1, 2)

        watch.log.go_on()
        await stage.applied()
        assert await watch.look() is None

    assert watch.stalled_seconds() == [0, 0]
    assert watch.gauge("cordboard_partition_lag_records", topic=TOPICS.commands, partition=1) == 0
    assert [(line["event"], line["log_level"], line["which"]) for line in lines] == [
        ("a partition stands still", "critical", "partition 1"),
        ("a partition goes on that stood still", "critical", "partition 1"),
    ]


async def test_an_idle_owner_is_not_stalled(watch: Watch) -> None:
    """
    Nothing waits: for an hour nothing is done, and nobody complains.
    """
    await watch.stage.submit(speak("a"))
    await watch.stage.applied()
    with capture_logs() as lines:
        assert await watch.look(360) is None

    assert (watch.stalled_seconds(), lines) == ([0, 0], [])


async def test_a_busy_owner_is_not_stalled(watch: Watch) -> None:
    """
    It never catches up, because more comes all the time: but it goes on, one batch after another.
    """
    call = call_of(watch.stage, 0)
    for number in range(20):
        await watch.stage.applied()
        await watch.stage.submit(speak(f"command-{number}", call))
        watch.log.hang("settle")
        await watch.stage.submit(speak(f"more-{number}", call))
        assert await watch.look() is None
        watch.log.go_on()

    assert watch.stalled_seconds() == [0, 0]


async def test_a_log_that_does_not_answer_leaves_it_open_and_hangs_nobody(watch: Watch) -> None:
    """
    The look ends all the same, says that it cannot tell, once, and is content again when the log answers.
    """
    await watch.look()
    watch.log.hang("end")
    with capture_logs() as lines:
        async with asyncio.timeout(10):
            said = await watch.look(3)
        assert (
            said
            == "partition 0, partition 1: cannot tell whether anything waits: the log does not answer within 0.05 s"
        )
        assert watch.gauge("cordboard_partitions_unjudged", role="dispatcher") == 2
        watch.log.go_on()
        assert await watch.look() is None

    assert watch.gauge("cordboard_partitions_unjudged", role="dispatcher") == 0
    assert [line["event"] for line in lines] == [
        *["nobody can tell whether a partition goes on"] * 2,
        *["it can be told again whether a partition goes on"] * 2,
    ]


async def test_a_stall_that_is_known_stays_one_when_the_log_answers_no_more(watch: Watch) -> None:
    """
    What waited still waits: both are said.
    """
    call = call_of(watch.stage, 1)
    watch.log.hang("settle")
    await watch.stage.submit(speak("a", call))
    await watch.look(5)
    watch.log.hang("end")
    said = await watch.look()

    assert watch.stalled_seconds() == [0, 50]
    assert said is not None
    assert said.startswith(
        "partition 1: nothing was done for 50 s, while 1 records wait; partition 0, partition 1: cannot"
    )


async def test_the_series_of_a_partition_go_with_it(watch: Watch) -> None:
    """
    What another process owns by now is its to tell.
    """
    await watch.look()
    assert watch.stalled_seconds() == [0, 0]
    await watch.stage.dispatcher.revoked(frozenset({0}))
    await watch.look()

    assert watch.stalled_seconds() == [None, 0]
    assert watch.gauge("cordboard_partition_lag_records", topic=TOPICS.commands, partition=0) is None
    assert watch.gauge("cordboard_partition_lag_records", topic=TOPICS.commands, partition=1) == 0


async def test_a_look_that_fails_is_not_taken_for_calm(watch: Watch) -> None:
    """
    A bug in looking ends it; readiness says that nobody looks any more.
    """

    def posts() -> list[object]:
        raise ZeroDivisionError

    liveness = Liveness(watch.log, posts, 0.01, lambda _: None)  # type: ignore[arg-type]  # it never returns
    with capture_logs() as lines:
        await liveness.start()
        await watch.stage.until(lambda: lines)

    assert liveness.trouble() == "nobody looks any more whether partitions go on: a bug"
    assert [line["log_level"] for line in lines] == ["critical"]
    await liveness.stop()
