"""Opening the log that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from cordboard.clock import Clock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.group_commit import BatchEnded
from cordboard.log.port import Log
from cordboard.operations import Check
from cordboard.roles.kafka import open_kafka
from cordboard.settings import Settings
from cordboard.topics import Topics

SKEW_MS_MAX: Final = 2_000
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


def topics_of(settings: Settings) -> Topics:
    """The topics' names."""
    return Topics(settings.log.topic_prefix)


@dataclass(frozen=True, slots=True)
class OpenLog:
    """The log of this process, and what readiness asks about it, by name."""

    log: Log
    checks: Mapping[str, Check]


async def open_log(settings: Settings, clock: Clock, registry: CollectorRegistry = REGISTRY) -> OpenLog:
    """Open the log with every topic that these accounts need. Raises LogError with a sentence for the operator."""
    if settings.log.kind == "embedded":
        return await _open_embedded(settings, clock, registry)
    log = await open_kafka(settings, clock, registry)
    return OpenLog(log, {"log": lambda: _unhealthy(log), "clock": lambda: clock_is_off(log.skew_ms)})


async def _open_embedded(settings: Settings, clock: Clock, registry: CollectorRegistry) -> OpenLog:
    topics = topics_of(settings)
    settings.log.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = await EmbeddedLog.open(
        settings.log.path,
        topics.specs(sorted(settings.accounts), settings.log.partitions),
        settings.log.partitions,
        clock,
        topics.inputs,
        observe=_LogMetrics(registry),
    )
    return OpenLog(log, {"log": lambda: _unhealthy(log), "clock": lambda: clock_is_behind(log.ahead_ms)})


def _unhealthy(log: Log) -> str | None:
    return None if log.healthy else "the log cannot be written"


def clock_is_behind(ahead_ms: int) -> str | None:
    """Expiries count from the log's times: while the clock is behind them, nothing expires when it should.

    `ahead_ms` is how far the log's latest time is ahead of our clock.
    """
    if ahead_ms <= SKEW_MS_MAX:
        return None
    return f"the clock is {ahead_ms / 1000:.0f} s behind the log's latest record: it was set back"


def clock_is_off(skew_ms: int | None) -> str | None:
    """The same where others' clocks give the times: ours may be before or behind. None: nothing to compare with yet."""
    if skew_ms is None or abs(skew_ms) <= SKEW_MS_MAX:
        return None
    side = "behind" if skew_ms > 0 else "before"
    return f"the clock is {abs(skew_ms) / 1000:.0f} s {side} the brokers' clocks: one of them is wrong"


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
