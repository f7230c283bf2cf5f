"""A seed is a history: the same one every time, whoever runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.scenes import plan_of
from simulation.script import Kind
from simulation.world import happen

ROOT = Path(__file__).resolve().parents[2]
PRINT = """
from simulation.running import silence
from simulation.scenes import plan_of
from simulation.world import happen
silence()
print([happen(plan_of(seed)).digest for seed in range(12)])
"""


@pytest.mark.parametrize("kind", ["kafka", "embedded"])
def test_a_seed_gives_the_same_history_twice(kind: Kind) -> None:
    """
    Everything that is written, sent, told and delivered is the same, byte for byte.
    """
    plans = [plan_of(seed, kind) for seed in range(3)]

    assert [happen(plan).digest for plan in plans] == [happen(plan).digest for plan in plans]


def test_another_seed_gives_another_history() -> None:
    """
    The digest tells histories apart.
    """
    assert len({happen(plan_of(seed)).digest for seed in range(4)}) == 4


def test_no_hash_of_a_process_decides_anything() -> None:
    """
    Two processes that hash texts differently live through the same histories.
    """
    assert _printed("1") == _printed("77")


def _printed(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.run(
        [sys.executable, "-c", PRINT], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
