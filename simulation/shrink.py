"""A failing history made small: faults, steps and calls are left out one by one while it still fails the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from simulation.breakage import WHOLE, Broken
from simulation.checker import check
from simulation.script import Plan
from simulation.world import happen

Kinds = frozenset[str]


def kinds_of(plan: Plan, broken: Broken = WHOLE) -> Kinds:
    """In which ways a plan fails. What breaks the simulation itself is a way too."""
    try:
        return frozenset(f"{one.promise} {one.kind}" for one in check(happen(plan, broken)))
    except Exception as error:
        return frozenset({f"0 {type(error).__name__}"})


def shrink(plan: Plan, wanted: Kinds, fails: Callable[[Plan], Kinds] = kinds_of, tries_max: int = 400) -> Plan:
    """The smallest plan found that still fails in one of the wanted ways."""
    tries = 0
    is_smaller = True
    while is_smaller and tries < tries_max:
        is_smaller = False
        for smaller in _smaller(plan):
            tries += 1
            if fails(smaller) & wanted:
                plan, is_smaller = smaller, True
                break
            if tries >= tries_max:
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Plans with something left out, the most first."""
    yield from _halves(plan)
    for index in range(len(plan.calls)):
        yield replace(plan, calls=plan.calls[:index] + plan.calls[index + 1 :])
    for index in range(len(plan.faults)):
        yield replace(plan, faults=plan.faults[:index] + plan.faults[index + 1 :])
    for number, call in enumerate(plan.calls):
        for index in range(len(call.steps)):
            fewer = replace(call, steps=call.steps[:index] + call.steps[index + 1 :])
            yield replace(plan, calls=(*plan.calls[:number], fewer, *plan.calls[number + 1 :]))
    if any(plan.errors_ms):
        yield replace(plan, errors_ms=(0,) * len(plan.errors_ms))


def _halves(plan: Plan) -> Iterator[Plan]:
    middle = len(plan.faults) // 2
    if middle:
        yield replace(plan, faults=plan.faults[:middle])
        yield replace(plan, faults=plan.faults[middle:])
