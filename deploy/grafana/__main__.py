"""`python -m deploy.grafana` writes cordboard.json; with --check it says whether that is what the panels make today."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from deploy.grafana.panels import ROWS, Panel

PATH: Final = Path(__file__).with_name("cordboard.json")
_WIDTH, _HEIGHT, _ACROSS = 6, 7, 4
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def dashboard() -> str:
    """The dashboard, as Grafana imports it."""
    made = {
        "uid": "cordboard",
        "title": "Cordboard",
        "description": "Made by `make docs` from deploy/grafana/panels.py.",
        "tags": ["cordboard"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_SOURCES, _JOBS]},
        "annotations": {"list": []},
        "panels": [panel | {"id": number} for number, panel in enumerate(_panels(), 1)],
    }
    return json.dumps(made, indent=1) + "\n"


_SOURCES: Final = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}
_JOBS: Final = {
    "name": "job",
    "type": "query",
    "label": "job",
    "datasource": _SOURCE,
    "query": {"query": "label_values(cordboard_clock_skew_seconds, job)", "refId": "jobs"},
    "refresh": 2,
    "includeAll": True,
    "multi": True,
    "allValue": ".*",
    "current": {"text": "All", "value": "$__all"},
}


def _panels() -> Iterator[dict[str, Any]]:
    top = 0
    for title, row in ROWS.items():
        yield {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": _place(0, top, 24, 1)}
        top += 1
        for number, panel in enumerate(row):
            below, beside = divmod(number, _ACROSS)
            yield _drawn(panel) | {"gridPos": _place(beside * _WIDTH, top + below * _HEIGHT, _WIDTH, _HEIGHT)}
        top += -(-len(row) // _ACROSS) * _HEIGHT


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _drawn(panel: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + number), "datasource": _SOURCE, "expr": expr, "legendFormat": legend}
        for number, (legend, expr) in enumerate(panel.queries.items())
    ]
    stacking = {"mode": "normal" if panel.stacked else "none"}
    custom = {"fillOpacity": 15, "showPoints": "never", "stacking": stacking}
    return {
        "type": "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": custom}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": targets,
    }


def main() -> None:
    """Write the dashboard, or check it."""
    parser = argparse.ArgumentParser(prog="deploy.grafana", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the file is stale")
    if not parser.parse_args().check:
        PATH.write_text(dashboard())
    elif not PATH.exists() or PATH.read_text() != dashboard():
        sys.exit("stale, run `make docs`: deploy/grafana/cordboard.json")


if __name__ == "__main__":
    main()
