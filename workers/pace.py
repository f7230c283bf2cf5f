"""When the next request of a lane may go: the seam at which limits per account and group, breakers and pauses stand.

Lanes keep their order behind it, so what is held holds those behind it. The urgent lane never asks.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from cordboard.work import Lane, Work
from workers.core.attempt import RATE_LIMITED


class Hold(NamedTuple):
    """Not yet: ask again in `ms`. `cause` is a cause of `cordboard.work.Outcome`."""

    ms: int
    cause: str


class Pace(Protocol):
    """One per pool: a pool is one account and its limits."""

    def hold(self, work: Work, now_ms: int) -> Hold | None:
        """Say how long this request is to wait, or let it go, which counts it."""

    def limited(self, lane: Lane, until_ms: int) -> None:
        """Learn that Telnyx answered 429 to a request of a lane, and when it says that it is open again."""


class Unpaced:
    """Lets everything through, except what would only run into a 429 that was just given to its lane."""

    def __init__(self) -> None:
        self._closed_until_ms: Final[dict[Lane, int]] = {}

    def hold(self, work: Work, now_ms: int) -> Hold | None:
        """Wait for the reset that the last 429 of the lane named."""
        left_ms = self._closed_until_ms.get(work.lane, 0) - now_ms
        return Hold(left_ms, RATE_LIMITED) if left_ms > 0 else None

    def limited(self, lane: Lane, until_ms: int) -> None:
        """Close a lane until then; an earlier 429 with a later reset stands."""
        self._closed_until_ms[lane] = max(until_ms, self._closed_until_ms.get(lane, 0))


def wait_for(pace: Pace, work: Work, now_ms: int) -> Hold | None:
    """Ask the pace, but hold nothing past its time: then it goes to its plan at once, which says so."""
    ends = [time_ms for time_ms in (work.not_after_ms, work.expire_ms) if time_ms is not None]
    left_ms = min(ends) - now_ms if ends else None
    if left_ms is not None and left_ms <= 0:
        return None
    hold = pace.hold(work, now_ms)
    return hold if hold is None or left_ms is None else hold._replace(ms=min(hold.ms, left_ms))
