"""Every alert fires under what it is for, and does not under what it is not for: told by promtool, in its own time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alerts.histories import HISTORIES, Series
from tests.alerts.rules import RULES, promtool, rules


def one_test(alert: str, series: Series, at: str, *, fires: bool) -> dict[str, Any]:
    """In promtool's terms: these series, and whether the alert is firing then."""
    expected = [{"labels": "{}", "value": 1}] if fires else []
    asked = {
        "expr": f'max(max_over_time(ALERTS{{alertname="{alert}", alertstate="firing"}}[1s]))',
        "eval_time": at,
        "exp_samples": expected,
    }
    given = [{"series": name, "values": values} for name, values in series.items()]
    return {"interval": "1m", "input_series": given, "promql_expr_test": [asked]}


def every_test(alert: str) -> Iterator[dict[str, Any]]:
    history = HISTORIES[alert]
    for series in history.fires:
        yield one_test(alert, series, history.at, fires=True)
    for series in history.quiet:
        yield one_test(alert, series, history.at, fires=False)


def test_every_alert_has_its_histories():
    """
    Both kinds: an alert that cannot fire is as bad as one that always does.
    """
    assert {rule.name for rule in rules()} == set(HISTORIES)
    assert [name for name, history in HISTORIES.items() if not (history.fires and history.quiet)] == []


def test_the_rules_are_well_formed():
    """
    Their expressions, durations and templates can be read by Prometheus.
    """
    checked = promtool("check", "rules", str(RULES))

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("alert", HISTORIES)
def test_it_fires_and_does_not_fire(alert: str, tmp_path: Path):
    """
    Under each history by itself.
    """
    path = tmp_path / "test.yaml"
    path.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": list(every_test(alert))})
    )

    told = promtool("test", "rules", str(path))

    assert told.returncode == 0, told.stdout + told.stderr


def test_a_wrong_history_is_told(tmp_path: Path):
    """
    A test that cannot fail would be none.
    """
    wrong = one_test("CordboardClockSkew", {'cordboard_clock_skew_seconds{job="d"}': "1x60"}, "30m", fires=True)
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [wrong]}))

    assert promtool("test", "rules", str(path)).returncode == 1
