"""Rules of the design taken away: the checker sees each one missing, so each is needed."""

from __future__ import annotations

import pytest

from simulation.breakage import Breakage
from simulation.breaking import hunt

# Where the hunt begins, so that it is short: a seed that was seen to catch it.
SEEN_AT = {
    Breakage.NO_FENCING: 9,
    Breakage.NO_CONTIGUITY: 55,
    Breakage.NEITHER_FENCE: 9,
    Breakage.NOTHING_OWED: 24,
    Breakage.POSITIONS_FIRST: 24,
    Breakage.OUTPUTS_FIRST: 9,
    Breakage.COMMITS_UNFENCED: 123,
    Breakage.NO_RESERVATION: 4,
    Breakage.UNSYNCED: 11,
    Breakage.TORN: 6,
}


@pytest.mark.parametrize("breakage", Breakage, ids=lambda breakage: breakage.name.lower())
def test_no_rule_can_be_taken_away_unseen(breakage: Breakage) -> None:
    """
    Without the rule a promise is broken within a few hundred histories.
    """
    caught = hunt(breakage, first=SEEN_AT[breakage], seeds=200)

    assert caught.seed is not None
