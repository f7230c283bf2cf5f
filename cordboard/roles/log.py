"""Opening the log that the settings name."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from cordboard.clock import Clock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.group_commit import BatchEnded
from cordboard.settings import Settings
from cordboard.topics import Topics

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


def topics_of(settings: Settings) -> Topics:
    """The topics' names."""
    return Topics(settings.log.topic_prefix)


async def open_log(settings: Settings, clock: Clock, registry: CollectorRegistry = REGISTRY) -> EmbeddedLog:
    """Open the log with every topic that these accounts need. Raises LogError with a sentence for the operator."""
    topics = topics_of(settings)
    settings.log.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return await EmbeddedLog.open(
        settings.log.path,
        topics.specs(sorted(settings.accounts), settings.log.partitions),
        settings.log.partitions,
        clock,
        topics.inputs,
        observe=_LogMetrics(registry),
    )


class _LogMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "cordboard_log_commit_seconds", "How long a transaction took.", buckets=_SECONDS, registry=registry
        )
        self._records = Counter("cordboard_log_records", "Records appended.", registry=registry)
        self._requests = Counter("cordboard_log_requests", "Writes that shared transactions.", registry=registry)
        self._failed = Counter("cordboard_log_failed_commits", "Transactions that failed.", registry=registry)
        self._healthy = Gauge("cordboard_log_healthy", "1 while the log can be written.", registry=registry)
        self._healthy.set(1)

    def __call__(self, ended: BatchEnded) -> None:
        self._seconds.observe(ended.seconds)
        self._healthy.set(1 if ended.durable else 0)
        if not ended.durable:
            self._failed.inc()
            return
        self._records.inc(ended.records)
        self._requests.inc(ended.requests)
