"""Forwarding's metrics: counts what the events tell, and looks at the forwarder when it is scraped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from workers.forwarding.events import Abandoned, Delivered, Event, LogTrouble, Observer, TriedInVain

LAG_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3_600.0)


class ForwardMetrics:
    """The metrics in a registry: made once for each, shared by the accounts of a process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics. Raises ValueError where the registry has them already."""
        prefix = "cordboard_forward"
        self.delivered = Counter(f"{prefix}_delivered", "Events that an endpoint took.", ("pool",), registry=registry)
        self.lag = Histogram(
            f"{prefix}_lag_seconds",
            "From an event's being handed on until its endpoint took it.",
            ("pool",),
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self.failed = Counter(
            f"{prefix}_failed_tries",
            "Requests to an endpoint that came to nothing.",
            ("pool", "result"),
            registry=registry,
        )
        self.given_up = Counter(
            f"{prefix}_given_up", "Events that became dead letters.", ("pool", "reason"), registry=registry
        )
        self.in_hand = Gauge(f"{prefix}_in_hand", "Events read and not done.", ("pool",), registry=registry)
        self.oldest = Gauge(
            f"{prefix}_oldest_seconds", "Age of the oldest event in hand; 0 without one.", ("pool",), registry=registry
        )
        self.trouble = Counter(
            f"{prefix}_log_errors", "Uses of the log that failed.", ("pool", "doing"), registry=registry
        )

    def of(self, pool: str) -> Observer:
        """The observer that counts the events of one account."""

        def count(event: Event) -> None:
            match event:
                case Delivered(_, seconds):
                    self.delivered.labels(pool).inc()
                    self.lag.labels(pool).observe(seconds)
                case TriedInVain(_, answer):
                    self.failed.labels(pool, answer.result.value).inc()
                case Abandoned(_, _, why):
                    self.given_up.labels(pool, why.value).inc()
                case LogTrouble(doing):
                    self.trouble.labels(pool, doing).inc()

        return count

    def look_at(self, pool: str, in_hand: Callable[[], float], oldest_seconds: Callable[[], float]) -> None:
        """Ask these whenever the metrics are asked for."""
        self.in_hand.labels(pool).set_function(in_hand)
        self.oldest.labels(pool).set_function(oldest_seconds)
