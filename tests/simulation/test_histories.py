"""Histories of the whole system, with their faults: no promise is broken. `make sim` runs more of them."""

from __future__ import annotations

import pytest

from simulation.running import attempt
from simulation.scenes import plan_of
from simulation.world import happen

HISTORIES = 500
_AT_ONCE = 25


@pytest.mark.parametrize("first", range(0, HISTORIES, _AT_ONCE))
def test_every_promise_is_kept(first: int) -> None:
    """
    Whatever goes wrong, every promise is kept. `SEED=... make sim` tells the story of one that fails.
    """
    tried = [attempt(seed) for seed in range(first, first + _AT_ONCE)]

    assert {one.seed: one.violations for one in tried if one.violations} == {}


def test_the_faults_are_many_and_strike() -> None:
    """
    A few histories have nearly every kind of fault in them, and every end that a command can have.
    """
    tried = [attempt(seed) for seed in range(60)]

    assert len({kind for one in tried for kind in one.faults}) >= 35
    states = {state for one in tried for state in one.states}
    assert states == {"SUCCEEDED", "FAILED", "REJECTED", "EXPIRED", "CANCELLED", "UNKNOWN"}


def test_a_hangup_gets_into_a_line_that_is_full() -> None:
    """
    Where more comes than a line holds, it is refused for that; the hangup behind it all is not, and ends the call.
    """
    history = happen(plan_of(49))

    assert "LINE_FULL" in {one.reason for one in history.results if one.command_id.startswith("crowded-")}
    hangup = next(one for one in history.commands if one.command_id.startswith("crowded-") and one.ends_call)
    assert [one.state for one in history.results if one.command_id == hangup.command_id] == ["SUCCEEDED"]
    assert history.calls[hangup.call] is not None
