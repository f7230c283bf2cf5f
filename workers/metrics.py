"""The workers' metrics: counts what the events tell. Labels are closed lists: lanes, actions, words."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from workers.core.outcome import Meaning
from workers.events import Ended, Event, Load, LogTrouble, Tried, Unreadable, Unreported, Voided

# The vendor calls 500 ms late and we give up at 3 s; the buckets are close where those promises are looked at.
REQUEST_BUCKETS: Final = (0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 3.0)
LAG_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 50.0)


class Metrics:
    """An observer of `workers.events` that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry, pool: str) -> None:
        """Register the metrics; several pools of one process share a registry only through one instance each."""
        self._pool = pool
        prefix = "cordboard_worker"
        self._requests = Counter(
            f"{prefix}_requests", "Requests to Telnyx.", ("pool", "lane", "action", "meaning"), registry=registry
        )
        self._seconds = Histogram(
            f"{prefix}_request_seconds",
            "How long a request to Telnyx took.",
            ("pool", "lane"),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._resends = Counter(
            f"{prefix}_resends", "Requests that repeated an earlier one.", ("pool", "lane"), registry=registry
        )
        self._limited = Counter(f"{prefix}_rate_limited", "Answers 429.", ("pool", "lane"), registry=registry)
        self._outcomes = Counter(
            f"{prefix}_outcomes", "Releases by what became of them.", ("pool", "lane", "verdict"), registry=registry
        )
        self._lag = Histogram(
            f"{prefix}_lag_seconds",
            "From a release to a worker's start on it.",
            ("pool", "lane"),
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self._in_flight = Gauge(
            f"{prefix}_in_flight", "Releases being sent or reported.", ("pool", "lane"), registry=registry
        )
        self._reserved = Gauge(
            f"{prefix}_reserved", "Works reserved in the group and not started.", ("pool", "lane"), registry=registry
        )
        self._set_aside = Counter(
            f"{prefix}_set_aside", "Work records not sent.", ("pool", "lane", "reason"), registry=registry
        )
        self._unreported = Counter(
            f"{prefix}_unreported", "Releases that ended without an outcome.", ("pool", "lane"), registry=registry
        )
        self._trouble = Counter(
            f"{prefix}_log_errors", "Uses of the log that failed.", ("pool", "lane", "doing"), registry=registry
        )

    def __call__(self, event: Event) -> None:
        """Count one event."""
        match event:
            case Tried():
                self._tried(event)
            case Ended(work, outcome, lag_ms):
                self._outcomes.labels(self._pool, work.lane.value, outcome.verdict.value).inc()
                self._lag.labels(self._pool, work.lane.value).observe(max(0, lag_ms) / 1_000)
            case Load(lane, in_flight, reserved):
                self._in_flight.labels(self._pool, lane.value).set(in_flight)
                self._reserved.labels(self._pool, lane.value).set(reserved)
            case Voided(work):
                self._set_aside.labels(self._pool, work.lane.value, "copy").inc()
            case Unreadable(lane):
                self._set_aside.labels(self._pool, lane.value, "unreadable").inc()
            case Unreported(work):
                self._unreported.labels(self._pool, work.lane.value).inc()
            case LogTrouble(lane, doing):
                self._trouble.labels(self._pool, lane.value, doing).inc()

    def _tried(self, tried: Tried) -> None:
        lane, meaning = tried.work.lane.value, tried.reading.meaning
        self._requests.labels(self._pool, lane, tried.work.action, meaning.value).inc()
        self._seconds.labels(self._pool, lane).observe(tried.seconds)
        if tried.resend:
            self._resends.labels(self._pool, lane).inc()
        if meaning is Meaning.LIMITED:
            self._limited.labels(self._pool, lane).inc()
