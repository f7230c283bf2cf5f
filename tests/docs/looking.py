"""Looks at a registry again and again, and remembers which metrics were seen to move."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from docs.generate.metrics import Metric

Series = tuple[str, tuple[tuple[str, str], ...]]


class Looking:
    """What each series of a registry was at every look."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._seen: dict[Series, set[float]] = defaultdict(set)
        self._kinds: dict[str, str] = {}
        self.look()

    def look(self) -> None:
        """Take in what is there now."""
        for family in self._registry.collect():
            for sample in family.samples:
                self._kinds[sample.name] = family.type
                self._seen[sample.name, tuple(sorted(sample.labels.items()))].add(sample.value)

    def value(self, name: str, **labels: str) -> float:
        """What a sample is now, 0 where it is not there; where labels are left out, the sum of all that fit."""
        self.look()
        return sum(
            sample.value
            for family in self._registry.collect()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def names(self) -> set[str]:
        """The names of all samples ever seen."""
        return {name for name, _ in self._seen}

    def still(self, metrics: Sequence[Metric]) -> list[str]:
        """Those that were never seen to move."""
        return [metric.shown for metric in metrics if not any(self._moved(sample) for sample in metric.samples)]

    def _moved(self, name: str) -> bool:
        # A series of a counter comes into being when it counts; one of a gauge may begin anywhere.
        before = set() if self._kinds.get(name) == "gauge" else {0.0}
        return any(len(values | before) > 1 for (sample, _), values in self._seen.items() if sample == name)
