"""Rules taken away one at a time: how many histories it takes until the checker sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simulation.breakage import Breakage
from simulation.plan import plan_of
from simulation.running import attempt

SEEDS_MAX: Final = 1_000
_EMBEDDED: Final = frozenset({Breakage.UNSYNCED, Breakage.TORN})


@dataclass(frozen=True, slots=True)
class Caught:
    """When a broken rule was seen: after so many histories of the log's kind that has the rule, and as what."""

    breakage: Breakage
    histories: int
    seed: int | None
    violation: str


def hunt(breakage: Breakage, first: int = 0, seeds: int = SEEDS_MAX) -> Caught:
    """Run histories with a rule taken away until one of them is caught at it."""
    tried = 0
    for seed in range(first, first + seeds):
        if not has_rule(seed, breakage):
            continue
        tried += 1
        found = attempt(seed, frozenset({breakage})).violations
        if found:
            return Caught(breakage, tried, seed, found[0])
    return Caught(breakage, tried, None, "never seen")


def has_rule(seed: int, breakage: Breakage) -> bool:
    """Whether the log of this seed's history has the rule at all."""
    return (plan_of(seed).kind == "embedded") == (breakage in _EMBEDDED)
