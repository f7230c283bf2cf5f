"""Forwarding's seat in its group: which partitions are ours, and how far their events are done.

A partition that is taken away is closed first: what is on its way may end within the handover's time, nothing more is
begun, and what was done by then is committed. The next owner begins there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from cordboard.clock import Clock
from cordboard.log.port import Fenced, Log, LogError, TopicPartition
from workers.core.forwarding import Backlog
from workers.membership import Membership

# Where a group begins that never committed: a little before now, so that nothing is missed while it begins.
_FIRST_LOOK_BACK_MS: Final = 60_000


class Hold:
    """One partition while it is ours. `closed` is set when nothing more may be begun."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.backlog: Backlog | None = None  # None until it was taken over.
        self.closed = asyncio.Event()
        self.lines: set[asyncio.Task[None]] = set()  # One for each call that has events in hand.
        self.posting: set[asyncio.Task[None]] = set()  # Those of them that are not to be broken off.
        self.tries = 0  # That have ended.
        self.is_full = False
        self.committed: int | None = None

    def __repr__(self) -> str:
        state = "closed" if self.closed.is_set() else "open"
        return f"<Hold of {self.partition}, {state}: {len(self.lines)} calls, {len(self.posting)} on their way>"


class Seat(Membership):
    """Holds the partitions of one account's forwarding."""

    def __init__(
        self,
        *,
        log: Log,
        clock: Clock,
        topic: str,
        handover_ms: int,
        on_change: Callable[[], None],
        on_trouble: Callable[[str, LogError], None],
    ) -> None:
        super().__init__(log=log, topic=topic, handover_ms=handover_ms, on_change=on_change, on_trouble=on_trouble)
        self._clock = clock
        self._commits = asyncio.Lock()  # A revocation waits for the commit under way.
        self.holds: dict[int, Hold] = {}

    async def assigned(self, partitions: frozenset[int]) -> None:
        """Hold these partitions too. They are taken over by `take_over`: the group must not wait for that."""
        self.holds |= {partition: Hold(partition) for partition in partitions}
        self._change()

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Begin nothing more, let end what is on its way, and commit what is done."""
        ending = [self.holds.pop(partition) for partition in partitions if partition in self.holds]
        self._change()
        for hold in ending:
            hold.closed.set()
            await _cut_off(hold.lines - hold.posting)
        if on_their_way := [task for hold in ending for task in hold.posting]:
            await asyncio.wait(on_their_way, timeout=self._handover_ms / 1_000)
        for hold in ending:
            await _cut_off(hold.lines)
        async with self._commits:
            await self._commit(ending)

    async def take_over(self) -> None:
        """Take over what is new. Raises LogUnavailable."""
        self.changed = False
        for hold in list(self.holds.values()):
            if hold.backlog is None and self._member is not None:
                at = TopicPartition(self._topic, hold.partition)
                hold.committed = await self._member.committed(hold.partition)
                first = hold.committed
                if first is None:
                    first = await self._log.offset_at(at, self._clock.now_ms() - _FIRST_LOOK_BACK_MS)
                hold.backlog = Backlog(max(first, await self._log.start(at)))

    async def commit(self) -> bool:
        """Commit what is done; whether all of it is committed now."""
        async with self._commits:
            return await self._commit(self.holds.values())

    async def _commit(self, holds: Iterable[Hold]) -> bool:
        news = {hold: hold.backlog.settled for hold in holds if hold.backlog is not None}
        news = {hold: offset for hold, offset in news.items() if offset != hold.committed}
        if not news or self._member is None:
            return True
        try:
            await self._member.commit({hold.partition: offset for hold, offset in news.items()})
        except LogError as error:
            if isinstance(error, Fenced) and len(news) > 1:  # One lost partition does not make us lose the others.
                return all([await self._commit([hold]) for hold in news])
            self._on_trouble("commit", error)
            return isinstance(error, Fenced)
        for hold, offset in news.items():
            hold.committed = offset
        return True


async def _cut_off(tasks: Iterable[asyncio.Task[None]]) -> None:
    ended = list(tasks)
    for task in ended:
        task.cancel()
    await asyncio.gather(*ended, return_exceptions=True)
