"""The eyes themselves: what moved is seen to have moved, and what stood still is not."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from docs.generate.metrics import Metric
from tests.docs.looking import Looking


def test_what_stands_still_is_named():
    """
    Counters that never counted, gauges that always showed the same, histograms that took nothing.
    """
    registry = CollectorRegistry()
    counts = [Counter(f"c{n}", "help", ("label",), registry=registry) for n in range(2)]
    gauges = [Gauge(f"g{n}", "help", registry=registry) for n in range(2)]
    times = [Histogram(f"h{n}", "help", registry=registry) for n in range(2)]
    metrics = [
        Metric(f"{letter}{n}", kind, (), "help", "here")
        for letter, kind in (("c", "counter"), ("g", "gauge"), ("h", "histogram"))
        for n in range(2)
    ]
    gauges[1].set(1)
    seen = Looking(registry)
    assert seen.still(metrics) == ["c0_total", "c1_total", "g0", "g1", "h0", "h1"]

    counts[0].labels("there, and never counted")
    counts[1].labels("counted").inc()
    gauges[1].set(0)
    times[1].observe(0.5)
    seen.look()
    assert seen.still(metrics) == ["c0_total", "g0", "h0"]
