"""The rules and the dashboard ask for nothing that no process shows: metrics, labels, values of closed lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import httpx
import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from cordboard.log.kafka.metrics import KafkaMetrics
from cordboard.work import Lane, Verdict
from deploy.grafana.__main__ import PATH, dashboard
from dispatcher.core.words import Answer, Completion, Reason, State
from dispatcher.ingress.answers import Result
from docs.generate.metrics import every_metric
from tests.alerts.promql import Wanted, unread, wanted
from tests.alerts.rules import expressions, panels, promtool
from tests.promises.stage import Stage
from workers.core.outcome import Meaning

# Labels whose values are a closed list in the code; others are settings' or partitions' numbers.
CLOSED: Final[Mapping[str, Iterable[str]]] = {
    "state": {*State, *Completion},
    "reason": {*Reason, "copy", "unreadable"},
    "meaning": Meaning,
    "verdict": Verdict,
    "result": Result,
    "answer": Answer,
    "why": {"silence", "doubt", "overtaken", "unreadable"},
    "kind": {"result", "replayed", "refused", "settled"},
    "lane": Lane,
}
ANY: Final = "$job"


@pytest.fixture
async def exposed(tmp_path: Path) -> str:
    """What a process with all roles shows at /metrics, and one on Kafka besides."""
    registry = CollectorRegistry()
    KafkaMetrics(registry)
    async with Stage(tmp_path) as stage, httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{stage.operations_url}/metrics")).text
    # The stage has a registry of its own; a process shows what is known of it, too.
    return text + generate_latest(registry).decode() + generate_latest(REGISTRY).decode()


@pytest.fixture
def shown(exposed: str) -> dict[str, str]:
    """The names of its samples, by their family."""
    return {sample: family.name for family in text_string_to_metric_families(exposed) for sample in samples(family)}


def samples(family: object) -> set[str]:
    name, kind = family.name, family.type  # type: ignore[attr-defined] # prometheus-client's, without types here
    ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {name + end for end in ends.get(kind, ("",))}


def test_the_metrics_are_named_as_prometheus_has_it(exposed: str):
    """
    Its own tool finds nothing to say: units, endings, help.
    """
    told = promtool("check", "metrics", given=exposed)

    assert (told.stdout, told.stderr) == ("", "")


def test_what_is_asked_for_is_shown(shown: dict[str, str]):
    """
    Each metric by its very name, with those labels.
    """
    labels = {sample: {*metric.labels, "le"} for metric in every_metric() for sample in metric.samples}
    wrong = [
        f"{asker}: {one.metric} {sorted(one.labels - labels.get(one.metric, set()))}"
        for asker, expr in expressions().items()
        for one in wanted(expr)
        if one.metric not in shown or not one.labels <= labels.get(one.metric, {"le"})
    ]

    assert wrong == []


@pytest.mark.parametrize("asker", expressions())
def test_values_are_of_their_lists(asker: str):
    """
    A state, reason, meaning or result that nothing ever has would make an alert that never fires.
    """
    expr = expressions()[asker]
    assert unread(expr) == []
    odd = [
        (label, value)
        for one in wanted(expr)
        for label, value in one.values
        if value != ANY and label in CLOSED and value not in {str(known) for known in CLOSED[label]}
    ]

    assert odd == []


def test_the_eyes_see():
    """
    What an expression names is found, whatever stands around it.
    """
    expr = 'sum by (job, le) (rate(cordboard_x_bucket{le="5.0", why=~"a|b"}[5m])) / on (pool) cordboard_y > 3'

    assert list(wanted(expr)) == [
        Wanted(
            "cordboard_x_bucket",
            frozenset({"le", "why"}),
            frozenset({("le", "5.0"), ("why", "a"), ("why", "b")}),
        ),
        Wanted("cordboard_y", frozenset({"pool"}), frozenset()),
    ]


def test_the_dashboard_is_current():
    """
    As `make docs` writes it.
    """
    assert PATH.read_text() == dashboard()


def test_the_dashboard_is_one_that_grafana_can_draw():
    """
    Panels have numbers of their own, lie beside each other, and their queries have letters and legends.
    """
    drawn = list(panels())
    places = {
        (x, y)
        for panel in drawn
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    }

    assert len({panel["id"] for panel in drawn}) == len(drawn)
    assert len(places) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in drawn)
    assert max(x for x, _ in places) < 24
    assert all(target["refId"] and target["legendFormat"] for panel in drawn for target in panel.get("targets", ()))
