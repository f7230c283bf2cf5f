"""The pages of one partition, in memory: as bytes, because most calls are quiet, with when each wants to be seen."""

from __future__ import annotations

import heapq


class Pages:
    """What was settled. Times are Unix milliseconds."""

    def __init__(self) -> None:
        self._pages: dict[str, bytes] = {}
        self._wakes: dict[str, int] = {}
        self._waiting: dict[str, int] = {}  # Of the few pages where something waits.
        self.waiting = 0  # Commands in all lines.
        self._heap: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._pages)

    def keys(self) -> list[str]:
        """All pages there are."""
        return list(self._pages)

    def get(self, key: str) -> bytes | None:
        """A page's bytes."""
        return self._pages.get(key)

    def put(self, key: str, value: bytes, wake_ms: int, waiting: int | None = None) -> None:
        """Keep a page, when it wants to be seen, and how many commands wait in its line (None: as many as before)."""
        self._pages[key] = value
        if waiting is not None:
            self._count(key, waiting)
        if self._wakes.get(key) == wake_ms:
            return
        self._wakes[key] = wake_ms
        heapq.heappush(self._heap, (wake_ms, key))
        if len(self._heap) > 2 * len(self._wakes) + 64:
            self._heap = [(wake, name) for name, wake in self._wakes.items()]
            heapq.heapify(self._heap)

    def drop(self, key: str) -> None:
        """Forget a page."""
        self._pages.pop(key, None)
        self._wakes.pop(key, None)
        self._count(key, 0)

    def _count(self, key: str, waiting: int) -> None:
        before = self._waiting.pop(key, 0)
        if waiting:
            self._waiting[key] = waiting
        self.waiting += waiting - before

    def next_wake(self) -> int | None:
        """The earliest time at which a page wants to be seen."""
        while self._heap and self._wakes.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, wake_ms: int) -> list[str]:
        """The pages that want to be seen at `wake_ms`. They are asked for once: each must be put anew, or dropped."""
        keys = []
        while self.next_wake() == wake_ms:
            _, key = heapq.heappop(self._heap)
            del self._wakes[key]
            keys.append(key)
        return keys
