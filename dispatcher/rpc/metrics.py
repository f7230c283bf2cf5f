"""The door's metrics. Those of calls bear the names that dashboards for gRPC servers know already."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from dispatcher.rpc.events import Event, Forwarded, Handled, Method, Started

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0)
_LABELS: Final = ("grpc_type", "grpc_service", "grpc_method")


class Metrics:
    """An observer of the door's events that keeps prometheus metrics in a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = Counter("grpc_server_started", "RPCs started.", _LABELS, registry=registry)
        self._handled = Counter("grpc_server_handled", "RPCs ended.", (*_LABELS, "grpc_code"), registry=registry)
        self._seconds = Histogram(
            "grpc_server_handling_seconds", "How long RPCs took.", _LABELS, buckets=BUCKETS, registry=registry
        )
        self._refused = Counter(
            "cordboard_grpc_refused", "RPCs turned away, by reason.", ("grpc_method", "reason"), registry=registry
        )
        self._forwarded = Counter(
            "cordboard_questions_forwarded",
            "Questions about pages put to the dispatcher that holds them, by what it answered.",
            ("outcome",),
            registry=registry,
        )
        self._waiting = Gauge(
            "cordboard_execute_waiting", "Callers and stream items that wait for results.", registry=registry
        )

        # Looking up a child costs as much as counting: those of every call are kept.
        self._start = cache(lambda method: self._started.labels(*_values(method)))
        self._end = cache(lambda method, code: self._handled.labels(*_values(method), _camel(code.name)))
        self._time = cache(lambda method: self._seconds.labels(*_values(method)))

    def __call__(self, event: Event) -> None:
        """Count one event."""
        match event:
            case Started(method):
                self._start(method).inc()
            case Handled(method, code, seconds, reason):
                self._end(method, code).inc()
                self._time(method).observe(seconds)
                if reason:
                    self._refused.labels(method.name, reason).inc()
            case Forwarded(outcome):
                self._forwarded.labels(outcome).inc()

    def count_waiting(self, waiting: Callable[[], int]) -> None:
        """Show how many wait, asked for at each scrape."""
        self._waiting.set_function(waiting)


def _values(method: Method) -> tuple[str, str, str]:
    return method.kind, method.service, method.name


def _camel(name: str) -> str:
    """A code as the usual dashboards write it: DeadlineExceeded, but OK."""
    return "OK" if name == "OK" else "".join(word.capitalize() for word in name.split("_"))
