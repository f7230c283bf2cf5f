"""A pool on a real log: what is released is carried out, within its bounds, and nothing ends unreported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import AppendUncertain, LogUnavailable, NewRecord
from cordboard.work import Lane, Verdict, Work
from tests.workers.world import CLOCK, DIAL, HANGUP, TOPICS, Closed, FlakyLog, World, until
from workers import journal
from workers.events import BrokeOff, LogTrouble, Unreadable, Unreported, Voided
from workers.pace import Hold
from workers.settings import PoolSettings

MakeWork = Callable[..., Work]


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


class TestBeginning:
    async def test_a_lane_waits_for_its_seat_and_says_so(self, world: World) -> None:
        """
        While the log gives no seat the lane is named to whoever asks; it goes on trying, and then is not.
        """
        away = FullHouse(world.log)
        pool = await world.pool(log=away)  # type: ignore[arg-type]  # Everything else is the real log's.
        await until(lambda: away.asked > 0)
        assert f"{TOPICS.prefix}.worker.main.action" in pool.unseated

        away.is_full = False
        await pool.seated()
        assert pool.unseated == ()


class FullHouse:
    """A log that gives nobody a seat, until it does."""

    def __init__(self, log: EmbeddedLog) -> None:
        self._log = log
        self.asked = 0
        self.is_full = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def join(self, *about: Any) -> Any:
        self.asked += 1
        if self.is_full:
            raise LogUnavailable("no room")
        return await self._log.join(*about)


class TestEnding:
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

        assert pool.broken == ()
        assert [event.work.command_id for event in world.events if isinstance(event, Unreported)] == ["a"]
        assert await world.outcomes() == []

    async def test_a_lane_that_dies_is_noticed(self, world: World, work: MakeWork) -> None:
        """
        A bug in a lane ends the wait of whoever runs the pool, and the lane is named to whoever asks.
        """

        class Broken(Closed):
            def hold(self, work: Work, now_ms: int) -> Hold | None:
                raise ZeroDivisionError

        pool = await world.pool(Broken())
        assert pool.broken == ()
        await world.release(work("a"))

        with pytest.raises(ZeroDivisionError):
            await pool.wait()
        assert pool.broken == (f"{TOPICS.prefix}.worker.main.action",)
        [told] = [event for event in world.events if isinstance(event, BrokeOff)]
        assert (told.lane, type(told.error)) == (Lane.ACTION, ZeroDivisionError)
        with capture_logs() as lines:
            journal.write(told)
        assert [(line["log_level"], line["lane"], line["exc_info"]) for line in lines] == [
            ("critical", "action", told.error)
        ]


class TestSettings:
    @pytest.mark.parametrize("concurrency", [{}, {Lane.URGENT: 1}, {Lane.URGENT: 1, Lane.ACTION: 0, Lane.DIAL: 1}])
    def test_every_lane_has_a_share(self, concurrency: dict[Lane, int]) -> None:
        """
        A lane without a share would swallow its work.
        """
        with pytest.raises(ValueError, match="every lane"):
            PoolSettings(name="main", concurrency=concurrency)
