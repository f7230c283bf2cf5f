"""Who sends what when workers come, go and die: nothing is sent twice, and what was not sent is given back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from cordboard.work import Lane, Verdict, Work
from tests.workers.world import DIAL, HANGUP, TOPICS, Closed, World, until
from workers.events import Voided

MakeWork = Callable[..., Work]


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

    async def test_dials_of_several_partitions_are_reserved_together(self, world: World, work: MakeWork) -> None:
        """
        One of each partition goes with one commit, and no second one before the first of its partition has gone.
        """
        names = [f"dial:{number}" for number in range(99)]
        keys = {world.log.partition_for(TOPICS.work("main", Lane.DIAL), name.encode()): name for name in names}
        rounds = [[work(f"{turn}.{place}", key=key, **DIAL) for place, key in keys.items()] for turn in range(2)]
        seen: list[list[int | None]] = []
        world.hands.on_send = lambda sent: seen.append([world.committed(dial) for dial in rounds[0]])
        shut = Closed()
        await world.release(*rounds[0], *rounds[1])
        await world.pool(shut)
        shut.shut = False
        await until(lambda: len(world.hands.sent) == 2 * len(keys))

        assert seen == [[1] * len(keys)] * len(keys) + [[2] * len(keys)] * len(keys)

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
