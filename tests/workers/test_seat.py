"""A seat whose group or log gives trouble: what is not ours is not started, what is not sent is given back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import pytest

from cordboard.log.port import Fenced, GroupListener, LogError, LogUnavailable, TopicPartition
from cordboard.work import Work
from workers.seat import Seat, Taken
from workers.tenancy import Tenancy

MakeWork = Callable[..., Work]


class Clock(Protocol):
    def now_ms(self) -> int: ...


class TroubledGroup:
    """A log that only has a group, and the one seat in it. Each commit fails as told, or is kept."""

    def __init__(self) -> None:
        self.commits: dict[int, int] = {}
        self.fenced: set[int] = set()
        self.unavailable = 0
        self.joins_refused = 0
        self.left = False

    async def join(self, group: str, topic: str, listener: GroupListener) -> TroubledGroup:
        if self.joins_refused:
            self.joins_refused -= 1
            raise LogUnavailable("not yet")
        await listener.assigned(frozenset({0, 1}))
        return self

    async def commit(self, offsets: Mapping[int, int]) -> None:
        await asyncio.sleep(0)
        if self.unavailable:
            self.unavailable -= 1
            raise LogUnavailable("not now")
        if self.fenced & offsets.keys():
            raise Fenced("another's")
        self.commits |= offsets

    async def committed(self, partition: int) -> int | None:
        return self.commits.get(partition)

    async def start(self, at: TopicPartition) -> int:
        return 0

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        return 100

    async def leave(self) -> None:
        self.left = True


@pytest.fixture
def group() -> TroubledGroup:
    return TroubledGroup()


@pytest.fixture
def troubles() -> list[str]:
    return []


@pytest.fixture
def seat(group: TroubledGroup, clock: Clock, troubles: list[str], monkeypatch: pytest.MonkeyPatch) -> Seat:
    monkeypatch.setattr("workers.membership.RETRY_MS", 1)
    monkeypatch.setattr("workers.seat.RETRY_MS", 1)

    def on_trouble(doing: str, error: LogError) -> None:
        troubles.append(f"{doing}: {error}")

    return Seat(
        log=group,  # type: ignore[arg-type]  # The part of a log that a seat without readers needs.
        clock=clock,
        topic="work",
        memory_ms=90_000,
        handover_ms=100,
        on_change=lambda: None,
        on_trouble=on_trouble,
    )


def held(seat: Seat, partition: int) -> Tenancy:
    tenancy = seat.tenancy(partition)
    assert tenancy is not None
    return tenancy


class TestJoining:
    async def test_it_tries_until_it_sits(self, seat: Seat, group: TroubledGroup, troubles: list[str]) -> None:
        """
        A log that is not there yet is waited for.
        """
        group.joins_refused = 2
        await seat.join("group")

        assert troubles == ["join: not yet"] * 2
        assert await seat.positions() == {TopicPartition("work", 0): 0, TopicPartition("work", 1): 0}

    async def test_a_seat_never_taken_is_left_quietly(self, seat: Seat, group: TroubledGroup) -> None:
        """
        Stopped before it began.
        """
        await seat.leave()
        await seat.join("group")

        assert not group.left

    async def test_it_starts_at_the_commit(self, seat: Seat, group: TroubledGroup) -> None:
        """
        Below the commit everything is somebody's already.
        """
        group.commits = {1: 42}
        await seat.join("group")

        assert await seat.positions() == {TopicPartition("work", 0): 0, TopicPartition("work", 1): 42}


class TestReserving:
    async def test_a_lost_partition_does_not_cost_the_others(
        self, seat: Seat, group: TroubledGroup, make_work: MakeWork
    ) -> None:
        """
        What is fenced ends and starts nothing; the rest is reserved.
        """
        await seat.join("group")
        lost, kept = held(seat, 0), held(seat, 1)
        works = [Taken(make_work(), 5, lost, 0), Taken(make_work(), 7, kept, 0)]
        group.fenced = {0}
        await seat.reserve(works, {lost: 6, kept: 8})

        assert group.commits == {1: 8}
        assert (lost.open, lost.start(5), kept.start(7)) == (False, False, True)

    async def test_it_tries_until_the_log_is_back(
        self, seat: Seat, group: TroubledGroup, troubles: list[str], make_work: MakeWork
    ) -> None:
        """
        Meanwhile nothing is covered, and nothing may start.
        """
        await seat.join("group")
        tenancy = held(seat, 0)
        group.unavailable = 2
        await seat.reserve([Taken(make_work(), 5, tenancy, 0)], {tenancy: 6})

        assert troubles == ["reserve: not now"] * 2
        assert tenancy.start(5)

    async def test_a_stop_ends_the_trying(self, seat: Seat, group: TroubledGroup, make_work: MakeWork) -> None:
        """
        A drain does not wait for a log that is away, and nothing was reserved.
        """
        await seat.join("group")
        tenancy = held(seat, 0)
        group.unavailable = 1_000_000
        reserving = asyncio.create_task(seat.reserve([Taken(make_work(), 5, tenancy, 0)], {tenancy: 6}))
        await asyncio.sleep(0)
        seat.stop()
        await reserving

        assert not tenancy.start(5)


class TestRevoking:
    async def test_a_revocation_during_a_commit_gives_back_what_it_covered(
        self, seat: Seat, group: TroubledGroup, make_work: MakeWork
    ) -> None:
        """
        The commit under way is awaited, then undone down to what was not sent.
        """
        await seat.join("group")
        tenancy = held(seat, 0)
        works = [Taken(make_work(), offset, tenancy, 0) for offset in (5, 6)]
        reserving = asyncio.create_task(seat.reserve(works, {tenancy: 7}))
        await asyncio.sleep(0)
        await seat.revoked(frozenset({0}))
        await reserving

        assert group.commits == {0: 5}
        assert (tenancy.start(5), seat.tenancy(0), seat.changed) == (False, None, True)

    async def test_what_was_sent_is_not_given_back(self, seat: Seat, group: TroubledGroup, make_work: MakeWork) -> None:
        """
        The true position is the lowest offset that was not sent.
        """
        await seat.join("group")
        tenancy = held(seat, 0)
        await seat.reserve([Taken(make_work(), offset, tenancy, 0) for offset in (5, 6, 9)], {tenancy: 12})
        tenancy.start(5)
        await seat.revoked(frozenset({0}))

        assert group.commits == {0: 6}

    async def test_all_sent_leaves_the_commit_as_it_is(
        self, seat: Seat, group: TroubledGroup, make_work: MakeWork
    ) -> None:
        """
        Copies and unreadable records behind the last work are not read again.
        """
        await seat.join("group")
        tenancy = held(seat, 0)
        await seat.reserve([Taken(make_work(), 5, tenancy, 0)], {tenancy: 12})
        tenancy.start(5)
        await seat.revoked(frozenset({0, 1}))

        assert group.commits == {0: 12}

    @pytest.mark.parametrize("trouble", ["fenced", "unavailable"])
    async def test_a_log_that_is_away_does_not_hold_the_group(
        self, seat: Seat, group: TroubledGroup, make_work: MakeWork, trouble: str
    ) -> None:
        """
        A handover ends in its time; what could not be given back is judged by the dispatcher's timers.
        """
        await seat.join("group")
        tenancy = held(seat, 0)
        await seat.reserve([Taken(make_work(), 5, tenancy, 0)], {tenancy: 6})
        group.fenced = {0} if trouble == "fenced" else set()
        group.unavailable = 1_000_000 if trouble == "unavailable" else 0
        await seat.revoked(frozenset({0}))

        assert group.commits == {0: 6}
        assert not tenancy.open

    async def test_a_handover_waits_for_what_is_on_its_way(self, seat: Seat, group: TroubledGroup) -> None:
        """
        It tells it to resend nothing, and gives it a moment to end.
        """
        await seat.join("group")
        tenancy = held(seat, 0)
        task = asyncio.create_task(_until_closed(tenancy))
        tenancy.running.add(task)
        await seat.revoked(frozenset({0}))

        assert task.done()


async def _until_closed(tenancy: Tenancy) -> None:
    await tenancy.closed.wait()
