"""What the ingress counts."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from dispatcher.ingress.answers import Result

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class IngressMetrics:
    """The counters of one ingress; every result is there from the start, at zero."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        webhooks = Counter(
            "cordboard_ingress_webhooks",
            "Requests at the public port, by what became of them",
            ["result"],
            registry=registry,
        )
        self._results = {result: webhooks.labels(result.value) for result in Result}
        self._durable = Histogram(
            "cordboard_ingress_durable_seconds",
            "From a webhook's arrival until it was durable",
            buckets=_BUCKETS,
            registry=registry,
        )
        self.in_hand = Gauge("cordboard_ingress_in_hand", "Webhooks in hand now", registry=registry)

    def count(self, result: Result) -> None:
        """One request came to this end."""
        self._results[result].inc()

    def durable(self, seconds: float) -> None:
        """One webhook became durable this long after it arrived."""
        self._durable.observe(seconds)
