"""The workers' metrics: counts what the events tell. Labels are closed lists: lanes, actions, words."""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from workers.core.outcome import Meaning
from workers.events import (
    Broke,
    Ended,
    Event,
    Held,
    Load,
    LogTrouble,
    Observer,
    Shared,
    Tried,
    Unreadable,
    Unreported,
    Voided,
)

PREFIX: Final = "cordboard_worker"
# The vendor calls 500 ms late and we give up at 3 s; the buckets are close where those promises are looked at.
REQUEST_BUCKETS: Final = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 3.0)
LAG_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 50.0)


class Metrics:
    """The workers' prometheus metrics in a registry: made once for each, shared by the pools of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics. Raises ValueError where the registry has them already."""
        self._of_pace(registry)
        self.requests = Counter(
            f"{PREFIX}_requests", "Requests to Telnyx.", ("pool", "lane", "action", "meaning"), registry=registry
        )
        self.seconds = Histogram(
            f"{PREFIX}_request_seconds",
            "How long a request to Telnyx took.",
            ("pool", "lane", "action"),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self.resends = Counter(
            f"{PREFIX}_resends", "Requests that repeated an earlier one.", ("pool", "lane"), registry=registry
        )
        self.limited = Counter(f"{PREFIX}_rate_limited", "Answers 429.", ("pool", "lane"), registry=registry)
        self.outcomes = Counter(
            f"{PREFIX}_outcomes", "Releases by what became of them.", ("pool", "lane", "verdict"), registry=registry
        )
        self.lag = Histogram(
            f"{PREFIX}_lag_seconds",
            "From a release to a worker's start on it.",
            ("pool", "lane"),
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge(
            f"{PREFIX}_in_flight", "Releases being sent or reported.", ("pool", "lane"), registry=registry
        )
        self.reserved = Gauge(
            f"{PREFIX}_reserved", "Works reserved in the group and not started.", ("pool", "lane"), registry=registry
        )
        self.set_aside = Counter(
            f"{PREFIX}_set_aside", "Work records not sent.", ("pool", "lane", "reason"), registry=registry
        )
        self.unreported = Counter(
            f"{PREFIX}_unreported", "Releases that ended without an outcome.", ("pool", "lane"), registry=registry
        )
        self.trouble = Counter(
            f"{PREFIX}_log_errors", "Uses of the log that failed.", ("pool", "lane", "doing"), registry=registry
        )

    def _of_pace(self, registry: CollectorRegistry) -> None:
        self.share = Gauge(
            f"{PREFIX}_share",
            "The part of the account's rate that is this worker's.",
            ("pool", "lane"),
            registry=registry,
        )
        self.held = Counter(
            f"{PREFIX}_held", "Times that a lane stood still, by why.", ("pool", "lane", "cause"), registry=registry
        )
        self.breaker = Gauge(
            f"{PREFIX}_breaker_open", "1 while Telnyx counts as away, and only probes go.", ("pool",), registry=registry
        )

    def of(self, pool: str) -> Observer:
        """The observer that counts the events of one pool."""
        return _Counting(self, pool)


class _Counting:
    """Counts the events of one pool."""

    def __init__(self, metrics: Metrics, pool: str) -> None:
        self._metrics = metrics
        self._pool = pool
        # What every request counts: the series are few, and each is looked up once.
        self._requests, self._seconds = cache(metrics.requests.labels), cache(metrics.seconds.labels)
        self._outcomes, self._lag = cache(metrics.outcomes.labels), cache(metrics.lag.labels)
        self._in_flight, self._reserved = cache(metrics.in_flight.labels), cache(metrics.reserved.labels)

    def __call__(self, event: Event) -> None:
        match event:
            case Tried():
                self._tried(event)
            case Ended(work, outcome, lag_ms):
                self._outcomes(self._pool, work.lane.value, outcome.verdict.value).inc()
                self._lag(self._pool, work.lane.value).observe(max(0, lag_ms) / 1_000)
            case Load(lane, in_flight, reserved):
                self._in_flight(self._pool, lane.value).set(in_flight)
                self._reserved(self._pool, lane.value).set(reserved)
            case Shared() | Held() | Broke():
                self._paced(event)
            case Voided(work):
                self._metrics.set_aside.labels(self._pool, work.lane.value, "copy").inc()
            case Unreadable(lane):
                self._metrics.set_aside.labels(self._pool, lane.value, "unreadable").inc()
            case Unreported(work):
                self._metrics.unreported.labels(self._pool, work.lane.value).inc()
            case LogTrouble(lane, doing):
                self._metrics.trouble.labels(self._pool, lane.value, doing).inc()

    def _paced(self, event: Shared | Held | Broke) -> None:
        match event:
            case Shared(lane, part):
                self._metrics.share.labels(self._pool, lane.value).set(part)
            case Held(lane, cause):
                self._metrics.held.labels(self._pool, lane.value, cause).inc()
            case Broke(is_open):
                self._metrics.breaker.labels(self._pool).set(is_open)

    def _tried(self, tried: Tried) -> None:
        lane, meaning = tried.work.lane.value, tried.reading.meaning
        self._requests(self._pool, lane, tried.work.action, meaning.value).inc()
        self._seconds(self._pool, lane, tried.work.action).observe(tried.seconds)
        if tried.resend:
            self._metrics.resends.labels(self._pool, lane).inc()
        if meaning is Meaning.LIMITED:
            self._metrics.limited.labels(self._pool, lane).inc()
