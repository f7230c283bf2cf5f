"""How partitions are spread, held against what an even and lazy spread must be."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.log.groups import Group, even_shares


class Shelf:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, int], int] = {}

    async def store_commits(self, offsets: dict[tuple[str, str, int], int]) -> None:
        self.stored |= offsets

    def stored_commit(self, key: tuple[str, str, int]) -> int | None:
        return self.stored.get(key)


@st.composite
def holdings(draw: st.DrawFn) -> tuple[list[set[int]], int]:
    members, partitions = draw(st.integers(1, 8)), draw(st.integers(1, 20))
    holders = draw(st.lists(st.integers(-1, members - 1), min_size=partitions, max_size=partitions))
    return [{p for p, holder in enumerate(holders) if holder == member} for member in range(members)], partitions


@given(holdings())
def test_every_partition_has_one_holder_and_shares_differ_by_one(case: tuple[list[set[int]], int]) -> None:
    """
    Whoever held what before: all partitions are given, each once, evenly.
    """
    held, partitions = case

    shares = even_shares(held, partitions)

    assert sorted(p for share in shares for p in share) == list(range(partitions))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(holdings())
def test_no_more_moves_than_needed(case: tuple[list[set[int]], int]) -> None:
    """
    Members keep what they hold up to an even share; the larger shares are theirs who held most.
    """
    held, partitions = case
    least, larger = divmod(partitions, len(held))

    shares = even_shares(held, partitions)

    kept = sum(len(before & after) for before, after in zip(held, shares, strict=True))
    most = sorted((len(before) for before in held), reverse=True)
    assert kept == sum(min(count, least + (rank < larger)) for rank, count in enumerate(most))


async def test_a_listener_that_fails_does_not_keep_its_partitions(caplog: pytest.LogCaptureFixture) -> None:
    """
    One member's trouble is logged, and the partitions move on.
    """

    class Broken:
        async def assigned(self, partitions: frozenset[int]) -> None:
            raise ValueError("cannot start")

        async def revoked(self, partitions: frozenset[int]) -> None:
            raise ValueError("cannot stop")

    class Sound:
        held = frozenset[int]()

        async def assigned(self, partitions: frozenset[int]) -> None:
            self.held |= partitions

        async def revoked(self, partitions: frozenset[int]) -> None:
            self.held -= partitions

    group, sound = Group("g", "t", 4, Shelf()), Sound()
    broken = await group.add(Broken())
    await group.add(sound)
    await group.remove(broken)

    assert sound.held == {0, 1, 2, 3}
    assert "failed while partitions moved" in caplog.text


async def test_a_member_that_does_not_answer_is_passed_over() -> None:
    """
    Expelled, it is asked nothing and may commit nothing; the others have its partitions.
    """

    class Deaf:
        async def assigned(self, partitions: frozenset[int]) -> None:
            pass

        async def revoked(self, partitions: frozenset[int]) -> None:
            await asyncio.Event().wait()

    group = Group("g", "t", 4, Shelf())
    deaf, other = await group.add(Deaf()), Deaf()

    await group.expel(deaf)
    taken = await group.add(other)

    assert taken.held == {0, 1, 2, 3}
    assert deaf.held == set()
