"""What is due when: a heap of moments in sandbox time, from which nothing fires by itself."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

_COMPACT_MIN = 64  # Below this many dead entries a rebuild of the heap is not worth its time.


class Timer:
    """One moment at which something happens, unless it is cancelled before."""

    __slots__ = ("due", "fire")

    def __init__(self, due: float, fire: Callable[[], None]) -> None:
        self.due = due
        self.fire: Callable[[], None] | None = fire


class Timers:
    """All moments of all calls, the soonest first; equal ones in the order in which they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._dead = 0

    def at(self, due: float, fire: Callable[[], None]) -> Timer:
        """Set a timer for a moment (sandbox seconds)."""
        timer = Timer(due, fire)
        heapq.heappush(self._heap, (due, next(self._order), timer))
        return timer

    def cancel(self, timer: Timer | None) -> None:
        """Make sure that a timer does not fire; nothing, fired and cancelled ones are fine."""
        if timer is None or timer.fire is None:
            return
        timer.fire = None
        self._dead += 1
        # Time limits are hours away and calls are short: without this the heap would keep every call of the day.
        if self._dead > _COMPACT_MIN and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].fire is not None]
            heapq.heapify(self._heap)
            self._dead = 0

    def next_due(self) -> float | None:
        """The soonest moment, or None when nothing is to come."""
        while self._heap and self._heap[0][2].fire is None:
            heapq.heappop(self._heap)
            self._dead -= 1
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> tuple[float, Callable[[], None]] | None:
        """Take the soonest timer that is due by `now`: its moment and what to do."""
        due = self.next_due()
        if due is None or due > now:
            return None
        timer = heapq.heappop(self._heap)[2]
        fire, timer.fire = timer.fire, None
        assert fire is not None  # noqa: S101 - next_due has just dropped the cancelled ones.
        return due, fire

    def __len__(self) -> int:
        return len(self._heap) - self._dead
