"""The dispatcher's metrics: counts what `observing` tells. Labels are closed lists: actions, states, reasons.

So are the series, which are therefore looked up once: prometheus-client checks and joins the labels at every look.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from dispatcher.core.asking import QUESTION
from dispatcher.core.decision import (
    CancelAnswer,
    Completed,
    HandOn,
    HangUp,
    Learned,
    Output,
    PassOn,
    Release,
    Result,
    Tell,
)
from dispatcher.observing import Decided, Lost, Observed, Owned, Said, SetAside, Settled, Waiting

RESULT_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 90.0)
SETTLE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class DispatcherMetrics:
    """An observer that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._serving: set[int] = set()
        self._waiting: dict[int, int] = {}
        self._of_commands(registry)
        self._of_calls(registry)
        self._of_partitions(registry)

    def _of_commands(self, registry: CollectorRegistry) -> None:
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
        self._cancels = Counter("cordboard_cancel_reports", "Cancel requests answered.", registry=registry)
        self._results, self._seconds = cache(results.labels), cache(seconds.labels)
        self._completions, self._releases = cache(completions.labels), cache(releases.labels)

    def _of_calls(self, registry: CollectorRegistry) -> None:
        events = Counter("cordboard_events", "Webhooks handed on.", ("late", "tied"), registry=registry)
        asked = Counter(
            "cordboard_calls_asked",
            "Questions to Telnyx whether a call lives, by what was said.",
            ("why", "answer"),
            registry=registry,
        )
        self._late_dials = Counter(
            "cordboard_late_dials_hung_up",
            "Legs hung up because they rang after their dial was UNKNOWN.",
            registry=registry,
        )
        self._told = Counter("cordboard_pages_told", "Words from one page to another.", registry=registry)
        self._events, self._asked = cache(events.labels), cache(asked.labels)

    def _of_partitions(self, registry: CollectorRegistry) -> None:
        inputs = Counter("cordboard_inputs", "Inputs applied to pages.", ("topic", "kind"), registry=registry)
        dead = Counter("cordboard_dead_letters", "Records that could not be read.", ("topic",), registry=registry)
        settled = Counter("cordboard_settled", "What was settled.", ("what",), registry=registry)
        self._settle_seconds = Histogram(
            "cordboard_settle_seconds", "How long the log took for a batch.", buckets=SETTLE_BUCKETS, registry=registry
        )
        self._dials_waiting = Gauge(
            "cordboard_dials_waiting", "Dials that wait for room in their lane.", registry=registry
        )
        self._owned = Gauge("cordboard_partitions_owned", "Partitions restored and served.", registry=registry)
        self._lost = Counter("cordboard_partitions_lost", "Partitions given up, by why.", ("why",), registry=registry)
        self._inputs, self._dead, self._settled = cache(inputs.labels), cache(dead.labels), cache(settled.labels)

    def __call__(self, seen: Observed) -> None:
        """Count one event."""
        match seen:
            case Said(output):
                self._said(output)
            case Learned(why, answer):
                self._asked(why, answer.value).inc()
            case Decided(topic, kind):
                self._inputs(topic, kind).inc()
            case Settled():
                self._count_settled(seen)
            case SetAside(topic):
                self._dead(topic).inc()
            case Owned() | Lost() | Waiting():
                self._count_partitions(seen)

    def _count_partitions(self, seen: Owned | Lost | Waiting) -> None:
        match seen:
            case Owned(partition):
                self._serving.add(partition)
            case Lost(partition, why):
                self._serving.discard(partition)
                self._waiting.pop(partition, None)
                self._lost.labels(why).inc()
            case Waiting(partition, dials):
                self._waiting[partition] = dials
        self._owned.set(len(self._serving))
        self._dials_waiting.set(sum(self._waiting.values()))

    def _said(self, output: Output) -> None:
        match output:
            case Result():
                self._results(output.kind, output.action, output.state.value, output.reason.value).inc()
                if output.kind == "result":
                    self._seconds(output.action).observe(max(output.finish_ms - output.accept_ms, 0) / 1000)
            case Completed():
                self._completions(output.action, output.state.value, output.reason.value).inc()
            case Release(work=work) if work.command_id != QUESTION:
                self._releases(work.lane.value, "yes" if work.attempt > 1 else "no").inc()
            case HandOn():
                self._events("yes" if output.late else "no", "yes" if output.command_id else "no").inc()
            case Tell() | PassOn():
                self._told.inc()
            case HangUp():
                self._late_dials.inc()
            case CancelAnswer():
                self._cancels.inc()

    def _count_settled(self, settled: Settled) -> None:
        self._settle_seconds.observe(settled.seconds)
        self._settled("inputs").inc(settled.inputs)
        self._settled("pages").inc(settled.pages)
        self._settled("outputs").inc(settled.outputs)
