"""What goes wrong in a run on many processes: a list, drawn from a seed before the run begins.

Every fifteen faults are the same fifteen in another order, so that no run is without any kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from random import Random
from typing import Final

COUNT_MAX: Final = 60
COUNTED: Final = ("acknowledgements", "requests", "results", "events")


class Deed(StrEnum):
    """What is done to a process."""

    KILL = "kill -9"
    FREEZE = "freeze"
    RESTART = "restart"  # As it should be: asked to stop, and started again.
    STORM = "storm"  # Others of its role come and go in quick succession.


@dataclass(frozen=True, slots=True)
class Fault:
    """One of them: done to `target` once `counted` has grown by `more`, and healed after so many seconds.

    A target is a piece, a role (for a storm), or `broker of N`: the leader of partition N of the ledger, whichever
    broker that is by then.
    """

    deed: Deed
    target: str
    counted: str
    more: int
    seconds: float

    @property
    def partition(self) -> int | None:
        """The partition whose leader is meant, where that is the target."""
        return int(self.target.removeprefix("broker of ")) if self.target.startswith("broker") else None

    def __str__(self) -> str:
        healed = f", {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.deed} {self.target} after {self.more} {self.counted}{healed}"


# Beyond the session (10 s), and for some beyond the page's patience with a release (15 s).
_FROZEN_SECONDS: Final = (10.5, 17.0)
# From a hiccup to well beyond a broker's session (4 s).
_BROKER_FROZEN_SECONDS: Final = (2.0, 10.0)
_AWAY_SECONDS: Final = (0.0, 4.0)

_DECK: Final = (
    *((Deed.KILL, role) for role in ("dispatcher", "dispatcher", "worker", "worker", "ingress")),
    *((Deed.FREEZE, role) for role in ("dispatcher", "worker")),
    *((Deed.RESTART, role) for role in ("dispatcher", "worker", "ingress")),
    *((Deed.STORM, role) for role in ("dispatcher", "worker")),
    (Deed.KILL, "broker"),
    (Deed.KILL, "broker"),
    (Deed.FREEZE, "broker"),
)


def plan(seed: int, count: int, partitions: int) -> list[Fault]:
    """So many faults; equal for equal arguments."""
    return list(islice(_faults(Random(seed), partitions), count))


def _faults(rng: Random, partitions: int) -> Iterator[Fault]:
    while True:
        for deed, role in rng.sample(_DECK, len(_DECK)):
            counted, more = rng.choice(COUNTED), rng.randint(1, COUNT_MAX)
            yield Fault(deed, _target(rng, deed, role, partitions), counted, more, _seconds(rng, deed, role))


def _target(rng: Random, deed: Deed, role: str, partitions: int) -> str:
    if role == "broker":
        return f"broker of {rng.randrange(partitions)}"
    return role if deed is Deed.STORM or role == "ingress" else f"{role}-{rng.randint(1, 2)}"


def _seconds(rng: Random, deed: Deed, role: str) -> float:
    if deed is Deed.FREEZE:
        return rng.uniform(*(_BROKER_FROZEN_SECONDS if role == "broker" else _FROZEN_SECONDS))
    return rng.uniform(*_AWAY_SECONDS) if deed is Deed.KILL and rng.random() < 0.5 else 0.0
