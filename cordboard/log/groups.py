"""Consumer groups inside one process: who holds which partitions of a topic, handed over one holder at a time.

A partition is taken from its holder first, its `revoked` awaited, and only then given on: at no moment do two members
hold it. As few partitions move as an even spread allows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping
from typing import Final, Protocol

from cordboard.log.port import Fenced, GroupListener
from cordboard.log.store import CommitKey

_log: Final = logging.getLogger(__name__)


class Commits(Protocol):
    """Where committed offsets are kept."""

    async def store_commits(self, offsets: Mapping[CommitKey, int]) -> None:
        """Store offsets, durably."""

    def stored_commit(self, key: CommitKey) -> int | None:
        """The stored offset, if there is one."""


class Seat:
    """A seat, and the partitions that go with it just now."""

    def __init__(self, group: Group, listener: GroupListener, name: str) -> None:
        self.listener = listener
        self.name = name
        self.held: set[int] = set()
        self.leaving: set[int] = set()  # Of those held: what it was asked to give up.
        self._group = group

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """See the port."""
        await self._group.commit(self, offsets)

    async def committed(self, partition: int) -> int | None:
        """See the port."""
        return self._group.committed(partition)

    async def leave(self) -> None:
        """See the port."""
        await self._group.remove(self)


class Group:
    """The members that share one topic."""

    def __init__(self, name: str, topic: str, partitions: int, commits: Commits) -> None:
        self._name = name
        self._topic = topic
        self._partitions = partitions
        self._commits = commits
        self._members: list[Seat] = []
        self._turn = asyncio.Lock()
        self._changes: set[asyncio.Task[None]] = set()  # The loop itself keeps only weak references.

    async def add(self, listener: GroupListener, name: str = "") -> Seat:
        """Seat a member. Whoever is cancelled while waiting for the seat leaves again."""
        member = Seat(self, listener, name)
        seating = self._start(self._seat(member))
        try:
            await asyncio.shield(seating)
        except asyncio.CancelledError:
            self._start(self._unseat(member))
            raise
        return member

    async def remove(self, member: Seat) -> None:
        """Unseat a member; a second time does nothing. Goes on even if the caller is cancelled."""
        await asyncio.shield(self._start(self._unseat(member)))

    async def expel(self, member: Seat) -> None:
        """Unseat a member that does not answer any more: nothing is asked of it, and it may not commit."""
        member.held.clear()
        await asyncio.shield(self._start(self._unseat(member)))

    async def commit(self, member: Seat, offsets: Mapping[int, int]) -> None:
        """Store a member's offsets."""
        if foreign := sorted(offsets.keys() - member.held):
            raise Fenced(f"group {self._name} of {self._topic}: partitions {foreign} are not this member's any more")
        await self._commits.store_commits(
            {(self._name, self._topic, partition): offset for partition, offset in offsets.items()}
        )

    def committed(self, partition: int) -> int | None:
        """What was last stored for a partition, by whichever member."""
        return self._commits.stored_commit((self._name, self._topic, partition))

    def holders(self) -> dict[int, str]:
        """See the port."""
        return {
            partition: member.name
            for member in self._members
            if member.name
            for partition in sorted(member.held - member.leaving)
        }

    def _start(self, change: Awaitable[None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return task

    async def _seat(self, member: Seat) -> None:
        async with self._turn:
            self._members.append(member)
            await self._spread()

    async def _unseat(self, member: Seat) -> None:
        async with self._turn:
            if member in self._members:
                self._members.remove(member)
                await _take(member, set(member.held))
                await self._spread()

    async def _spread(self) -> None:
        shares = even_shares([member.held for member in self._members], self._partitions)
        moves = list(zip(self._members, shares, strict=True))
        await asyncio.gather(*(_take(member, member.held - share) for member, share in moves))
        await asyncio.gather(*(_give(member, share - member.held) for member, share in moves))


def even_shares(held: Iterable[set[int]], partitions: int) -> list[set[int]]:
    """Spread partitions evenly over members, moving as few as possible from those who hold them."""
    kept = [sorted(share) for share in held]
    if not kept:
        return []
    least, larger = divmod(partitions, len(kept))
    # Who holds most keeps most: the larger shares go where they need no move.
    order = sorted(range(len(kept)), key=lambda member: -len(kept[member]))
    sizes = {member: least + (rank < larger) for rank, member in enumerate(order)}
    shares = [set(share[: sizes[member]]) for member, share in enumerate(kept)]
    free = iter(sorted(set(range(partitions)).difference(*shares)))
    for member, share in enumerate(shares):
        while len(share) < sizes[member]:
            share.add(next(free))
    return shares


async def _take(member: Seat, partitions: set[int]) -> None:
    if partitions:
        # Held until it returns: what it commits on the way out still counts.
        member.leaving = partitions
        await _told(member.listener.revoked(frozenset(partitions)))
        member.held -= partitions
        member.leaving = set()


async def _give(member: Seat, partitions: set[int]) -> None:
    if partitions:
        member.held |= partitions
        await _told(member.listener.assigned(frozenset(partitions)))


async def _told(call: Awaitable[None]) -> None:
    try:
        await call
    except Exception:
        # One member's trouble is not the others': the partitions move on.
        _log.exception("a member of a consumer group failed while partitions moved")
