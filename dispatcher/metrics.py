"""The dispatcher's metrics: counts what `observing` tells. Labels are closed lists: actions, states, reasons."""

from __future__ import annotations

from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from dispatcher.core.decision import CancelAnswer, Completed, HandOn, Output, Release, Result, Tell
from dispatcher.observing import Decided, Lost, Observed, Owned, Said, SetAside, Settled

RESULT_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 90.0)
SETTLE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class DispatcherMetrics:
    """An observer that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._inputs = Counter("cordboard_inputs", "Inputs applied to pages.", ("topic", "kind"), registry=registry)
        self._results = Counter(
            "cordboard_results", "Results given to senders.", ("kind", "action", "state", "reason"), registry=registry
        )
        self._seconds = Histogram(
            "cordboard_result_seconds",
            "From a command's acceptance to its result.",
            ("action",),
            buckets=RESULT_BUCKETS,
            registry=registry,
        )
        self._completions = Counter(
            "cordboard_completions", "Completions published.", ("action", "state", "reason"), registry=registry
        )
        self._releases = Counter(
            "cordboard_releases", "Requests handed to the workers.", ("lane", "again"), registry=registry
        )
        self._events = Counter("cordboard_events", "Webhooks handed on.", ("late", "tied"), registry=registry)
        self._told = Counter("cordboard_pages_told", "Words from one page to another.", registry=registry)
        self._cancels = Counter("cordboard_cancel_reports", "Cancel requests answered.", registry=registry)
        self._dead = Counter(
            "cordboard_dead_letters",
            "Records that could not be read.",
            ("topic",),
            registry=registry,
        )
        self._settle_seconds = Histogram(
            "cordboard_settle_seconds", "How long the log took for a batch.", buckets=SETTLE_BUCKETS, registry=registry
        )
        self._settled = Counter("cordboard_settled", "What was settled.", ("what",), registry=registry)
        self._owned = Gauge("cordboard_partitions_owned", "Partitions restored and served.", registry=registry)
        self._lost = Counter("cordboard_partitions_lost", "Partitions given up, by why.", ("why",), registry=registry)
        self._serving: set[int] = set()

    def __call__(self, seen: Observed) -> None:
        """Count one event."""
        match seen:
            case Said(output):
                self._said(output)
            case Decided(topic, kind):
                self._inputs.labels(topic, kind).inc()
            case Settled():
                self._count_settled(seen)
            case SetAside(topic):
                self._dead.labels(topic).inc()
            case Owned(partition):
                self._serving.add(partition)
                self._owned.set(len(self._serving))
            case Lost(partition, why):
                self._serving.discard(partition)
                self._owned.set(len(self._serving))
                self._lost.labels(why).inc()

    def _said(self, output: Output) -> None:
        match output:
            case Result():
                self._results.labels(output.kind, output.action, output.state.value, output.reason.value).inc()
                if output.kind == "result":
                    self._seconds.labels(output.action).observe(max(output.finish_ms - output.accept_ms, 0) / 1000)
            case Completed():
                self._completions.labels(output.action, output.state.value, output.reason.value).inc()
            case Release(work=work):
                self._releases.labels(work.lane.value, "yes" if work.attempt > 1 else "no").inc()
            case HandOn():
                self._events.labels("yes" if output.late else "no", "yes" if output.command_id else "no").inc()
            case Tell():
                self._told.inc()
            case CancelAnswer():
                self._cancels.inc()

    def _count_settled(self, settled: Settled) -> None:
        self._settle_seconds.observe(settled.seconds)
        self._settled.labels("inputs").inc(settled.inputs)
        self._settled.labels("pages").inc(settled.pages)
        self._settled.labels("outputs").inc(settled.outputs)
