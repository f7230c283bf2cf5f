"""What identities asked and what came of it, and whether their file is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge

if TYPE_CHECKING:
    from cordboard.access.access import Access


class AccessMetrics:
    """Counts; it is what `Access` notes to."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "cordboard_identity_requests",
            "Commands let in (outcome: command), and whatever was turned away, by identity; nameless without one.",
            ("identity", "outcome"),
            registry=registry,
        )
        self._known = Gauge("cordboard_identities", "Identities in force; 0: everybody may ask.", registry=registry)
        self._broken = Gauge(
            "cordboard_identities_file_broken",
            "Whether the file of identities is not right, so that those from before stay in force.",
            registry=registry,
        )

    def __call__(self, name: str, outcome: str) -> None:
        """Count one."""
        self._requests.labels(name, outcome).inc()

    def look_at(self, access: Access) -> None:
        """Show what is in force, asked for at each scrape."""
        self._known.set_function(lambda: len(access.known().identities))
        self._broken.set_function(lambda: bool(access.trouble))
