"""What becomes of what liveness finds: metrics, log lines, and a word in readiness."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from cordboard.liveness import Liveness, Post, Relieved, Standing
from cordboard.log.port import Log
from cordboard.observers import each_of

_log = structlog.get_logger(__name__)
Found = Standing | Relieved


def watch_over(
    log: Log, posts: Callable[[], Iterable[Post]], stall_seconds: float, metrics: LivenessMetrics
) -> Liveness:
    """Who looks whether the posts of a role go on, ready to be started."""
    return Liveness(log, posts, stall_seconds, each_of(metrics, Journal()))


class LivenessMetrics:
    """Gauges by partition, which go when the partition does: made once for each registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Gauge(
            "cordboard_partition_lag_records",
            "Inputs not settled, work not begun, or events not forwarded, by partition held; pool: empty for inputs.",
            ("topic", "partition", "pool"),
            registry=registry,
        )
        self._stalled = Gauge(
            "cordboard_partition_stalled_seconds",
            "For how long nothing was settled while inputs wait; 0 unless that is too long.",
            ("partition",),
            registry=registry,
        )
        self._stalled_lanes = Gauge(
            "cordboard_worker_stalled_seconds",
            "For how long nothing was begun or ended while work waits; 0 unless that is too long.",
            ("pool", "lane", "partition"),
            registry=registry,
        )
        unknown = Gauge(
            "cordboard_partitions_unjudged",
            "Partitions held of which nobody can tell whether they go on, because the log does not answer.",
            ("role",),
            registry=registry,
        )
        self._unknown: Final = {True: unknown.labels("dispatcher"), False: unknown.labels("worker")}
        self._doubted: Final[dict[bool, set[tuple[tuple[str, ...], int]]]] = {True: set(), False: set()}

    def __call__(self, found: Found) -> None:
        """Set what a look has found."""
        post, doubt = found.post, ""
        stalled = self._stalled_lanes if post.holder else self._stalled
        if isinstance(found, Standing):
            doubt = found.doubt
            stalled.labels(*post.holder, post.partition).set(found.stalled_seconds)
            for at, lag in found.lags.items():
                self._lag.labels(*at, _pool_of(post)).set(lag)
        else:
            stalled.remove(*post.holder, post.partition)
            for at in post.reached:
                self._lag.remove(*at, _pool_of(post))
        self._count_doubt(post, doubt)

    def _count_doubt(self, post: Post, doubt: str) -> None:
        doubted, place = self._doubted[not post.holder], (post.holder, post.partition)
        if doubt:
            doubted.add(place)
        else:
            doubted.discard(place)
        self._unknown[not post.holder].set(len(doubted))


def _pool_of(post: Post) -> str:
    return post.holder[0] if post.holder else ""


class Journal:
    """A line when a partition is found to stand still, and one when it goes on; the same for what nobody can tell."""

    def __init__(self) -> None:
        self._stalled: dict[str, float] = {}
        self._doubted: set[str] = set()

    def __call__(self, found: Found) -> None:
        """Write the line, if there is news."""
        name = found.post.name
        if isinstance(found, Relieved):
            self._doubted.discard(name)
            if self._stalled.pop(name, None) is not None:
                _log.critical("a partition that stood still was given up", which=name)
            return
        self._tell_stall(name, found)
        if found.doubt and name not in self._doubted:
            self._doubted.add(name)
            _log.warning("nobody can tell whether a partition goes on", which=name, why=found.doubt)
        elif not found.doubt and name in self._doubted:
            self._doubted.discard(name)
            _log.warning("it can be told again whether a partition goes on", which=name)

    def _tell_stall(self, name: str, found: Standing) -> None:
        before = self._stalled.get(name)
        if found.stalled_seconds:
            self._stalled[name] = found.stalled_seconds
            if before is None:
                waiting = {at.topic: lag for at, lag in found.lags.items() if lag}
                seconds = round(found.stalled_seconds)
                _log.critical("a partition stands still", which=name, seconds=seconds, waiting=waiting)
        elif before is not None:
            del self._stalled[name]
            _log.critical("a partition goes on that stood still", which=name, seconds=round(before))
