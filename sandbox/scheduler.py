"""The sandbox's time: how fast it passes, when to wake, and what the calendar says.

A simulation gives a scheduler of its own, or simply an event loop in virtual time and a clock that goes with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol


class Wake(Protocol):
    """A wake-up call that can be taken back."""

    def cancel(self) -> None:
        """Do not wake after all."""


class Scheduler(Protocol):
    """Where the sandbox's shell learns and waits for time."""

    def now(self) -> float:
        """Sandbox time, in seconds since the start; it may pass faster than real time."""

    def elapsed(self) -> float:
        """Real seconds since the start."""

    def unix(self) -> float:
        """The calendar: Unix seconds."""

    def unix_at(self, moment: float) -> float:
        """The Unix seconds of a moment of sandbox time."""

    def wake_at(self, moment: float, wake: Callable[[], None]) -> Wake:
        """Call back at a moment of sandbox time, at once if it has passed."""

    def set_speed(self, speed: float) -> None:
        """Let sandbox time pass so many times as fast as real time from now on."""


class LoopScheduler:
    """Time by the running event loop's timers and a clock that gives Unix seconds."""

    def __init__(self, speed: float = 1.0, clock: Callable[[], float] = time.time) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._speed = speed
        self._begin = self._real_anchor = self._loop.time()
        self._anchor = 0.0
        self._unix_anchor = clock()

    def now(self) -> float:
        """Sandbox time."""
        return self._anchor + (self._loop.time() - self._real_anchor) * self._speed

    def elapsed(self) -> float:
        """Real seconds since the start."""
        return self._loop.time() - self._begin

    def unix(self) -> float:
        """The calendar."""
        return self._clock()

    def unix_at(self, moment: float) -> float:
        """The calendar at a moment of sandbox time."""
        return self._unix_anchor + (moment - self._anchor) / self._speed

    def wake_at(self, moment: float, wake: Callable[[], None]) -> asyncio.TimerHandle:
        """Call back at a moment of sandbox time."""
        return self._loop.call_at(self._real_anchor + (moment - self._anchor) / self._speed, wake)

    def set_speed(self, speed: float) -> None:
        """Change the pace from now on."""
        moment, self._unix_anchor = self.now(), self._clock()
        self._anchor, self._real_anchor, self._speed = moment, self._loop.time(), speed
