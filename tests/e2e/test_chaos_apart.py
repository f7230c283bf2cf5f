"""The promises on many processes and three brokers: struck fifteen times, and restarted one after another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.chaos_apart import chaos
from tests.e2e.rolling import rolling

pytestmark = [pytest.mark.usefixtures("own_brokers"), pytest.mark.timeout(600)]

Record = Callable[[str, object], None]


# `make chaos` has 150 faults.
async def test_the_promises_hold_on_many_processes(tmp_path: Path, record_property: Record) -> None:
    """
    Killed, frozen, restarted and crowded, brokers too, Cordboard keeps every promise that it had made to anybody.
    """
    summary = await chaos(tmp_path, seed=1, faults=15, tell=print)

    record_property("summary", str(summary))
    assert summary.violations == [], f"see {tmp_path}"
    assert summary.faults == 15
    assert summary.states["SUCCEEDED"] > 100, "there was no load to speak of"


async def test_all_of_it_is_restarted_under_load(tmp_path: Path, record_property: Record) -> None:
    """
    Every dispatcher, worker, ingress and broker is restarted in turn: nothing is lost or reordered.
    """
    summary = await rolling(tmp_path, seed=1, tell=print, quiet_seconds=5.0)

    record_property("summary", str(summary))
    assert summary.violations == [], f"see {tmp_path}"
    assert summary.states["SUCCEEDED"] > 100, "there was no load to speak of"
