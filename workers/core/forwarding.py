"""Which event is posted on next, what an answer to it means, and how far the events of a partition are done.

Rule 1: the events of one call are posted one at a time, in the order of the topic; calls know nothing of each other.
Rule 2: an event is done when it was delivered or given up, and only then. What the group commits never passes one that
is not done, so a crash repeats events and loses none.
Rule 3: only what is not done is held, and never more than there is room for, however long an endpoint is away.
"""

from __future__ import annotations

import enum
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Final, NamedTuple

from cordboard.log.port import Record, size_of

# Telnyx's SDKs refuse a webhook whose time is further off than this.
TOLERANCE_MS: Final = 300_000
# How services say that they do not believe a webhook. Anything else may be said by what stands before a service.
_DISBELIEF: Final = frozenset({400, 401, 403})
_REMEMBERED_MAX: Final = 2_000


class TryResult(enum.StrEnum):
    """What one request came to; the values are labels of a metric."""

    DELIVERED = "delivered"  # 2xx.
    REDIRECTED = "redirected"  # 3xx, which is not followed.
    REFUSED = "refused"  # 4xx.
    FAILED = "failed"  # 5xx, or an answer that is none.
    TIMED_OUT = "timed_out"  # No answer in time; it may have been taken.
    UNREACHABLE = "unreachable"  # No connection could be had.
    BROKEN_OFF = "broken_off"  # The connection broke before an answer; it may have been taken.


class Answer(NamedTuple):
    """One request's result, and its HTTP status; 0 without one."""

    result: TryResult
    status: int = 0


class GivenUp(enum.StrEnum):
    """Why an event is posted no more; the values are labels of a metric, and stand in dead letters."""

    TOO_LONG = "too_long"  # It was not taken for as long as events are tried.
    STALE = "stale"  # It was refused when its signature was too old for Telnyx's SDKs: it only gets older.


class Again(NamedTuple):
    """Post it again in so many milliseconds."""

    ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an event is tried, and how far apart; in milliseconds."""

    whole_ms: int = 4 * 3_600_000
    pause_ms: int = 1_000
    pause_ms_max: int = 60_000


@dataclass(slots=True, eq=False)
class Parcel:
    """An event in hand. `signed_ms`: when Telnyx signed it, 0 where that is not known."""

    record: Record
    event_id: str
    event_type: str
    signed_ms: int
    tries: int = 0
    is_failing: bool = False

    @property
    def line(self) -> bytes:
        """What it stands in line with: its call, or what stands for one."""
        return self.record.key or b""


def result_of(status: int) -> TryResult:
    """What an HTTP status means."""
    by_hundred = {2: TryResult.DELIVERED, 3: TryResult.REDIRECTED, 4: TryResult.REFUSED}
    return by_hundred.get(status // 100, TryResult.FAILED)


def judge(parcel: Parcel, answer: Answer, now_ms: int, patience: Patience, chance: float) -> Again | GivenUp | None:
    """What follows from an answer; None: it is delivered. `chance` (0 to 1) spreads those who failed together."""
    if answer.result is TryResult.DELIVERED:
        return None
    if answer.status in _DISBELIEF and parcel.signed_ms and now_ms - parcel.signed_ms > TOLERANCE_MS:
        return GivenUp.STALE
    if now_ms - parcel.record.time_ms >= patience.whole_ms:
        return GivenUp.TOO_LONG
    pause_ms = min(patience.pause_ms << min(parcel.tries - 1, 30), patience.pause_ms_max)
    return Again(round(pause_ms * (0.5 + chance / 2)))


class Backlog:
    """The events of one partition that are in hand: read, and not done."""

    def __init__(self, position: int) -> None:
        self.position = position  # The next offset to be read.
        self.failing = 0  # How many of those in hand were tried in vain.
        self.size = 0  # The bytes of those in hand.
        self._lines: dict[bytes, deque[Parcel]] = {}
        self._parcels: dict[int, Parcel] = {}  # By offset, in their order.
        self._known: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        """How many are in hand."""
        return len(self._parcels)

    @property
    def settled(self) -> int:
        """The offset before which all is done."""
        return next(iter(self._parcels), self.position)

    @property
    def oldest_ms(self) -> int | None:
        """When the log took the oldest of those in hand."""
        return next((parcel.record.time_ms for parcel in self._parcels.values()), None)

    def pass_over(self, offset: int) -> None:
        """A record was read that is none of ours."""
        self.position = offset + 1

    def take(self, parcel: Parcel) -> bool:
        """Take an event in hand; whether it is the first of its line. One that is known is passed over.

        An owner that takes over says again what its predecessor may have said: the same event stands twice in the log.
        """
        self.pass_over(parcel.record.offset)
        if parcel.event_id in self._known:
            return False
        self._known[parcel.event_id] = None
        if len(self._known) > _REMEMBERED_MAX:
            self._known.popitem(last=False)
        self._parcels[parcel.record.offset] = parcel
        self.size += size_of(parcel.record)
        line = self._lines.setdefault(parcel.line, deque())
        line.append(parcel)
        return len(line) == 1

    def failed(self, parcel: Parcel) -> None:
        """Note that it was tried in vain; it stays in hand."""
        self.failing += not parcel.is_failing
        parcel.is_failing = True

    def done(self, parcel: Parcel) -> Parcel | None:
        """An event is done; the next one of its line."""
        self.failing -= parcel.is_failing
        self.size -= size_of(parcel.record)
        line = self._lines[parcel.line]
        line.popleft()
        del self._parcels[parcel.record.offset]
        if not line:
            del self._lines[parcel.line]
        return line[0] if line else None
