"""Lane credit: how many dials are out, whose turn it is, and what a new owner knows of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.orders import Orders
from cordboard.v1 import command_pb2
from cordboard.work import Lane, Verdict
from dispatcher.credit import LaneCredit, Wish, rooms_at
from tests.dispatcher.harness import HandClock, Stage, connect, dial, make_broker, staged


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def of(source: str, command_id: str) -> command_pb2.Command:
    command = dial(command_id)
    command.source = source
    return command


class Dials:
    """A credit, and the dials that come to it."""

    def __init__(self, room: int | None) -> None:
        self.credit = LaneCredit({} if room is None else {"main": room})

    def come(self, source: str, *names: str) -> None:
        for name in names:
            self.credit.look(name, "main", Wish(name, name, "main", source), is_out=False)

    def go(self) -> list[str]:
        """Whoever may go now, goes."""
        going = [wish.page for wish in self.credit.grants()]
        for page in going:
            self.credit.look(page, "main", None, is_out=True)
        return going

    def end(self, *names: str) -> None:
        for name in names:
            self.credit.look(name, "main", None, is_out=False)


class TestLaneCredit:
    def test_no_more_are_out_than_there_is_room_for(self) -> None:
        """
        The next one goes when one has ended; that a page is looked at twice counts once.
        """
        dials = Dials(2)
        dials.come("s", "a", "b", "c")
        dials.come("s", "a")
        assert dials.go() == ["a", "b"]
        assert dials.go() == []
        dials.end("a", "a")
        assert dials.go() == ["c"]

    def test_senders_take_turns(self) -> None:
        """
        Ten of one do not wait for ten thousand of another.
        """
        dials, went = Dials(4), []
        dials.come("big", *(f"b{number}" for number in range(10_000)))
        dials.come("small", *(f"s{number}" for number in range(10)))
        while sum(name.startswith("s") for name in went) < 10:
            going = dials.go()
            went += going
            dials.end(*going)

        assert len(went) <= 21

    def test_what_does_not_wish_any_more_is_passed_over(self) -> None:
        """
        Cancelled, or expired: its turn is the next one's.
        """
        dials = Dials(1)
        dials.come("s", "a", "b")
        dials.end("a")
        assert (dials.go(), dials.credit.waiting) == (["b"], 0)

    def test_without_a_rate_all_go(self) -> None:
        """
        As they come.
        """
        dials = Dials(None)
        dials.come("s", "a", "b", "c")
        assert dials.go() == ["a", "b", "c"]

    def test_a_paused_account_gets_none(self) -> None:
        """
        Nor does it lose its turn.
        """
        dials = Dials(1)
        dials.come("s", "a")
        assert dials.credit.grants(frozenset({"main"})) == []
        assert dials.go() == ["a"]

    @given(st.lists(st.tuples(st.sampled_from("come go end"), st.integers(0, 9)), max_size=60))
    def test_it_counts_what_is_out(self, steps: list[tuple[str, int]]) -> None:
        """
        Against a set: whatever comes, goes and ends in whichever order.
        """
        dials, waiting, out = Dials(3), set(), set()
        for what, number in steps:
            name = f"d{number}"
            if what == "c" and name not in out:
                dials.come(str(number % 2), name)
                waiting.add(name)
            elif what == "e":
                dials.end(name)
                waiting.discard(name)
                out.discard(name)
            elif what == "g":
                going = dials.go()
                assert len(going) == len(set(going)) == min(len(waiting), 3 - len(out))
                assert set(going) <= waiting
                waiting -= set(going)
                out |= set(going)
        assert dials.credit.waiting == len(waiting)


def test_the_room_is_two_seconds_of_a_partitions_part() -> None:
    """
    One at least; and nothing is said of an account without a rate.
    """
    assert rooms_at({"a": 30.0, "b": 0.5, "c": None}, 4) == {"a": 15, "b": 1}


class TestThroughTheOwner:
    async def one_by_one(self, stage: Stage, names: list[str]) -> None:
        """Each dial is released only when the one before it has its outcome."""
        for count in range(1, len(names) + 1):
            await stage.until(lambda: True)
            await stage.applied()
            works = await stage.works(Lane.DIAL)
            assert len(works) == count
            await stage.report(works[-1], Verdict.REFUSED, http_status=422)

    async def test_dials_go_as_others_end(self, clock: HandClock) -> None:
        """
        One may be out of each partition; all others wait in their own lines.
        """
        names = on_one_partition(4)
        async with staged(connect(make_broker(clock)), clock, rooms={"main": 1}) as stage:
            for name in names:
                await stage.submit(dial(name))
            await self.one_by_one(stage, names)

    async def test_a_new_owner_knows_how_many_are_out(self, clock: HandClock) -> None:
        """
        It reads that back with the pages: what the last one released counts, and what waited waits on.
        """
        names, broker = on_one_partition(3), make_broker(clock)
        async with staged(connect(broker), clock, rooms={"main": 1}) as stage:
            for name in names:
                await stage.submit(dial(name))
            await stage.applied()
        async with staged(connect(broker), clock, rooms={"main": 1}) as stage:
            await stage.applied()
            (work,) = await stage.works(Lane.DIAL)
            await stage.report(work, Verdict.REFUSED, http_status=422)
            await stage.applied()
            assert len(await stage.works(Lane.DIAL)) == 2

    async def test_orders_reach_what_waits(self, clock: HandClock) -> None:
        """
        Paused, nothing goes; a group that is cancelled ends; what is left goes when the pause is over.
        """
        orders = [Orders(paused=frozenset({"main"}))]
        async with staged(connect(make_broker(clock)), clock, orders=lambda: orders[-1]) as stage:
            for name, group in (("a", "spring"), ("b", "autumn")):
                command = dial(name)
                command.group = group
                await stage.submit(command)
            await stage.applied()
            assert await stage.works(Lane.DIAL) == []

            orders.append(Orders(cancelled={("main", "spring"): clock.now_ms()}))
            stage.dispatcher.look_again()
            await stage.applied()
            assert [work.command_id for work in await stage.works(Lane.DIAL)] == ["b"]
            assert [result.command_id for result in await stage.results()] == ["a"]


def on_one_partition(count: int) -> list[str]:
    """Ids of dials whose pages are in the same partition."""
    log = connect(make_broker(HandClock()))
    names = [
        name for name in map(str, range(100)) if log.partition_for("t.commands", f"dial:main/{name}".encode()) == 0
    ]
    return names[:count]
