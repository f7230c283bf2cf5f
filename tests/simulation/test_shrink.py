"""A failing history is made small, and told."""

from __future__ import annotations

from dataclasses import replace

from simulation.breakage import Breakage
from simulation.checker import check
from simulation.faults import BadRoad, BadWrite, Kill, Road, WriteFate
from simulation.scenes import plan_of
from simulation.script import Plan, Step
from simulation.shrink import Kinds, kinds_of, shrink
from simulation.story import told
from simulation.world import happen

BROKEN = frozenset({Breakage.NO_RESERVATION})


def test_only_what_a_failure_needs_is_left() -> None:
    """
    Faults, steps and calls that a failure does not need are left out.
    """
    needed = Kill(5.0, "hand0", 0, 1.0)
    others = [BadRoad(number, Road.SLOW) for number in range(9)]
    plan = replace(plan_of(1), faults=(*others, needed, BadWrite("ear0", 3, WriteFate.LOSE)))

    def fails(plan: Plan) -> Kinds:
        hangs_up = any(step.action == "hangup" for call in plan.calls for step in call.steps)
        return frozenset({"it"}) if needed in plan.faults and hangs_up else frozenset({"something else"})

    small = shrink(plan, frozenset({"it"}), fails)

    assert small.faults == (needed,)
    assert [[step.action for step in call.steps] for call in small.calls] == [["hangup"]]


def test_a_real_failure_shrinks_and_still_fails() -> None:
    """
    With a rule taken away, what is left of a failing plan still fails in the same way.
    """
    plan = plan_of(4)
    kinds = kinds_of(plan, BROKEN)

    small = shrink(plan, kinds, lambda smaller: kinds_of(smaller, BROKEN), tries_max=60)

    assert kinds & kinds_of(small, BROKEN)
    assert len(small.faults) < len(plan.faults)


def test_a_story_names_what_was_asked_what_went_wrong_and_what_was_broken() -> None:
    """
    Who reads the story needs nothing else.
    """
    plan = plan_of(4)
    history = happen(plan, BROKEN)
    violations = check(history)

    story = told(history, violations)

    assert "seed 4" in story
    assert str(plan.faults[0]) in story
    assert f"! {violations[0]}" in story


def test_a_plan_is_made_of_the_words_of_the_catalogue() -> None:
    """
    What senders ask for exists: else the histories would show nothing.
    """
    steps = [step for seed in range(50) for call in plan_of(seed).calls for step in call.steps]

    assert {step.action for step in steps} >= {"speak", "hangup", "answer", "transfer", "gather_using_speak"}
    assert all(isinstance(step, Step) for step in steps)
