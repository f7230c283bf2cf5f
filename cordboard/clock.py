"""The clock as a port: wall time in whole milliseconds. Waiting goes through the event loop, itself a port already.

A simulation gives its own clock and an event loop in virtual time; nothing in the product reads `time.time` itself.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where the product learns what time it is."""

    def now_ms(self) -> int:
        """The time since the epoch, in milliseconds."""


class SystemClock:
    """The machine's wall clock."""

    def now_ms(self) -> int:
        """The machine's time since the epoch, in milliseconds."""
        return time.time_ns() // 1_000_000
