"""What an account may do: requests and dials in a time, and calls at a time."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from sandbox.core.problems import Problem, Refused

_DIAL_WINDOW_SECONDS: Final = 5.0
_REQUEST_WINDOW_SECONDS: Final = 1.0


class TooMany(Refused):
    """A 429, with the headers that say when to come back."""

    def __init__(self, problem: Problem, limit: float, reset_seconds: float) -> None:
        super().__init__(problem)
        self.headers = _headers(limit, 0, reset_seconds)


def _headers(limit: float, remaining: float, reset_seconds: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit": f"{limit:g}",
        "x-ratelimit-remaining": f"{int(remaining)}",
        "x-ratelimit-reset": str(max(1, math.ceil(reset_seconds))),
    }


class Window:
    """Counts what happened within the last so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._moments: deque[float] = deque()

    def room_in(self, limit: float, now: float, *, counts_refused: bool = False) -> float:
        """Count one more and return 0 if fewer than `limit` are in the window; else the seconds until there is room.

        With `counts_refused` what finds no room is in the window, too.
        """
        while self._moments and self._moments[0] <= now - self._seconds:
            self._moments.popleft()
        has_room = len(self._moments) < limit
        if has_room or counts_refused:
            self._moments.append(now)
        if has_room:
            return 0.0
        return self._moments[len(self._moments) - math.ceil(limit)] + self._seconds - now

    def left(self, limit: float, now: float) -> tuple[float, float]:
        """How many more there is room for, and in how many seconds the next one leaves the window."""
        reset = self._moments[0] + self._seconds - now if self._moments else 0.0
        return limit - len(self._moments), reset


class Limits:
    """The account's counters. A rate of None is no limit."""

    def __init__(self) -> None:
        self._dials = Window(_DIAL_WINDOW_SECONDS)
        self._requests = Window(_REQUEST_WINDOW_SECONDS)

    def dial(self, per_second: float | None, now: float, *, counts_refused: bool) -> None:
        """Count a dial. Raises TooMany (90103) beyond five seconds' worth within five seconds, as Telnyx counts."""
        if per_second is None:
            return
        if wait := self._dials.room_in(per_second * _DIAL_WINDOW_SECONDS, now, counts_refused=counts_refused):
            title = "Dials per second limit reached"
            raise TooMany(Problem(429, "90103", title, "The account's dial limit is reached."), per_second, wait)

    def request(self, per_second: float | None, now: float) -> dict[str, str]:
        """Count a request, and say in headers what is left. Raises TooMany (10011)."""
        if per_second is None:
            return {}
        if wait := self._requests.room_in(per_second, now):
            title = "Too many requests"
            raise TooMany(Problem(429, "10011", title, "You have exceeded the rate limit."), per_second, wait)
        return _headers(per_second, *self._requests.left(per_second, now))
