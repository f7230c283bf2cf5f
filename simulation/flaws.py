"""What can be wrong on purpose: a rule of the log taken away, or a bug in the product. All are hunted alike."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from simulation import (
    mutants_aliases,
    mutants_asking,
    mutants_brain,
    mutants_core,
    mutants_hands,
    mutants_limits,
    mutants_orders,
    mutants_posted,
    mutants_sounds,
    mutants_told,
    mutants_waiting,
    mutants_webhooks,
)
from simulation.breakage import WHOLE, Breakage, Broken
from simulation.mutation import Mutation

Flaw = Breakage | Mutation
MUTATIONS: Final[tuple[Mutation, ...]] = (
    *mutants_core.EVERY,
    *mutants_sounds.EVERY,
    *mutants_aliases.EVERY,
    *mutants_asking.EVERY,
    *mutants_brain.EVERY,
    *mutants_hands.EVERY,
    *mutants_webhooks.EVERY,
    *mutants_posted.EVERY,
    *mutants_told.EVERY,
    *mutants_waiting.EVERY,
    *mutants_limits.EVERY,
    *mutants_orders.EVERY,
)
FLAWS: Final[dict[str, Flaw]] = {
    **{breakage.name.lower().replace("_", "-"): breakage for breakage in Breakage},
    **{mutation.name: mutation for mutation in MUTATIONS},
}


def text_of(flaw: Flaw) -> str:
    """What is wrong, in words."""
    return flaw.value if isinstance(flaw, Breakage) else flaw.text


@contextlib.contextmanager
def flawed(flaw: Flaw | None) -> Iterator[Broken]:
    """The product has the bug while this block runs; yields the rules that the simulated log is to break."""
    match flaw:
        case Mutation():
            with flaw.planted():
                yield WHOLE
        case Breakage():
            yield frozenset({flaw})
        case None:
            yield WHOLE
