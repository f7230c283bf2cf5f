"""Opening the log that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from cordboard.clock import Clock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.embedded_metrics import EmbeddedLogMetrics
from cordboard.log.port import Log, LogError, TopicPartition
from cordboard.operations import Check
from cordboard.roles.kafka import open_kafka
from cordboard.roles.sealing import sealer
from cordboard.roles.topics import specs_of, topics_of
from cordboard.settings import Settings

SKEW_MS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class OpenLog:
    """The log of this process, and what readiness asks about it, by name."""

    log: Log
    checks: Mapping[str, Check]


class ClockMetrics:
    """How far the clocks differ, asked for at each scrape."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._skew = Gauge(
            "cordboard_clock_skew_seconds",
            "How far the log's clock was ahead of ours at the last write; below 0: behind.",
            registry=registry,
        )

    def look_at(self, skew_ms: Callable[[], int]) -> None:
        """Show this from now on."""
        self._skew.set_function(lambda: skew_ms() / 1000)


async def open_log(settings: Settings, clock: Clock, registry: CollectorRegistry = REGISTRY) -> OpenLog:
    """Open the log with every topic that these accounts need. Raises LogError with a sentence for the operator."""
    sealed = sealer(settings, registry)  # First: a log that is open would have to be closed again.
    if settings.log.kind == "embedded":
        return await _open_embedded(settings, clock, registry, sealed)
    log = await open_kafka(settings, clock, registry)
    ClockMetrics(registry).look_at(lambda: log.skew_ms)
    at = TopicPartition(topics_of(settings).commands, 0)
    return OpenLog(sealed(log), {"log": lambda: _silent(log, at), "clock": lambda: clock_is_off(log.skew_ms)})


async def _open_embedded(
    settings: Settings, clock: Clock, registry: CollectorRegistry, sealed: Callable[[Log], Log]
) -> OpenLog:
    settings.log.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log = await EmbeddedLog.open(
        settings.log.path,
        specs_of(settings),
        settings.log.partitions,
        clock,
        topics_of(settings).inputs,
        observe=EmbeddedLogMetrics(registry),
    )
    ClockMetrics(registry).look_at(lambda: log.ahead_ms)
    return OpenLog(sealed(log), {"log": lambda: _unhealthy(log), "clock": lambda: clock_is_behind(log.ahead_ms)})


async def _silent(log: Log, at: TopicPartition) -> str | None:
    """Who writes nothing, such as an ingress at night, learns by asking only that the brokers are away."""
    if (said := _unhealthy(log)) is not None:
        return said
    try:
        await log.end(at)
    except LogError as error:
        return f"the log does not answer: {error}"
    return None


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
