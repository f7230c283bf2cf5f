"""The plan of one release: when its request is tried, when it is tried again, and how it ends.

Rule 1: no try starts at or after `not_after_ms`, nor at or after `expire_ms`. `not_after_ms` is looked at first:
EXPIRED says that nothing was done, and past `not_after_ms` nobody can say that of another copy; only of one that was in
hand before, and held back until then.
Rule 2: a request that may have been sent is sent again only as its class allows (`outcome.TABLE`). Past `expire_ms`
it is not EXPIRED but what its last try in doubt was.
Rule 3: all tries of a release lie within `budget_ms` of the first one's start, the last one's timeout included.
Rule 4: what would have to start too late ends now, as it would end then: nobody waits for what cannot come.

This module knows no clock, no socket and no chance: it is told the time, the readings and a number for the jitter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from cordboard.work import Outcome, Verdict, Work
from workers.core.outcome import TABLE, Meaning, Reading

IN_LANE: Final = "in_lane"
RATE_LIMITED: Final = "rate_limited"
UNREACHABLE: Final = "unreachable"
PAUSED: Final = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long the tries of one release may take, in milliseconds. Raises ValueError where they contradict."""

    budget_ms: int = 10_000
    try_ms: int = 3_000
    connect_ms: int = 1_000  # Of `try_ms`: name lookup, connection and TLS.
    backoff_ms: int = 200  # Before the second resend; doubled for each one after it.
    backoff_ms_max: int = 2_000

    def __post_init__(self) -> None:
        # A try that is cut while it still connects could not tell whether anything was sent.
        if not 0 < self.connect_ms < self.try_ms <= self.budget_ms:
            raise ValueError("connect_ms must be below try_ms, and try_ms within budget_ms")
        if not 0 < self.backoff_ms <= self.backoff_ms_max:
            raise ValueError("backoff_ms must be positive and at most backoff_ms_max")


class Send(NamedTuple):
    """Send the request now, and give up on an answer after `timeout_ms`."""

    timeout_ms: int


class Sleep(NamedTuple):
    """Ask again in `ms`, or as soon as the release is told to stop."""

    ms: int


Step = Send | Sleep | Outcome


class Attempt:
    """One release on its way: `step` says what to do next, `learn` takes what a try told, `stop` forbids resends."""

    def __init__(self, work: Work, limits: Limits, jitter: Callable[[], float], held: str = IN_LANE) -> None:
        """Plan a release; `jitter` yields numbers from 0 to 1, `held` says what kept it until now."""
        self._work = work
        self._limits = limits
        self._jitter = jitter
        self._cause = held
        self._doubt: tuple[Verdict, Reading] | None = None
        self._last: Reading | None = None
        self._ended: tuple[Verdict, Reading | None] | None = None
        self._stopped = False
        self._due_ms = 0
        self._resends = -1
        self._started_ms: int | None = None  # The first try's start, even if it never reached Telnyx.
        self._try_ms = 0
        self._sent_ms = 0
        self._tries = 0

    def __repr__(self) -> str:
        doubt = f"in doubt ({self._doubt[0]})" if self._doubt else "not in doubt"
        return f"<Attempt {self._work.command_id} #{self._work.attempt}: {self._tries} tries, {doubt}>"

    def step(self, now_ms: int) -> Step:
        """Say what to do now. After a Send, `learn` comes before the next step. An Outcome, once given, stays."""
        starts_ms = max(now_ms, self._due_ms)
        if self._ended is None:
            self._ended = self._barred(starts_ms)
        if self._ended is not None:
            return self._outcome(*self._ended, now_ms)
        if starts_ms > now_ms:
            return Sleep(starts_ms - now_ms)
        return self._send(now_ms)

    def learn(self, reading: Reading, now_ms: int) -> None:
        """Take what the last try told."""
        rule = TABLE[reading.meaning]
        self._last = reading
        if reading.meaning is not Meaning.UNREACHED:
            self._tries += 1
            self._sent_ms = self._sent_ms or self._try_ms
        if rule.doubt:
            self._doubt = (rule.ends, reading)
        if self._work.repeat in rule.again:
            self._due_ms = now_ms + self._pause_ms(reading)
            self._cause = RATE_LIMITED if reading.meaning is Meaning.LIMITED else UNREACHABLE
        else:
            verdict = (rule.doubted or rule.ends) if self._doubt else rule.ends
            self._ended = (verdict, reading)

    def postpone(self, ms: int, cause: str, now_ms: int) -> None:
        """The try that `step` has just asked for may not start yet: it is as if it had not been asked for."""
        self._resends -= 1
        self._started_ms = self._started_ms if self._resends >= 0 else None
        self._due_ms, self._cause = now_ms + ms, cause

    def call_off(self, cause: str) -> None:
        """The try that `step` has just asked for will not start, nor any other."""
        self._cause = cause
        self._ended = self._given_up(Verdict.UNSENT)

    def stop(self) -> None:
        """Resend nothing: the release ends with what is known. A first try still goes; it was reserved for it."""
        self._stopped = True

    def _send(self, now_ms: int) -> Send:
        if self._started_ms is None:
            self._started_ms = now_ms
        self._try_ms = now_ms
        self._resends += 1
        return Send(min(self._limits.try_ms, self._room_ms(now_ms)))

    def _room_ms(self, starts_ms: int) -> int:
        """What the budget leaves for a try that starts then."""
        if self._started_ms is None:
            return self._limits.budget_ms
        return self._started_ms + self._limits.budget_ms - starts_ms

    def _barred(self, starts_ms: int) -> tuple[Verdict, Reading | None] | None:
        """How the release ends if no try may start then; None if one may."""
        work = self._work
        if work.not_after_ms is not None and starts_ms >= work.not_after_ms:
            found_late = self._last is None and self._cause == IN_LANE
            return self._given_up(Verdict.LATE if found_late else Verdict.UNSENT)
        if work.expire_ms is not None and starts_ms >= work.expire_ms:
            return self._given_up(Verdict.EXPIRED)
        stopped = self._stopped and self._started_ms is not None
        if stopped or self._room_ms(starts_ms) <= self._limits.connect_ms:
            return self._given_up(Verdict.UNSENT)
        return None

    def _given_up(self, clear: Verdict) -> tuple[Verdict, Reading | None]:
        return self._doubt if self._doubt is not None else (clear, self._last)

    def _pause_ms(self, reading: Reading) -> int:
        if reading.meaning is Meaning.LIMITED:
            # Everybody waits for the same moment; a fifth more spreads them behind it, never before it.
            return reading.reset_ms + round(reading.reset_ms * 0.2 * self._jitter())
        # The vendor's advice: again at once, then exponentially. What was not even reached is not there yet at once.
        exponent = self._resends - (0 if reading.meaning is Meaning.UNREACHED else 1)
        if exponent < 0:
            return 0
        full_ms = min(self._limits.backoff_ms << min(exponent, 16), self._limits.backoff_ms_max)
        return round(full_ms * (0.5 + 0.5 * self._jitter()))

    def _outcome(self, verdict: Verdict, reading: Reading | None, now_ms: int) -> Outcome:
        reading = reading or _NOTHING
        return Outcome(
            key=self._work.key,
            command_id=self._work.command_id,
            attempt=self._work.attempt,
            verdict=verdict,
            cause=self._cause if verdict in _CAUSED else "",
            http_status=reading.status,
            errors=reading.errors,
            message=reading.message,
            response=reading.response,
            tries=self._tries,
            sent_ms=self._sent_ms,
            finished_ms=now_ms,
        )


_NOTHING: Final = Reading(Meaning.UNREACHED)
_CAUSED: Final = frozenset({Verdict.UNSENT, Verdict.EXPIRED, Verdict.LATE})


def waiting(work: Work, cause: str, now_ms: int) -> Outcome:
    """Tell that the release is in a worker's hands and held back; not an end."""
    return Outcome(
        key=work.key,
        command_id=work.command_id,
        attempt=work.attempt,
        verdict=Verdict.WAITING,
        cause=cause,
        finished_ms=now_ms,
    )
