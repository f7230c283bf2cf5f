"""Runs from the command line, in rounds: a line for each, and what a failed one left behind is kept."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.e2e.process import ROOT
from tests.e2e.trial import Summary

_KEPT_IN: Final = ROOT / "build" / "chaos"  # Logs, history and last words of rounds that broke a promise.

# Given a folder, a seed and how many faults.
Round = Callable[[Path, int, int], Summary]


def in_rounds(kind: str, run: Round, seed: int, faults: int, per_round: int) -> int:
    """Rounds until there were so many faults, each with the next seed; 1 if any promise was broken, else 0."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # That brokers are away is no news here.
    broken = 0
    for number, begun in enumerate(range(0, faults, per_round)):
        folder = _fresh(_KEPT_IN / f"{kind}-{seed + number}")
        summary = run(folder, seed + number, min(per_round, faults - begun))
        say(str(summary))
        for violation in summary.violations:
            say(f"  {violation.kind}: {violation.detail}")
        if summary.violations:
            say(f"  kept in {folder}")
        else:
            shutil.rmtree(folder)
        broken += len(summary.violations)
    return 1 if broken else 0


def _fresh(folder: Path) -> Path:
    """An empty folder; what was left in it by a round that failed is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def say(line: str) -> None:
    """Print it at once."""
    print(line, flush=True)  # noqa: T201 - this is a command line.
