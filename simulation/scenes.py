"""Scenes that chance alone hardly ever plays: calls with a script of their own, added to some histories.

Each scene draws from a stream of its own, so that another one changes nothing of the histories that do not have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from simulation.chance import stream
from simulation.faults import Road, Spell
from simulation.script import CallPlan, Plan, Step

# Answered, busy, rejected, unknown, answered and hung up soon, answered at once.
_DESTINATIONS: Final = ("0100", "9901", "9903", "9904", "9907", "9908")
_WITHOUT: Final = (Road.LOST_BEFORE, Road.DROPPED_BEFORE, Road.ERROR_WITHOUT, Road.HELD)


def with_scenes(plan: Plan) -> Plan:
    """The plan with what its seed adds to it."""
    for name, odds, scene in _SCENES:
        rng = stream(plan.seed, name)
        if rng.random() <= odds:
            plan = scene(plan, rng)
    return plan


def _queued(plan: Plan, rng: Random) -> Plan:
    """A call is hung up in a queue that no command got it out of."""
    at = rng.uniform(3, 15)
    actions = ("answer", "enqueue", "leave_queue", "hangup")
    steps = tuple(Step(action, rng.uniform(0.5, 2)) for action in actions)
    call = CallPlan("queued", at, dialled=False, to="", steps=steps)
    spell = Spell(at, 30, "leave_queue", rng.choice(_WITHOUT))
    return replace(plan, calls=(*plan.calls, call), faults=(*plan.faults, spell))


def _recorded(plan: Plan, rng: Random) -> Plan:
    """A call is recorded; the recording is saved while it lives, or after its end."""
    actions = rng.choice(
        (
            ("record_start", "record_stop", "speak"),
            ("record_start", "record_stop", "hangup"),
            ("record_start", "hangup"),
            ("record_start", "record_stop", "record_start", "record_stop"),
        )
    )
    steps = [Step(action, rng.choice((0.0, rng.uniform(0, 4)))) for action in actions]
    return _and(plan, _incoming("recorded", rng.uniform(0, 20), steps, rng))


def _transferred(plan: Plan, rng: Random) -> Plan:
    """A call is transferred to somebody who answers or does not, perhaps before that is known; perhaps twice."""
    steps = [_transfer(rng, rng.uniform(0, 3))]
    if rng.random() < 0.5:
        steps.append(Step("speak", 0.0, after_completed=True, expires=rng.uniform(5, 20)))
    if rng.random() < 0.5:
        steps.append(_transfer(rng, rng.uniform(4, 12)))
    if rng.random() < 0.3:
        steps.append(Step("hangup", rng.uniform(5, 15)))
    at = rng.uniform(0, 15)
    plan = _and(plan, _incoming("transferred", at, steps, rng))
    slow = Spell(at, 15, "transfer", Road.SLOW)
    return replace(plan, faults=(*plan.faults, slow)) if rng.random() < 0.5 else plan


def _transfer(rng: Random, pause: float) -> Step:
    return Step("transfer", pause, to="+1312555" + rng.choice(_DESTINATIONS))


def _incoming(name: str, at: float, steps: list[Step], rng: Random) -> CallPlan:
    return CallPlan(name, at, dialled=False, to="", steps=(Step("answer", rng.uniform(0.5, 2)), *steps))


def _and(plan: Plan, call: CallPlan) -> Plan:
    return replace(plan, calls=(*plan.calls, call))


_SCENES: Final[tuple[tuple[str, float, Callable[[Plan, Random], Plan]], ...]] = (
    ("scene", 0.1, _queued),
    ("recorded scene", 0.12, _recorded),
    ("transferred scene", 0.15, _transferred),
)
