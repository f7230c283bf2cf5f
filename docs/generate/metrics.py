"""Every metric there is, taken from the objects that the product registers.

A module that imports a kind of metric from prometheus_client is made to register its metrics: each of its classes that
takes a `registry` is made with one that keeps what it is given. Nothing is listed by hand, so a new metric is in the
page as soon as it is in such a class; one that is not is an error here.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector

from docs.generate.tables import code, table

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("cordboard", "dispatcher", "workers")
KINDS: Final = (Counter, Enum, Gauge, Histogram, Info, Summary)
# What a kind is called where it is scraped.
SUFFIXES: Final = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "summary": ("_sum", "_count"),
    "info": ("_info",),
}

_HEAD: Final = """\
# Metrics

Made by `make docs` from the objects that the product registers; `make check` fails where this page is stale.

The operations port (9464) has them under `/metrics`. A histogram has `_bucket`, `_sum` and `_count` behind its name,
and is in seconds. Labels are closed lists: no label ever holds a call, a command id, a number or a key. Beside these
there are prometheus-client's own about the Python process (`process_*`, `python_*`). `tests/docs` holds that each of
those below moves.
"""


class NotListed(Exception):
    """A module has a metric that cannot be found by making its classes."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; `name` as the registry has it, for a counter without `_total`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    module: str

    @property
    def shown(self) -> str:
        """The name under which it is looked for."""
        return self.name + {"counter": "_total", "info": "_info"}.get(self.kind, "")

    @property
    def samples(self) -> tuple[str, ...]:
        """The names of its samples."""
        return tuple(self.name + suffix for suffix in SUFFIXES.get(self.kind, ("",)))


class _Keeping(CollectorRegistry):
    """A registry that keeps what registers, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[MetricWrapperBase] = []

    def register(self, collector: Collector) -> None:
        """Keep it."""
        super().register(collector)
        if isinstance(collector, MetricWrapperBase):
            self.kept.append(collector)


def every_metric(root: Path = ROOT, packages: tuple[str, ...] = PACKAGES) -> list[Metric]:
    """All metrics, module by module. Raises NotListed for a module whose metrics cannot all be found."""
    return [metric for path in _modules(root, packages) for metric in _metrics_of(path, root)]


def _modules(root: Path, packages: tuple[str, ...]) -> Iterator[Path]:
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            if "prometheus_client" in path.read_text() and _kinds_imported(path):
                yield path


def _kinds_imported(path: Path) -> set[str]:
    """The names under which a module has imported kinds of metrics."""
    kinds = {kind.__name__ for kind in KINDS}
    return {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prometheus_client")
        for alias in node.names
        if alias.name in kinds
    }


def _metrics_of(path: Path, root: Path) -> list[Metric]:
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    module = importlib.import_module(name)
    registry = _Keeping()
    for made in _classes(module):
        made(registry=registry)
    written = _constructions(path)
    if len(registry.kept) < written:
        raise NotListed(
            f"{name} makes metrics in {written} places, and {len(registry.kept)} are registered by its classes: "
            "make each in the __init__ of a class that needs nothing but a `registry`"
        )
    return [_read(metric, name) for metric in registry.kept]


def _classes(module: ModuleType) -> Iterator[Any]:
    """The module's own classes that can be made from a registry alone."""
    for value in vars(module).values():
        if not inspect.isclass(value) or value.__module__ != module.__name__:
            continue
        parameters = inspect.signature(value).parameters
        others = (each for name, each in parameters.items() if name != "registry")
        if "registry" in parameters and all(each.default is not each.empty for each in others):
            yield value


def _constructions(path: Path) -> int:
    """In how many places the module makes a metric."""
    kinds = _kinds_imported(path)
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return sum(isinstance(called, ast.Name) and called.id in kinds for called in calls)


def _read(metric: MetricWrapperBase, module: str) -> Metric:
    (family,) = metric.describe()
    # prometheus-client shows a metric's label names nowhere but in its samples, which a fresh one has not.
    return Metric(family.name, family.type, tuple(metric._labelnames), family.documentation.rstrip("."), module)


def page() -> str:
    """The page."""
    metrics = every_metric()
    parts = [_HEAD]
    for module in dict.fromkeys(metric.module for metric in metrics):
        said = (importlib.import_module(module).__doc__ or module).strip().splitlines()[0]
        rows = [
            (code(metric.shown), metric.kind, code(*metric.labels), metric.help)
            for metric in metrics
            if metric.module == module
        ]
        parts.append(f"## {module}\n\n{said}\n\n{table(('metric', 'kind', 'labels', 'what'), rows)}\n")
    return "\n".join(parts)
