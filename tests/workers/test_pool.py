"""A pool on a real log: nothing is sent twice, whatever happens to those who send; nothing ends unreported."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import Appended, AppendUncertain, LogUnavailable, NewRecord, TopicPartition
from cordboard.topics import Topics
from cordboard.work import Lane, Outcome, Repeat, Verdict, Work, decode_outcome, encode
from workers.core.attempt import Limits
from workers.core.outcome import Answer, Reply
from workers.events import Event, LogTrouble, Unreadable, Unreported, Voided
from workers.pace import Hold, Pace
from workers.pool import Pool, PoolSettings

TOPICS = Topics()
CLOCK = SystemClock()
OK = Answer(200, b'{"data":{"result":"ok"}}')
MakeWork = Callable[..., Work]


class Hands:
    """Stands for Telnyx: notes what is sent, holds what it is told to hold, answers what it is told to answer."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.held: dict[str, asyncio.Event] = {}
        self.replies: dict[str, Reply] = {}
        self.on_send: Callable[[Work], None] = lambda work: None

    def hold(self, *command_ids: str) -> None:
        self.held |= {command_id: asyncio.Event() for command_id in command_ids}

    def let_go(self) -> None:
        for gate in self.held.values():
            gate.set()

    async def send(self, work: Work, timeout_ms: int) -> Reply:
        self.sent.append(work.command_id)
        self.on_send(work)
        if work.command_id in self.held:
            await self.held[work.command_id].wait()
        return self.replies.get(work.command_id, OK)


class Closed:
    """A pace that lets nothing go while it is shut."""

    def __init__(self) -> None:
        self.shut = True

    def hold(self, work: Work, now_ms: int) -> Hold | None:
        return Hold(5, "rate_limited") if self.shut else None

    def limited(self, lane: Lane, until_ms: int) -> None:
        """Not looked at."""


class World:
    """A log, hands, and the pools of a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hands = Hands()
        self.events: list[Event] = []
        self.pools: list[Pool] = []
        self.log: EmbeddedLog

    async def open(self) -> None:
        self.log = await EmbeddedLog.open(self.path, TOPICS.specs(["main"], 4), 4, CLOCK, TOPICS.inputs)

    async def close(self) -> None:
        self.hands.let_go()
        for pool in self.pools:
            await pool.drain(0.0)
        await self.log.close()

    async def crash(self) -> None:
        """Everything stops where it is; what is in the log is all that is left."""
        here = asyncio.current_task()
        dying = [
            task for task in asyncio.all_tasks() if task is not here and task.get_name().startswith("cordboard.worker")
        ]
        for task in dying:
            task.cancel()
        await asyncio.gather(*dying, return_exceptions=True)
        self.pools.clear()
        await self.log.close()
        await self.open()

    async def pool(self, pace: Pace | None = None, log: EmbeddedLog | None = None, **settings: object) -> Pool:
        limits = Limits(budget_ms=5_000, try_ms=3_000, connect_ms=1_000, backoff_ms=1, backoff_ms_max=20)
        chosen = PoolSettings(**{"name": "main", "limits": limits, "handover_ms": 1_000, **settings})
        pool = Pool(
            chosen,
            log=log or self.log,
            topics=TOPICS,
            client=self.hands,
            clock=CLOCK,
            rng=random.Random(7),
            pace=pace,
            observe=self.events.append,
        )
        await pool.start()
        self.pools.append(pool)
        return pool

    async def release(self, *works: Work) -> None:
        topic = {work.lane: TOPICS.work("main", work.lane) for work in works}
        await self.log.append([NewRecord(topic[work.lane], work.key.encode(), encode(work)) for work in works])

    async def outcomes(self) -> list[Outcome]:
        at = [TopicPartition(TOPICS.outcomes, number) for number in range(4)]
        reader = self.log.reader(dict.fromkeys(at, 0))
        found = []
        while any([reader.positions()[place] < await self.log.end(place) for place in at]):
            found += [decode_outcome(record.value) for record in await reader.read(1.0)]
        await reader.close()
        return found

    async def ended(self, *command_ids: str) -> dict[str, Verdict]:
        """Wait until these have an outcome that is an end; one each."""

        async def all_there() -> bool:
            return set(command_ids) <= {outcome.command_id for outcome in await self.ends()}

        await until(all_there)
        return {outcome.command_id: outcome.verdict for outcome in await self.ends()}

    async def ends(self) -> list[Outcome]:
        return [outcome for outcome in await self.outcomes() if outcome.verdict is not Verdict.WAITING]

    def committed(self, work: Work) -> int | None:
        topic = TOPICS.work("main", work.lane)
        partition = self.log.partition_for(topic, work.key.encode())
        return self.log.stored_commit((f"cordboard.worker.main.{work.lane.value}", topic, partition))


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait for a condition; the test's own timeout bounds it."""
    while True:
        met = condition()
        if met if isinstance(met, bool) else await met:
            return
        await asyncio.sleep(0.005)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path / "log.db")
    await world.open()
    yield world
    await world.close()


@pytest.fixture
def work(make_work: MakeWork) -> MakeWork:
    """Work that was released just now."""

    def make(command_id: str, **changes: object) -> Work:
        now_ms = CLOCK.now_ms()
        times = {"released_ms": now_ms, "not_after_ms": now_ms + 50_000, "expire_ms": now_ms + 30_000}
        return make_work(**{"command_id": command_id, **times, **changes})

    return make


DIAL = {"lane": Lane.DIAL, "repeat": Repeat.UNSENT, "action": "dial"}
HANGUP = {"lane": Lane.URGENT, "repeat": Repeat.ALWAYS, "not_after_ms": None, "expire_ms": None, "action": "hangup"}


class TestCarrying:
    async def test_work_of_every_lane_is_sent_and_reported(self, world: World, work: MakeWork) -> None:
        """
        One request, one outcome, under the page's key.
        """
        await world.pool()
        await world.release(work("a"), work("b", **DIAL), work("c", **HANGUP))

        assert await world.ended("a", "b", "c") == dict.fromkeys("abc", Verdict.DONE)
        assert sorted(world.hands.sent) == ["a", "b", "c"]
        assert {outcome.key for outcome in await world.outcomes()} == {"v3:call"}

    async def test_a_lane_carries_no_more_than_its_share(self, world: World, work: MakeWork) -> None:
        """
        What waits, waits in the log; what is urgent has its own share and passes.
        """
        world.hands.hold(*"abcde")
        await world.pool(concurrency={Lane.URGENT: 1, Lane.ACTION: 2, Lane.DIAL: 1})
        await world.release(*[work(name) for name in "abcde"])
        await until(lambda: len(world.hands.sent) == 2)
        await world.release(work("hangup", **HANGUP))
        await world.ended("hangup")

        assert sorted(world.hands.sent) == ["a", "b", "hangup"]
        world.hands.let_go()
        await world.ended(*"abcde")

    async def test_what_is_past_its_time_is_reported_and_not_sent(self, world: World, work: MakeWork) -> None:
        """
        LATE before EXPIRED, and neither reaches Telnyx.
        """
        await world.pool()
        await world.release(work("late", not_after_ms=1, expire_ms=1), work("expired", expire_ms=1))

        assert await world.ended("late", "expired") == {"late": Verdict.LATE, "expired": Verdict.EXPIRED}
        assert world.hands.sent == []

    async def test_a_copy_is_void(self, world: World, work: MakeWork) -> None:
        """
        The first record of a work is the work; another attempt is another work.
        """
        await world.pool()
        first = work("a")
        await world.release(first, first, msgspec.structs.replace(first, attempt=2), first, work("b"))
        await world.ended("a", "b")

        assert Counter(world.hands.sent) == {"a": 2, "b": 1}
        assert sum(isinstance(event, Voided) for event in world.events) == 2

    async def test_what_cannot_be_read_is_skipped(self, world: World, work: MakeWork) -> None:
        """
        It is counted, and the next work is carried out.
        """
        await world.pool()
        await world.log.append([NewRecord(TOPICS.work("main", Lane.ACTION), b"v3:call", b"\xc1 no work")])
        await world.release(work("a"))
        await world.ended("a")

        assert [event for event in world.events if isinstance(event, Unreadable)] == [
            Unreadable(Lane.ACTION, world.log.partition_for(TOPICS.work("main", Lane.ACTION), b"v3:call"), 0)
        ]

    async def test_what_is_held_is_reported_waiting_once(self, world: World, work: MakeWork) -> None:
        """
        Each work that the pace keeps longer than the limit says so, once, and then ends.
        """
        pace = Closed()
        await world.pool(pace, waiting_ms=20)
        await world.release(work("a"), work("b"))

        async def both_wait() -> bool:
            return {outcome.command_id for outcome in await world.outcomes()} == {"a", "b"}

        await until(both_wait)
        pace.shut = False
        await world.ended("a", "b")

        assert Counter((outcome.command_id, outcome.verdict) for outcome in await world.outcomes()) == {
            ("a", Verdict.WAITING): 1,
            ("a", Verdict.DONE): 1,
            ("b", Verdict.WAITING): 1,
            ("b", Verdict.DONE): 1,
        }

    async def test_what_expires_while_it_is_held_says_what_held_it(self, world: World, work: MakeWork) -> None:
        """
        The first one and those behind it.
        """
        await world.pool(Closed())
        soon = CLOCK.now_ms() + 50
        await world.release(work("a", expire_ms=soon), work("b", expire_ms=soon))
        await world.ended("a", "b")

        assert {(end.verdict, end.cause) for end in await world.ends()} == {(Verdict.EXPIRED, "rate_limited")}

    async def test_what_is_urgent_asks_no_pace(self, world: World, work: MakeWork) -> None:
        """
        A hangup gets through whatever the limits say.
        """
        await world.pool(Closed())
        await world.release(work("hangup", **HANGUP))

        assert await world.ended("hangup") == {"hangup": Verdict.DONE}

    async def test_a_bug_costs_one_work_and_not_the_lane(self, world: World, work: MakeWork) -> None:
        """
        What cannot be reported is said to be so, and the next one is carried out.
        """

        def stumble(sent: Work) -> None:
            if sent.command_id == "a":
                raise ZeroDivisionError

        world.hands.on_send = stumble
        await world.pool()
        await world.release(work("a"), work("b"))
        await world.ended("b")

        assert [event.error for event in world.events if isinstance(event, Unreported)] == ["ZeroDivisionError"]


class FlakyLog:
    """A log whose appends fail as told, before or after they were written."""

    def __init__(self, log: EmbeddedLog, failures: list[type[Exception]]) -> None:
        self._log = log
        self._failures = failures

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        failure = self._failures.pop(0) if self._failures else None
        if failure is LogUnavailable:
            raise LogUnavailable("not now")
        appended = await self._log.append(records)
        if failure is AppendUncertain:
            raise AppendUncertain("who knows")
        return appended


class TestReporting:
    async def test_an_outcome_that_cannot_be_written_is_held(self, world: World, work: MakeWork) -> None:
        """
        It is written when the log is back, perhaps twice; the request is not sent again for it.
        """
        flaky = FlakyLog(world.log, [LogUnavailable, AppendUncertain])
        await world.pool(log=flaky)  # type: ignore[arg-type]  # Everything else is the real log's.
        await world.release(work("a"))

        async def twice() -> bool:
            return [outcome.verdict for outcome in await world.outcomes()] == [Verdict.DONE] * 2

        await until(twice)
        assert world.hands.sent == ["a"]
        assert [event.doing for event in world.events if isinstance(event, LogTrouble)] == ["report", "report"]


class TestReserving:
    async def test_nothing_is_sent_that_is_not_committed(self, world: World, work: MakeWork) -> None:
        """
        When a request starts, the group's commit is already past its record.
        """
        seen: dict[str, int | None] = {}
        world.hands.on_send = lambda sent: seen.update({sent.command_id: world.committed(sent)})
        await world.release(*[work(name) for name in "abc"])
        await world.pool()
        await world.ended(*"abc")

        assert all(committed is not None and committed > place for place, committed in enumerate(seen.values()))

    async def test_a_dial_is_reserved_exactly(self, world: World, work: MakeWork) -> None:
        """
        Not one record more than the dial that goes is committed.
        """
        seen: dict[str, int | None] = {}
        world.hands.on_send = lambda sent: seen.update({sent.command_id: world.committed(sent)})
        world.hands.hold(*"abc")
        shut = Closed()
        await world.release(*[work(name, **DIAL) for name in "abc"])
        await world.pool(shut)
        assert world.committed(work("a", **DIAL)) is None
        shut.shut = False
        await until(lambda: len(world.hands.sent) == 3)

        assert seen == {"a": 1, "b": 2, "c": 3}

    async def test_dials_that_only_wait_are_nobodys_yet(self, world: World, work: MakeWork) -> None:
        """
        A crash while a dial is held back loses nothing: it was not reserved, and the next owner sends it.
        """
        await world.release(work("a", **DIAL), work("b", **DIAL))
        await world.pool(Closed(), waiting_ms=10)
        await until(lambda: bool(world.events))
        await world.crash()
        await world.pool()

        assert await world.ended("a", "b") == dict.fromkeys("ab", Verdict.DONE)
        assert sorted(world.hands.sent) == ["a", "b"]


class TestHandingOver:
    async def test_a_crash_between_commit_and_request_sends_nothing_twice(self, world: World, work: MakeWork) -> None:
        """
        What was reserved and not sent is reported by nobody and sent by nobody; the dispatcher's timers judge it.
        """
        lost = [work(name) for name in "abc"]
        await world.release(*lost)
        await world.pool(Closed())
        await until(lambda: world.committed(lost[0]) == 3)
        await world.crash()
        await world.release(lost[1], work("d"))
        await world.pool()
        await world.ended("d")

        assert world.hands.sent == ["d"]
        assert [outcome.command_id for outcome in await world.outcomes()] == ["d"]
        assert [event.work.command_id for event in world.events if isinstance(event, Voided)] == ["b"]

    async def test_a_crash_after_the_request_sends_nothing_twice(self, world: World, work: MakeWork) -> None:
        """
        The successor leaves alone what it did not reserve itself.
        """
        world.hands.hold("a")
        await world.release(work("a", **DIAL))
        await world.pool()
        await until(lambda: world.hands.sent == ["a"])
        await world.crash()
        await world.release(work("b", **DIAL))
        await world.pool()
        await world.ended("b")

        assert world.hands.sent == ["a", "b"]

    async def test_what_was_not_sent_is_given_back(self, world: World, work: MakeWork) -> None:
        """
        A drained worker commits its true position, and the next one sends what is left, once.
        """
        works = [work(name) for name in "abc"]
        await world.release(*works)
        first = await world.pool(Closed())
        await until(lambda: world.committed(works[0]) == 3)
        await first.drain(1.0)

        assert world.committed(works[0]) == 0
        await world.pool()
        await world.ended(*"abc")
        assert sorted(world.hands.sent) == ["a", "b", "c"]

    async def test_a_copy_of_what_another_sent_is_void(self, world: World, work: MakeWork) -> None:
        """
        Whoever takes over reads back far enough to know.
        """
        first = await world.pool()
        sent = work("a", **DIAL)
        await world.release(sent)
        await world.ended("a")
        await first.drain(1.0)
        await world.release(sent, work("b", **DIAL))
        await world.pool()
        await world.ended("b")

        assert world.hands.sent == ["a", "b"]

    @pytest.mark.parametrize("seed", range(4))
    async def test_members_come_and_go_and_nothing_is_sent_twice(self, world: World, work: MakeWork, seed: int) -> None:
        """
        Partitions move under load; every work is sent once, and done.
        """
        chance = random.Random(seed)
        names = [f"c{number}" for number in range(240)]
        pools = [await world.pool(concurrency={Lane.URGENT: 4, Lane.ACTION: 4, Lane.DIAL: 4})]
        for start in range(0, 240, 20):
            kinds: list[dict[str, object]] = [{}, DIAL, HANGUP]
            await world.release(
                *[work(name, key=f"v3:{name}", **chance.choice(kinds)) for name in names[start : start + 20]]
            )
            if len(pools) > 1 and chance.random() < 0.5:
                await pools.pop(chance.randrange(len(pools))).drain(1.0)
            else:
                pools.append(await world.pool())
        verdicts = await world.ended(*names)

        assert set(verdicts.values()) == {Verdict.DONE}
        assert Counter(world.hands.sent) == dict.fromkeys(names, 1)
        assert Counter(outcome.command_id for outcome in await world.ends()) == dict.fromkeys(names, 1)

    async def test_an_old_tenancy_may_report_and_commits_nothing(self, world: World, work: MakeWork) -> None:
        """
        A request that outlives its partition's handover still tells its outcome.
        """
        sent = work("a")
        world.hands.hold("a")
        await world.pool(handover_ms=20)
        await world.release(sent)
        await until(lambda: world.hands.sent == ["a"])
        for _ in range(3):
            await world.pool(handover_ms=20)
        await world.release(work("b"))
        await world.ended("b")
        world.hands.let_go()

        assert await world.ended("a") == dict.fromkeys("ab", Verdict.DONE)
        assert world.committed(sent) == 2
        assert world.hands.sent == ["a", "b"]

    async def test_a_worker_drained_while_it_joins_leaves_its_seat(self, world: World, work: MakeWork) -> None:
        """
        Partitions given to somebody who has already gone would lie idle.
        """
        await (await world.pool()).drain(0.0)
        await world.pool()
        await world.release(work("a"))

        assert await world.ended("a") == {"a": Verdict.DONE}

    async def test_a_drain_ends_in_its_time(self, world: World, work: MakeWork) -> None:
        """
        What does not end is cut off, said to be unreported, and not sent again.
        """
        world.hands.hold("a")
        pool = await world.pool(handover_ms=20)
        await world.release(work("a"))
        await until(lambda: world.hands.sent == ["a"])
        await pool.drain(0.05)
        await pool.wait()

        assert [event.work.command_id for event in world.events if isinstance(event, Unreported)] == ["a"]
        assert await world.outcomes() == []

    async def test_a_lane_that_dies_is_noticed(self, world: World, work: MakeWork) -> None:
        """
        A bug in a lane ends the wait of whoever runs the pool.
        """

        class Broken(Closed):
            def hold(self, work: Work, now_ms: int) -> Hold | None:
                raise ZeroDivisionError

        pool = await world.pool(Broken())
        await world.release(work("a"))

        with pytest.raises(ZeroDivisionError):
            await pool.wait()


class TestSettings:
    @pytest.mark.parametrize("concurrency", [{}, {Lane.URGENT: 1}, {Lane.URGENT: 1, Lane.ACTION: 0, Lane.DIAL: 1}])
    def test_every_lane_has_a_share(self, concurrency: dict[Lane, int]) -> None:
        """
        A lane without a share would swallow its work.
        """
        with pytest.raises(ValueError, match="every lane"):
            PoolSettings(name="main", concurrency=concurrency)
