"""The dispatcher's metrics: counts what `observing` tells. Labels are closed lists: actions, states, reasons.

So are the series, which are therefore looked up once: prometheus-client checks and joins the labels at every look.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from dispatcher.core.decision import CancelAnswer, Completed, HandOn, Output, PassOn, Release, Result, Tell
from dispatcher.observing import Decided, Lost, Observed, Owned, Said, SetAside, Settled

RESULT_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 90.0)
SETTLE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class DispatcherMetrics:
    """An observer that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        inputs = Counter("cordboard_inputs", "Inputs applied to pages.", ("topic", "kind"), registry=registry)
        results = Counter(
            "cordboard_results", "Results given to senders.", ("kind", "action", "state", "reason"), registry=registry
        )
        seconds = Histogram(
            "cordboard_result_seconds",
            "From a command's acceptance to its result.",
            ("action",),
            buckets=RESULT_BUCKETS,
            registry=registry,
        )
        completions = Counter(
            "cordboard_completions", "Completions published.", ("action", "state", "reason"), registry=registry
        )
        releases = Counter(
            "cordboard_releases", "Requests handed to the workers.", ("lane", "again"), registry=registry
        )
        events = Counter("cordboard_events", "Webhooks handed on.", ("late", "tied"), registry=registry)
        self._told = Counter("cordboard_pages_told", "Words from one page to another.", registry=registry)
        self._cancels = Counter("cordboard_cancel_reports", "Cancel requests answered.", registry=registry)
        dead = Counter(
            "cordboard_dead_letters",
            "Records that could not be read.",
            ("topic",),
            registry=registry,
        )
        self._settle_seconds = Histogram(
            "cordboard_settle_seconds", "How long the log took for a batch.", buckets=SETTLE_BUCKETS, registry=registry
        )
        settled = Counter("cordboard_settled", "What was settled.", ("what",), registry=registry)
        self._owned = Gauge("cordboard_partitions_owned", "Partitions restored and served.", registry=registry)
        self._lost = Counter("cordboard_partitions_lost", "Partitions given up, by why.", ("why",), registry=registry)
        self._serving: set[int] = set()
        self._inputs, self._results, self._seconds = cache(inputs.labels), cache(results.labels), cache(seconds.labels)
        self._completions, self._releases = cache(completions.labels), cache(releases.labels)
        self._events, self._dead, self._settled = cache(events.labels), cache(dead.labels), cache(settled.labels)

    def __call__(self, seen: Observed) -> None:
        """Count one event."""
        match seen:
            case Said(output):
                self._said(output)
            case Decided(topic, kind):
                self._inputs(topic, kind).inc()
            case Settled():
                self._count_settled(seen)
            case SetAside(topic):
                self._dead(topic).inc()
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
                self._results(output.kind, output.action, output.state.value, output.reason.value).inc()
                if output.kind == "result":
                    self._seconds(output.action).observe(max(output.finish_ms - output.accept_ms, 0) / 1000)
            case Completed():
                self._completions(output.action, output.state.value, output.reason.value).inc()
            case Release(work=work):
                self._releases(work.lane.value, "yes" if work.attempt > 1 else "no").inc()
            case HandOn():
                self._events("yes" if output.late else "no", "yes" if output.command_id else "no").inc()
            case Tell() | PassOn():
                self._told.inc()
            case CancelAnswer():
                self._cancels.inc()

    def _count_settled(self, settled: Settled) -> None:
        self._settle_seconds.observe(settled.seconds)
        self._settled("inputs").inc(settled.inputs)
        self._settled("pages").inc(settled.pages)
        self._settled("outputs").inc(settled.outputs)
