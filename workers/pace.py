"""When the next request of a lane may go: limits of the account, its breaker and its pause, for one worker's pool.

Lanes keep their order behind it, so what is held holds those behind it. The urgent lane is never paced: what it sends
is counted, and those who are paced make room for it. Only a pause stops it, and that for all but hangups and rejects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from cordboard.work import Lane, Work
from workers.core.attempt import PAUSED, RATE_LIMITED, UNREACHABLE
from workers.core.outcome import Meaning, Reading
from workers.core.pacing import (
    DIAL_WINDOW_MS,
    FAILURES_MAX,
    LIMITED_TO,
    REQUEST_WINDOW_MS,
    STRAINED_TO,
    Allowance,
    Breaker,
)
from workers.events import Broke, Observer, ignore

_PAUSE_LOOK_MS: Final = 100  # How soon a resume is noticed.
_TOO_MANY_DIALS: Final = "90103"
_RESERVE: Final = 1  # Of the requests of a moment: what actions leave to dials, which would not find any room else.


class Hold(NamedTuple):
    """Not yet: ask again in `ms`. `cause` is a cause of `cordboard.work.Outcome`."""

    ms: int
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What Telnyx lets an account do each second; None: no limit is known.

    `failures_max` requests in a row that fail open the breaker.
    """

    requests_per_second: float | None = None
    dials_per_second: float | None = None
    failures_max: int = FAILURES_MAX


class Pace(Protocol):
    """One per pool: a pool is one account and its limits."""

    def share(self, lane: Lane, part: float) -> None:
        """Learn which part of a lane is this worker's, from 0 to 1."""

    def hold(self, work: Work, now_ms: int) -> Hold | None:
        """Say how long this request is to wait, or let it go, which counts it."""

    def heard(self, work: Work, reading: Reading, now_ms: int) -> None:
        """Learn what a request came to."""


class AccountPace:
    """The pace of one account. `paused` tells whether its operators want nothing to be sent."""

    def __init__(self, rates: Rates, paused: Callable[[], bool] = lambda: False, observe: Observer = ignore) -> None:
        dials = rates.dials_per_second if rates.dials_per_second is not None else rates.requests_per_second
        self._requests = Allowance(rates.requests_per_second, REQUEST_WINDOW_MS)
        self._dials = Allowance(dials, DIAL_WINDOW_MS)
        self._breaker = Breaker(rates.failures_max)
        self._paused = paused
        self._observe = observe

    @property
    def is_broken(self) -> bool:
        """Whether Telnyx counts as away: its breaker is open."""
        return self._breaker.is_open

    def share(self, lane: Lane, part: float) -> None:
        """Take this part of the account's rate. The urgent lane takes what it needs of the actions'."""
        if lane is not Lane.URGENT:
            (self._dials if lane is Lane.DIAL else self._requests).share(part)

    def hold(self, work: Work, now_ms: int) -> Hold | None:
        """Wait for the end of a pause, for Telnyx to be there, for the account's allowance: in this order."""
        is_final = work.not_after_ms is None  # Hangup and reject: behind nothing at all.
        if not is_final and self._paused():
            return Hold(_PAUSE_LOOK_MS, PAUSED)
        if work.lane is Lane.URGENT:
            self._requests.count(now_ms)
            return None
        if wait_ms := self._breaker.hold_ms(now_ms):
            return Hold(wait_ms, UNREACHABLE)
        wait_ms = self._wait_for_dial(now_ms) if work.lane is Lane.DIAL else self._requests.wait_ms(now_ms, _RESERVE)
        if wait_ms:
            return Hold(wait_ms, RATE_LIMITED)
        if work.lane is Lane.DIAL:
            self._dials.count(now_ms)
        self._requests.count(now_ms)
        self._breaker.probed(now_ms)
        return None

    def _wait_for_dial(self, now_ms: int) -> int:
        """A dial is a request, too; but a worker that has no part of the actions knows nothing of their limit."""
        return self._dials.wait_ms(now_ms) or (self._requests.window_ms(now_ms) if self._requests.has_share else 0)

    def heard(self, work: Work, reading: Reading, now_ms: int) -> None:
        """Slow down after a 429, and before the next one where the answer says that nothing remains."""
        was_open = self._breaker.is_open
        self._breaker.heard(reading.meaning, now_ms)
        if self._breaker.is_open is not was_open:
            self._observe(Broke(self._breaker.is_open))
        if work.method == "GET":
            return  # Telnyx counts questions by themselves, and commands do not wait for them.
        if reading.meaning is Meaning.LIMITED:
            for allowance in self._meant(work.lane, reading):
                allowance.slow(LIMITED_TO, now_ms)
                allowance.close(now_ms + reading.reset_ms)
            return
        if reading.status:
            for allowance in (self._requests, self._dials) if work.lane is Lane.DIAL else (self._requests,):
                allowance.taken(now_ms)
        if reading.is_strained:
            self._requests.slow(STRAINED_TO, now_ms)

    def _meant(self, lane: Lane, reading: Reading) -> list[Allowance]:
        """The limit that was hit: that on dials by its code, else that on all requests, of which dials are some."""
        if any(error.code == _TOO_MANY_DIALS for error in reading.errors):
            return [self._dials]
        return [self._requests, self._dials] if lane is Lane.DIAL else [self._requests]


def wait_for(pace: Pace, work: Work, now_ms: int) -> Hold | None:
    """Ask the pace, but hold nothing past its time: then it goes to its plan at once, which says so."""
    ends = [time_ms for time_ms in (work.not_after_ms, work.expire_ms) if time_ms is not None]
    left_ms = min(ends) - now_ms if ends else None
    if left_ms is not None and left_ms <= 0:
        return None
    hold = pace.hold(work, now_ms)
    return hold if hold is None or left_ms is None else hold._replace(ms=min(hold.ms, left_ms))
