"""Lane credit: which dials may be released now, by one owner, for one partition.

At most two seconds of an account's dials are in the workers' hands; all others wait in their own lines, where they can
be cancelled, and where they expire. A partition has its even part of the account's rate, as its workers have: so no
owner has to ask another, and a partition that moves takes its credit along. What is out is counted on the pages: a new
owner reads it back, and forgets nothing.

Within the partition senders take turns, by `source`: ten dials of one do not wait for ten thousand of another.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

AHEAD_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A dial that could go if its lane had room."""

    page: str
    command_id: str
    account: str
    source: str


def rooms_at(dials_per_second: Mapping[str, float | None], partitions: int) -> dict[str, int]:
    """By account, how many dials may be out from one partition; those without a rate are missing: as many as come.

    One at least, or a partition's dials would never go.
    """
    return {
        account: max(round(rate * AHEAD_SECONDS / partitions), 1)
        for account, rate in dials_per_second.items()
        if rate is not None
    }


class LaneCredit:
    """Who may go, and in which order, when a lane has less room than there are wishes."""

    def __init__(self, rooms: Mapping[str, int]) -> None:
        self._rooms = rooms
        self._queues: dict[str, dict[str, deque[Wish]]] = {}  # By account, then by source, in the order of turns.
        self._wishes: dict[str, Wish] = {}  # By page.
        self._out: dict[str, str] = {}  # Pages of dials that are out, and their accounts.
        self._count: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<LaneCredit: {len(self._out)} out, {len(self._wishes)} waiting>"

    @property
    def waiting(self) -> int:
        """How many dials wait for room."""
        return len(self._wishes)

    def look(self, page: str, account: str, wish: Wish | None, *, is_out: bool) -> None:
        """Learn how a dial's page stands now: what it wishes, and whether its dial is out."""
        if wish is None:
            self._wishes.pop(page, None)
        elif page not in self._wishes:
            self._wishes[page] = wish
            self._queues.setdefault(wish.account, {}).setdefault(wish.source, deque()).append(wish)
        if is_out and page not in self._out:
            self._out[page] = account
            self._count[account] = self._count.get(account, 0) + 1
        elif not is_out and page in self._out:
            self._count[self._out.pop(page)] -= 1

    def grants(self, paused: frozenset[str] = frozenset()) -> list[Wish]:
        """The wishes that there is room for, a turn for each source; to be granted before this is asked again."""
        granted: list[Wish] = []
        for account, queues in self._queues.items():
            if account not in paused:
                room = self._rooms.get(account)
                left = len(self._wishes) if room is None else room - self._count.get(account, 0)
                granted += self._take(queues, left)
        return granted

    def _take(self, queues: dict[str, deque[Wish]], room: int) -> list[Wish]:
        taken: list[Wish] = []
        while queues and len(taken) < room:
            source = next(iter(queues))
            queue = queues.pop(source)
            while queue and self._wishes.get(queue[0].page) is not queue[0]:
                queue.popleft()  # Cancelled, expired, or wished anew.
            if queue:
                taken.append(queue.popleft())
                del self._wishes[taken[-1].page]
            if queue:
                queues[source] = queue  # Behind the others now.
        return taken
