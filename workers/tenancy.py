"""One partition of a lane while it is ours: what was seen in it, what is reserved and not sent, what is on its way.

Works are started in the order of their offsets, so what is reserved and not started is always the end of what is
reserved: giving it back to the next owner is one offset, and nothing at or above that offset was ever sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from cordboard.work import Work


class WorkId(NamedTuple):
    """What makes two work records copies of each other."""

    key: str
    command_id: str
    attempt: int

    @classmethod
    def of(cls, work: Work) -> WorkId:
        """The identity of a released request."""
        return cls(work.key, work.command_id, work.attempt)


class Tenancy:
    """A hold on one partition, from its assignment to its end. `closed` is set when nothing more may be started."""

    def __init__(self, partition: int, memory_ms: int) -> None:
        self.partition = partition
        self.position: int | None = None  # The next offset to be read; None until it was taken over.
        self.closed = asyncio.Event()
        self.running: set[asyncio.Task[None]] = set()
        self._memory_ms = memory_ms
        self._seen: dict[WorkId, int] = {}
        self._waiting: deque[int] = deque()

    def __repr__(self) -> str:
        state = "closed" if self.closed.is_set() else "open"
        return f"<Tenancy of {self.partition}, {state}: {self.reserved} reserved, {len(self.running)} on their way>"

    @property
    def open(self) -> bool:
        """Whether it may start work."""
        return not self.closed.is_set()

    @property
    def reserved(self) -> int:
        """How many works are reserved and not started."""
        return len(self._waiting)

    def is_first(self, work_id: WorkId, time_ms: int) -> bool:
        """Remember a work, seen at the log's time; False for a copy of one seen less than the memory ago."""
        self._forget(time_ms - self._memory_ms)
        if work_id in self._seen:
            return False
        self._seen[work_id] = time_ms
        return True

    def _forget(self, before_ms: int) -> None:
        # Records of a partition come in the order of their times, and dicts keep it.
        while self._seen and next(iter(self._seen.values())) < before_ms:
            del self._seen[next(iter(self._seen))]

    def reserve(self, offsets: Iterable[int]) -> None:
        """Note that the group's commit now covers these works, in order."""
        self._waiting.extend(offsets)

    def start(self, offset: int) -> bool:
        """Take a reserved work on its way, if it still may be: only an open tenancy starts, and only in order."""
        if not self.open or not self._waiting or self._waiting[0] != offset:
            return False
        self._waiting.popleft()
        return True

    def give_back(self) -> int | None:
        """End the reservations: the lowest offset not sent, to be committed; None if there is nothing to give back."""
        lowest = self._waiting[0] if self._waiting else None
        self._waiting.clear()
        return lowest
