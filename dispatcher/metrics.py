"""The dispatcher's metrics: counts what `observing` tells. Labels are closed lists: actions, states, reasons.

So are the series, which are therefore looked up once: prometheus-client checks and joins the labels at every look.
"""

from __future__ import annotations

from collections.abc import Callable
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
# Calls and speeches last minutes; what an event completes may have begun long ago.
LONG_BUCKETS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
INPUT_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)
SETTLE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class DispatcherMetrics:
    """An observer that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._serving: set[int] = set()
        self._dials: dict[int, int] = {}
        self._of_commands(registry)
        self._of_stages(registry)
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

    def _of_stages(self, registry: CollectorRegistry) -> None:
        """How long each stage of a command and of a webhook took, beside those that workers and ingress see."""
        self._input_seconds = _timed(
            "cordboard_input",
            "From when the log took an input until it was decided about.",
            "topic",
            INPUT_BUCKETS,
            registry,
        )
        self._release_seconds = _timed(
            "cordboard_release",
            "From a command's acceptance to its first release: its time in line.",
            "lane",
            LONG_BUCKETS,
            registry,
        )
        self._completion_seconds = _timed(
            "cordboard_completion", "From a command's acceptance to its completion.", "action", LONG_BUCKETS, registry
        )
        self._event_seconds = Histogram(
            "cordboard_event_seconds",
            "From when something happened, as Telnyx says, until its webhook was handed on.",
            buckets=LONG_BUCKETS,
            registry=registry,
        )

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
        self._waiting = Gauge(
            "cordboard_line_commands",
            "Commands that wait in the lines of their calls.",
            ("partition",),
            registry=registry,
        )
        self._partitions = Gauge(
            "cordboard_partitions", "Partitions that there are, whoever has them.", registry=registry
        )
        self._owned = Gauge("cordboard_partitions_owned", "Partitions restored and served.", registry=registry)
        self._lost = Counter("cordboard_partitions_lost", "Partitions given up, by why.", ("why",), registry=registry)
        self._inputs, self._dead, self._settled = cache(inputs.labels), cache(dead.labels), cache(settled.labels)

    def there_are(self, partitions: int) -> None:
        """Show how many partitions there are, to be held against those that are served."""
        self._partitions.set(partitions)

    def __call__(self, seen: Observed) -> None:
        """Count one event."""
        match seen:
            case Said(output):
                self._said(output, seen.now_ms)
            case Learned(why, answer):
                self._asked(why, answer.value).inc()
            case Decided(topic, kind, source):
                self._inputs(topic, kind).inc()
                if source is not None:
                    self._input_seconds(topic).observe(_seconds(source.time_ms, seen.now_ms))
            case Settled():
                self._count_settled(seen)
            case SetAside(topic):
                self._dead(topic).inc()
            case Owned() | Lost() | Waiting():
                self._count_partitions(seen)

    def _count_partitions(self, seen: Owned | Lost | Waiting) -> None:
        match seen:
            case Owned(partition, _, waiting):
                self._serving.add(partition)
                self._waiting.labels(partition).set(waiting)
            case Lost(partition, why):
                if partition in self._serving:
                    self._waiting.remove(partition)
                self._serving.discard(partition)
                self._dials.pop(partition, None)
                self._lost.labels(why).inc()
            case Waiting(partition, dials):
                self._dials[partition] = dials
        self._owned.set(len(self._serving))
        self._dials_waiting.set(sum(self._dials.values()))

    def _said(self, output: Output, now_ms: int) -> None:
        match output:
            case Result():
                self._results(output.kind, output.action, output.state.value, output.reason.value).inc()
                if output.kind == "result":
                    self._seconds(output.action).observe(_seconds(output.accept_ms, output.finish_ms))
            case Completed():
                self._completions(output.action, output.state.value, output.reason.value).inc()
                self._completion_seconds(output.action).observe(_seconds(output.accept_ms, output.finish_ms))
            case Release(work=work) if work.command_id != QUESTION:
                self._releases(work.lane.value, "yes" if work.attempt > 1 else "no").inc()
                if work.attempt == 1:
                    self._release_seconds(work.lane.value).observe(_seconds(output.accept_ms, work.released_ms))
            case HandOn():
                self._events("yes" if output.late else "no", "yes" if output.command_id else "no").inc()
                self._event_seconds.observe(_seconds(output.heard.occurred_ms, now_ms))
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
        self._waiting.labels(settled.partition).set(settled.waiting)


def _timed(
    name: str, what: str, label: str, buckets: tuple[float, ...], registry: CollectorRegistry
) -> Callable[[str], Histogram]:
    """A histogram of seconds with one label."""
    return cache(Histogram(f"{name}_seconds", what, (label,), buckets=buckets, registry=registry).labels)


def _seconds(from_ms: int, to_ms: int) -> float:
    """What passed; never less than nothing, where two clocks differ."""
    return max(to_ms - from_ms, 0) / 1000
