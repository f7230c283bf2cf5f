"""How many requests may go, and when: a lane's allowance, and the breaker. Told the time, they know no clock.

Rule 1: a worker may use its share of the account's rate: the part of the lane's partitions that it holds. The shares of
all workers add up to one, whoever comes and goes, and nobody has to be asked.
Rule 2: two bounds at once. A window counts what went, as Telnyx counts, a little longer than Telnyx's because requests
overtake each other on the road. A bucket spaces them, so that a share that changes hands is not used twice: whoever
gets it has no more than the rate from then on, and who had it has sent no more than the rate until then.
Rule 3: after a 429 the rate is cut at once and grows back slowly (AIMD). Where no rate was set, what Telnyx took
until the first 429 tells it, until there was none for a minute.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from workers.core.outcome import Meaning

DIAL_WINDOW_MS: Final = 5_000  # Telnyx's own: a rolling sum of five seconds.
REQUEST_WINDOW_MS: Final = 1_000  # What Telnyx counts over is not published.
LIMITED_TO: Final = 0.8  # Of the rate, after a 429.
STRAINED_TO: Final = 0.95  # After an answer that says that nothing remains.
_GROWTH_PER_SECOND: Final = 0.05
_FORGOTTEN_MS: Final = 60_000
_ONE_SIGNAL_MS: Final = 1_000  # Answers that come together tell of the same moment.
# Our window is longer by how much faster one request may travel than another before it, and by what is sent twice when
# a share changes hands: at most a burst, which makes up for a moment's idleness.
_STRETCH_MS, _STRETCH = 30, 0.02
_BURST_MS, _BURST = 75, 0.05
_CATCHING_UP: Final = 1.3  # What was missed is made up for at so many times the rate, not all at once.
_LEAST: Final = 0.05  # Of the rate: what is left of it after any number of cuts.
_LEARNED_LEAST: Final = 10.0  # Each second: whoever sends little when others use the limit up learns nothing of it.
_MOMENTS_MAX: Final = 100_000


class Allowance:
    """What one worker may send of one kind. `per_second` is the whole account's rate; None: no limit is known."""

    def __init__(self, per_second: float | None, window_ms: int) -> None:
        self._per_second = per_second
        self._window_ms = window_ms
        self._share = 0.0
        self._moments: deque[int] = deque(maxlen=_MOMENTS_MAX)
        self._taken: deque[int] = deque(maxlen=_MOMENTS_MAX)  # When Telnyx took one, where no rate was set.
        self._tokens = 1.0
        self._refilled_ms = 0
        self._steady_ms: int | None = None  # A window after the share has changed; None: not known yet.
        self._factor = 1.0
        self._learned: float | None = None  # What Telnyx took until the first 429, where none was set.
        self._slowed_ms, self._slowed_to = -_FORGOTTEN_MS, 1.0
        self._closed_until_ms = 0

    def share(self, part: float) -> None:
        """Take another part of the account's rate, from 0 to 1, from now on.

        What went for partitions that are another's now is in nobody's window any more: the bucket of who has them
        begins empty, and makes up for it.
        """
        if part < self._share:
            kept = round(len(self._moments) * part / self._share)
            every = list(self._moments)
            self._moments = deque((every[n * len(every) // kept] for n in range(kept)), maxlen=_MOMENTS_MAX)
        self._steady_ms = None
        self._share = part

    @property
    def has_share(self) -> bool:
        """Whether any of it is this worker's."""
        return self._share > 0

    def take(self, now_ms: int) -> int:
        """Count one more and return 0, if it may go; else the milliseconds to wait, and nothing is counted."""
        wait_ms = self.wait_ms(now_ms)
        if not wait_ms:
            self.count(now_ms)
        return wait_ms

    def wait_ms(self, now_ms: int, reserve: int = 0) -> int:
        """How long until one more may go, and leave room in the window for so many others."""
        if wait_ms := self.window_ms(now_ms, reserve):
            return wait_ms
        rate = self.rate(now_ms)
        if rate is None:
            return 0
        if self._tokens < 1.0:
            return math.ceil((1.0 - self._tokens) * 1_000 / self._spaced(rate))
        gap_ms = int(1_000 / (rate * _CATCHING_UP)) if self._moments else 0
        return max(self._moments[-1] + gap_ms - now_ms, 0) if gap_ms else 0

    def window_ms(self, now_ms: int, reserve: int = 0) -> int:
        """The same for what is spaced already: until it is open, and the window has room."""
        if wait_ms := max(self._closed_until_ms - now_ms, 0):
            return wait_ms
        rate = self.rate(now_ms)
        if rate is None:
            return 0
        if rate <= 0:
            return self._window_ms
        self._refill(rate, now_ms)
        self._forget(now_ms)
        most = max(int(rate * self._window_ms / 1_000 + 1e-6) - reserve, 1)
        if most == 1 or len(self._moments) < most:
            return 0  # What goes one by one is bounded by its spacing.
        return max(self._moments[-most] + self._stretched_ms - now_ms, 0)

    def count(self, now_ms: int) -> None:
        """Something went that asked nobody: what asks waits the longer, though never for more than a second of it."""
        self._moments.append(now_ms)
        rate = self.rate(now_ms)
        self._forget(now_ms)
        if rate is not None:
            self._refill(rate, now_ms)
            self._tokens = max(self._tokens - 1.0, -rate)

    def taken(self, now_ms: int) -> None:
        """Telnyx took one."""
        if self._per_second is None:
            self._taken.append(now_ms)

    def close(self, until_ms: int) -> None:
        """Let nothing go before then; an earlier word that names a later time stands."""
        self._closed_until_ms = max(until_ms, self._closed_until_ms)

    def slow(self, to: float, now_ms: int) -> None:
        """Cut the rate to so much of what it is: by the heaviest of what is heard within a second."""
        if now_ms - self._slowed_ms < _ONE_SIGNAL_MS and to >= self._slowed_to:
            return
        if self._per_second is None and self._learned is None:
            lately = sum(at > now_ms - self._window_ms for at in self._taken)
            self._learned = max(lately * 1_000 / self._window_ms, _LEARNED_LEAST)
            self._factor, self._slowed_ms = 1.0, now_ms
        factor = self._grown(now_ms)
        self._factor, self._slowed_ms, self._slowed_to = max(factor * to, _LEAST), now_ms, to

    def rate(self, now_ms: int) -> float | None:
        """What may go each second, now; None: as much as there is."""
        factor = self._grown(now_ms)
        if self._per_second is not None:
            return self._per_second * self._share * factor
        if self._learned is not None and now_ms - self._slowed_ms >= _FORGOTTEN_MS:
            self._learned, self._factor = None, 1.0
        return None if self._learned is None else self._learned * factor

    def _grown(self, now_ms: int) -> float:
        grown = self._factor + _GROWTH_PER_SECOND * max(now_ms - self._slowed_ms, 0) / 1_000
        return min(grown, 1.0) if self._learned is None else grown

    @property
    def _stretched_ms(self) -> int:
        return round(self._window_ms * (1.0 + _STRETCH)) + _STRETCH_MS

    def _spaced(self, rate: float) -> float:
        """The rate at which a window is filled and not more."""
        return rate * self._window_ms / self._stretched_ms

    def _refill(self, rate: float, now_ms: int) -> None:
        passed_ms = max(now_ms - self._refilled_ms, 0)
        if self._steady_ms is None:
            self._steady_ms = now_ms + self._stretched_ms
        # Whose window is not its own share's yet makes up for nothing.
        burst_ms = self._window_ms * _BURST + _BURST_MS if now_ms >= self._steady_ms else 0.0
        most = max(rate * burst_ms / 1_000, 1.0)
        self._tokens = min(self._tokens + self._spaced(rate) * passed_ms / 1_000, most)
        self._refilled_ms = now_ms

    def _forget(self, now_ms: int) -> None:
        for kept in (self._moments, self._taken):
            while kept and kept[0] <= now_ms - self._stretched_ms:
                kept.popleft()


_FAILURES: Final = frozenset({Meaning.UNREACHED, Meaning.UNANSWERED, Meaning.FAULT, Meaning.HALF, Meaning.FOREIGN})
FAILURES_MAX: Final = 20
PROBE_MS: Final = 1_000
PROBE_MS_MAX: Final = 10_000


class Breaker:
    """Opens when Telnyx has failed many times in a row. What passes it (hangups) is its probe, and anything that Telnyx
    answers closes it; where nothing passes, one request is let through now and then to see.
    """

    def __init__(self, failures_max: int = FAILURES_MAX) -> None:
        self._failures_max = failures_max
        self._failures = 0
        self._probe_ms = PROBE_MS
        self._next_ms = 0

    @property
    def is_open(self) -> bool:
        """Whether nothing goes but probes."""
        return self._failures >= self._failures_max

    def hold_ms(self, now_ms: int) -> int:
        """How long to wait; 0 lets a request go, which is the next probe where the breaker is open."""
        return max(self._next_ms - now_ms, 0) if self.is_open else 0

    def probed(self, now_ms: int) -> None:
        """A request was let through: the next one waits, twice as long as this one did."""
        if self.is_open:
            self._next_ms = now_ms + self._probe_ms
            self._probe_ms = min(2 * self._probe_ms, PROBE_MS_MAX)

    def heard(self, meaning: Meaning, now_ms: int) -> None:
        """Learn what a request came to."""
        if meaning not in _FAILURES:
            self._failures, self._probe_ms = 0, PROBE_MS
            return
        self._failures += 1
        if self._failures == self._failures_max:
            self.probed(now_ms)
