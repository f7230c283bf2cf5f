"""Flaws put in one at a time: how many histories it takes until the checker sees each."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from simulation.breakage import Breakage
from simulation.flaws import FLAWS, Flaw, text_of
from simulation.running import attempt, begin
from simulation.scenes import plan_of

SEEDS_MAX: Final = 2_000
_EMBEDDED: Final = frozenset({Breakage.UNSYNCED, Breakage.TORN})


@dataclass(frozen=True, slots=True)
class Caught:
    """When a flaw was seen: after so many histories that could show it, and as what. `seed` is None for a survivor."""

    name: str
    histories: int
    seed: int | None
    violation: str


def hunt(name: str, first: int = 0, seeds: int = SEEDS_MAX) -> Caught:
    """Run histories with a flaw until one of them is caught at it."""
    tried, flaw = 0, FLAWS[name]
    for seed in range(first, first + seeds):
        if not _can_show(seed, flaw):
            continue
        tried += 1
        found = attempt(seed, flaw).violations
        if found:
            return Caught(name, tried, seed, found[0])
    return Caught(name, tried, None, "never seen")


def hunt_all(names: Sequence[str], first: int, seeds: int, processes: int) -> Iterator[Caught]:
    """Hunt many side by side; they come in the order in which they were named."""
    with multiprocessing.get_context("fork").Pool(processes, initializer=begin) as pool:
        yield from pool.imap(partial(hunt, first=first, seeds=seeds), names, chunksize=1)


def row(caught: Caught) -> str:
    """A line of the table in the docs."""
    seed = "**survived**" if caught.seed is None else str(caught.seed)
    kind = caught.violation.split(":")[0]
    return f"| `{caught.name}` | {text_of(FLAWS[caught.name])} | {caught.histories} | {seed} | {kind} |"


def _can_show(seed: int, flaw: Flaw) -> bool:
    """Whether the log of this seed's history has the rule at all; a bug of the product may show anywhere."""
    if not isinstance(flaw, Breakage):
        return True
    return (plan_of(seed).kind == "embedded") == (flaw in _EMBEDDED)
