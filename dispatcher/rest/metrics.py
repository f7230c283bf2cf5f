"""The REST door's metrics."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0)
PASSED: Final = "passed"  # In the place of an action: what is no command, and goes on to Telnyx as it is.
NONE: Final = "none"  # What came to nothing before anybody knew what it is.


class RestMetrics:
    """What came, what was answered, and how long it took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "cordboard_rest_requests",
            "Requests to the REST door, by action (passed: handed on to Telnyx) and status (gone: the caller was).",
            ("action", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "cordboard_rest_seconds", "How long they took.", ("action",), buckets=BUCKETS, registry=registry
        )
        self.in_hand = Gauge("cordboard_rest_in_hand", "Requests that are being served.", registry=registry)
        self.repeats = Counter(
            "cordboard_rest_repeats",
            "Retries of an SDK, without an id, that were known for the request that they repeat.",
            registry=registry,
        )

    def served(self, action: str, status: int | None, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(action, "gone" if status is None else str(status)).inc()
        self._seconds.labels(action).observe(seconds)
