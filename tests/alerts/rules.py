"""The alert rules and the dashboard as data, and Prometheus's own tool, which every machine that tests must have."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
RULES: Final = ROOT / "deploy" / "prometheus" / "rules.yaml"
DASHBOARD: Final = ROOT / "deploy" / "grafana" / "cordboard.json"


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert."""

    name: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


@functools.cache
def rules() -> tuple[Rule, ...]:
    """All alerts."""
    read = yaml.safe_load(RULES.read_text())
    return tuple(
        Rule(rule["alert"], rule["expr"], rule["labels"], rule["annotations"])
        for group in read["groups"]
        for rule in group["rules"]
    )


def panels() -> Iterator[dict[str, Any]]:
    """All panels of the dashboard."""
    yield from json.loads(DASHBOARD.read_text())["panels"]


def expressions() -> dict[str, str]:
    """Everything that is asked of Prometheus, by who asks."""
    asked = {rule.name: rule.expr for rule in rules()}
    for panel in panels():
        for number, target in enumerate(panel.get("targets", ())):
            asked[f"{panel['title']} {number}"] = target["expr"]
    for variable in json.loads(DASHBOARD.read_text())["templating"]["list"]:
        if variable["type"] == "query":
            asked[f"variable {variable['name']}"] = variable["query"]["query"]
    return asked


def program(name: str) -> str:
    """Where prometheus or promtool is. Fails the test where it is not: nothing is skipped in silence."""
    found = shutil.which(name)
    assert found, f"{name} is not installed; `make promtool` does it on Debian (package prometheus)"
    return found


def promtool(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run promtool to its end; `given` is its standard input."""
    return subprocess.run([program("promtool"), *words], input=given, capture_output=True, text=True, check=False)
