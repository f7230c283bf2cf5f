"""What the spool counts, and what is in it when it is asked."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge


class SpoolMetrics:
    """The spool's metrics in a registry; they stay at 0 where there is no spool."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        prefix = "cordboard_ingress_spool"
        self.spooled = Counter(
            "cordboard_ingress_spooled", "Webhooks kept in the spool, and so acknowledged", registry=registry
        )
        self.drained = Counter(
            f"{prefix}_drained", "Webhooks of the spool that were written into the log", registry=registry
        )
        self.errors = Counter(
            f"{prefix}_errors",
            "Uses of the spool's file that failed, by what was to be done",
            ["doing"],
            registry=registry,
        )
        self.set_aside = Counter(
            f"{prefix}_set_aside",
            "Webhooks of the spool that the log refuses for ever, by where they are now: dead_letters or file",
            ["where"],
            registry=registry,
        )
        self._events = Gauge(f"{prefix}_events", "Webhooks in the spool", registry=registry)
        self._bytes = Gauge(f"{prefix}_bytes", "Bytes of the webhooks in the spool", registry=registry)
        self._oldest = Gauge(
            f"{prefix}_oldest_seconds", "Age of the oldest webhook in the spool; 0 without one", registry=registry
        )

    def look_at(
        self, events: Callable[[], float], size: Callable[[], float], oldest_seconds: Callable[[], float]
    ) -> None:
        """Ask these whenever the metrics are asked for."""
        self._events.set_function(events)
        self._bytes.set_function(size)
        self._oldest.set_function(oldest_seconds)
