"""How much of its limits an identity uses: commands a second, and what is served at once.

Each share has the whole limit to itself: so whatever an identity dials, there is room for its hangups, and a watch that
stays for hours takes no room from commands.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from cordboard.clock import Clock


class Share(StrEnum):
    """Kinds of requests that do not stand in each other's way."""

    URGENT = "urgent"  # A command of the urgent lane.
    COMMAND = "command"  # Any other one.
    QUESTION = "question"  # What is asked or ordered, and answered at once.
    STREAM = "stream"  # A stream of commands.
    WATCH = "watch"


class Usage:
    """The usage of one identity in this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: dict[Share, tuple[float, int]] = {}  # By share: what was left, and when (ms).
        self.busy: Counter[Share] = Counter()

    def spend(self, share: Share, per_second: float) -> float:
        """Count a command, where there is room for it: then 0, else after how many seconds there is."""
        now_ms, most = self._clock.now_ms(), max(per_second, 1.0)
        left, at_ms = self._spent.get(share, (most, now_ms))
        left = min(left + max(now_ms - at_ms, 0) / 1000 * per_second, most)
        if left < 1:
            self._spent[share] = (left, now_ms)
            return (1 - left) / per_second
        self._spent[share] = (left - 1, now_ms)
        return 0.0
