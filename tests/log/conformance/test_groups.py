"""How partitions are shared in groups, on every log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Set

import pytest

from cordboard.log.port import Fenced, Log, Member
from tests.log.kinds import LETTERS, WORK, Kind

ALL = set(range(6))


class Listener:
    """Remembers what it holds and what it was told; may take its time over giving something up."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.told: list[tuple[str, frozenset[int]]] = []
        self.may_let_go = asyncio.Event()
        self.may_let_go.set()
        self.asked = asyncio.Event()
        self.member: Member | None = None
        self.last_words: dict[int, int] = {}

    async def assigned(self, partitions: frozenset[int]) -> None:
        assert not partitions & self.held
        self.told.append(("assigned", partitions))
        self.held |= partitions

    async def revoked(self, partitions: frozenset[int]) -> None:
        assert partitions <= self.held
        self.told.append(("revoked", partitions))
        self.asked.set()
        await self.may_let_go.wait()
        if self.member is not None and self.last_words:
            await self.member.commit({p: self.last_words[p] for p in partitions if p in self.last_words})
        self.held -= partitions


async def eventually_spread(*listeners: Listener, of: Set[int] = frozenset(range(6))) -> None:
    """Wait until all partitions are held, each once, as evenly as can be."""

    async def settled() -> None:
        while not (  # noqa: ASYNC110 - several listeners are told, by whoever moves partitions
            sorted(p for listener in listeners for p in listener.held) == sorted(of)
            and max(len(x.held) for x in listeners) - min(len(x.held) for x in listeners) <= 1
        ):
            await asyncio.sleep(0.001)

    await asyncio.wait_for(settled(), 30)


async def seated(log: Log, group: str = "g", name: str = "") -> Listener:
    listener = Listener()
    listener.member = await log.join(group, WORK, listener, name)
    return listener


async def eventually_told(log: Log, named: Mapping[str, Listener]) -> None:
    """Wait until everybody is told of exactly what each member holds."""

    async def told() -> None:
        while dict(await log.holders("g", WORK)) != {  # noqa: ASYNC110 - nobody says when others have noticed
            partition: name for name, listener in named.items() for partition in listener.held
        }:
            await asyncio.sleep(0.001)

    await asyncio.wait_for(told(), 30)


async def test_the_only_member_has_all_partitions(kind: Kind) -> None:
    """
    Who is alone in a group gets everything, in one go.
    """
    alone = await seated(await kind.open())

    await eventually_spread(alone)
    assert [("assigned", frozenset(ALL))] == alone.told


async def test_members_share_evenly_and_take_over(kind: Kind) -> None:
    """
    Partitions spread over members as they come, and go to those who stay.
    """
    log = await kind.open()
    first = await seated(log)
    second = await seated(await kind.colleague(log))
    await eventually_spread(first, second)
    third = await seated(await kind.colleague(log))
    await eventually_spread(first, second, third)

    assert first.member is not None
    await first.member.leave()

    assert not first.held
    await eventually_spread(second, third)


async def test_a_member_beyond_the_partitions_waits_for_its_share(kind: Kind) -> None:
    """
    More members than partitions: some have none, and get one when another leaves.
    """
    log = await kind.open()
    first, second = Listener(), Listener()
    first.member = await log.join("g", LETTERS, first)
    second.member = await log.join("g", LETTERS, second)
    await eventually_spread(first, second, of={0})

    holder, other = (first, second) if first.held else (second, first)
    assert holder.member is not None
    await holder.member.leave()

    await eventually_spread(other, of={0})


async def test_nobody_is_given_what_another_has_not_let_go(kind: Kind) -> None:
    """
    `revoked` is awaited before the new holder's `assigned` is called.
    """
    log = await kind.open()
    first, second = await seated(log), Listener()
    first.may_let_go.clear()

    joining = asyncio.ensure_future((await kind.colleague(log)).join("g", WORK, second))
    await first.asked.wait()
    assert not second.held & first.held
    assert not second.told

    first.may_let_go.set()
    second.member = await joining
    await eventually_spread(first, second)


async def test_what_is_committed_while_letting_go_counts(kind: Kind) -> None:
    """
    A commit inside `revoked` is taken, and the next holder finds it.
    """
    log = await kind.open()
    first = await seated(log)
    first.last_words = {partition: 100 + partition for partition in ALL}
    second = await seated(await kind.colleague(log))
    await eventually_spread(first, second)

    assert second.member is not None
    assert {p: 100 + p for p in second.held} == {p: await second.member.committed(p) for p in second.held}


async def test_commits_are_kept_over_a_restart(kind: Kind) -> None:
    """
    What was committed is found by whoever joins the group later; other groups and partitions are untouched.
    """
    log = await kind.open()
    before = await seated(log)
    assert before.member is not None
    assert await before.member.committed(0) is None
    await before.member.commit({0: 7, 3: 9})
    await before.member.commit({0: 8})
    await log.close()

    log = await kind.open()
    after, other = await seated(log), await seated(log, "other")

    assert after.member is not None
    assert other.member is not None
    assert [await after.member.committed(p) for p in (0, 1, 3)] == [8, None, 9]
    assert await other.member.committed(0) is None


async def test_a_partition_that_is_not_held_cannot_be_committed(kind: Kind) -> None:
    """
    After a partition has gone, its old holder's commit raises Fenced and changes nothing.
    """
    log = await kind.open()
    first = await seated(log)
    second = await seated(await kind.colleague(log))
    await eventually_spread(first, second)
    assert first.member is not None
    assert second.member is not None
    gone = min(second.held)

    with pytest.raises(Fenced):
        await first.member.commit({gone: 5})

    assert await second.member.committed(gone) is None


async def test_who_left_holds_nothing(kind: Kind) -> None:
    """
    Leaving calls `revoked` for everything, once; a commit after it raises Fenced.
    """
    log = await kind.open()
    listener = await seated(log)
    assert listener.member is not None

    await listener.member.leave()
    await listener.member.leave()

    assert [("assigned", frozenset(ALL)), ("revoked", frozenset(ALL))] == listener.told
    with pytest.raises(Fenced):
        await listener.member.commit({0: 1})


async def test_groups_do_not_share(kind: Kind) -> None:
    """
    Each group has all partitions for itself.
    """
    log = await kind.open()
    one, other = await seated(log, "one"), await seated(log, "other")

    assert one.held == other.held == ALL


async def test_who_does_not_wait_for_a_seat_does_not_keep_one(kind: Kind) -> None:
    """
    A join that is cancelled leaves all partitions with those who were there.
    """
    log = await kind.open()
    first = await seated(log)
    first.may_let_go.clear()
    joining = asyncio.ensure_future(log.join("g", WORK, Listener()))
    await first.asked.wait()

    joining.cancel()
    await asyncio.wait([joining])
    first.may_let_go.set()

    await eventually_spread(first)


async def test_everybody_can_find_who_holds_what(kind: Kind) -> None:
    """
    By the names with which they joined; from any process, a member or not; as partitions come and go.
    """
    log = await kind.open()
    colleague = await kind.colleague(log)
    assert await log.holders("g", WORK) == {}
    one = await seated(log, name="one:1")
    await eventually_told(colleague, {"one:1": one})
    two = await seated(colleague, name="two:2")
    await eventually_spread(one, two)
    for asked in (log, colleague):
        await eventually_told(asked, {"one:1": one, "two:2": two})

    assert one.member is not None
    await one.member.leave()

    await eventually_spread(two)
    await eventually_told(log, {"two:2": two})
    assert await log.holders("other", WORK) == {}


async def test_what_is_being_moved_has_no_holder(kind: Kind) -> None:
    """
    Who was asked to give something up is not named any more, and who is to have it not yet.
    """
    log = await kind.open()
    first, second = await seated(log, name="first"), Listener()
    first.may_let_go.clear()

    joining = asyncio.ensure_future((await kind.colleague(log)).join("g", WORK, second, "second"))
    await first.asked.wait()
    moving = next(partitions for word, partitions in first.told if word == "revoked")
    assert not moving & (await log.holders("g", WORK)).keys()

    first.may_let_go.set()
    second.member = await joining
    await eventually_spread(first, second)
    await eventually_told(log, {"first": first, "second": second})
