"""The embedded log's metrics: counts its transactions."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from cordboard.log.group_commit import BatchEnded

COMMIT_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class EmbeddedLogMetrics:
    """An observer of transactions that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "cordboard_log_commit_seconds", "How long a transaction took.", buckets=COMMIT_BUCKETS, registry=registry
        )
        self._records = Counter("cordboard_log_records", "Records appended.", registry=registry)
        self._requests = Counter("cordboard_log_requests", "Writes that shared transactions.", registry=registry)
        self._failed = Counter("cordboard_log_failed_commits", "Transactions that failed.", registry=registry)
        self._healthy = Gauge("cordboard_log_healthy", "1 while the log can be written.", registry=registry)
        self._healthy.set(1)

    def __call__(self, ended: BatchEnded) -> None:
        """Count one transaction."""
        self._seconds.observe(ended.seconds)
        self._healthy.set(1 if ended.durable else 0)
        if not ended.durable:
            self._failed.inc()
            return
        self._records.inc(ended.records)
        self._requests.inc(ended.requests)
