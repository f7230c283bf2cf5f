"""Sealing's metrics: by which key this process seals, and what it could not open."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class SealingMetrics:
    """Told of what does not open, and of the key that seals."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._unopened = Counter(
            "cordboard_sealing_unopened",
            "Times that a sealed value could not be opened, and its reader stood still (unknown_key, altered, plain).",
            ("topic", "why"),
            registry=registry,
        )
        self._key = Gauge(
            "cordboard_sealing_key", "1: the key of this name seals; 0: it did.", ("key_name",), registry=registry
        )
        self._sealing = ""

    def unopened(self, topic: str, why: str) -> None:
        """Count a value that does not open."""
        self._unopened.labels(topic, why).inc()

    def seals_by(self, key: str) -> None:
        """Show this key from now on, and no other; "": none."""
        if self._sealing:
            self._key.labels(self._sealing).set(0)
        if key:
            self._key.labels(key).set(1)
        self._sealing = key
