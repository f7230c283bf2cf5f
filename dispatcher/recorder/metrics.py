"""The recorder's metrics: counts its events."""

from __future__ import annotations

from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from dispatcher.recorder.events import Behind, Dropped, Event, GoesOn, Missed, Recorded, Trouble

WRITE_BUCKETS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class RecorderMetrics:
    """An observer that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._records = Counter(
            "cordboard_recorder_records", "Records written to the tables.", ("kind",), registry=registry
        )
        self._seconds = Histogram(
            "cordboard_recorder_write_seconds",
            "How long the database took for a batch.",
            buckets=WRITE_BUCKETS,
            registry=registry,
        )
        self._behind = Gauge(
            "cordboard_recorder_lag_records", "Records of the log not recorded yet.", ("topic",), registry=registry
        )
        self._missed = Counter(
            "cordboard_recorder_missed_records",
            "Offsets that retention had removed before they were recorded.",
            ("topic",),
            registry=registry,
        )
        self._trouble = Counter(
            "cordboard_recorder_failures",
            "Uses of the database (tables, drop) or of the log (log) that failed and are tried again.",
            ("doing",),
            registry=registry,
        )
        self._healthy = Gauge("cordboard_recorder_healthy", "1 while records can be written.", registry=registry)
        self._dropped = Counter(
            "cordboard_recorder_dropped_calls", "Calls dropped because of their age.", registry=registry
        )

    def __call__(self, event: Event) -> None:
        """Count one event."""
        match event:
            case Recorded(kinds, seconds):
                self._healthy.set(1)
                self._seconds.observe(seconds)
                for kind, count in kinds.items():
                    self._records.labels(kind).inc(count)
            case Behind(records):
                for topic, count in records.items():
                    self._behind.labels(topic).set(count)
            case Missed(topic, offsets):
                self._missed.labels(topic).inc(offsets)
            case Trouble(doing):
                self._healthy.set(0)
                self._trouble.labels(doing).inc()
            case GoesOn():
                self._healthy.set(1)
            case Dropped(calls):
                self._dropped.inc(calls)
