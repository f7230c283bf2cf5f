"""Scenes of what waits in a line: numbers that come too early, what goes next, what is taken back, a line that is full.

And of hangups beside much else: what waits for Telnyx in the same lane must not hold them up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from cordboard.v1 import PLACEMENT_NEXT, PLACEMENT_NOW
from simulation.faults import Road, Spell
from simulation.script import Plan, Scope, Step, incoming, with_call

Scene = tuple[str, float, Callable[[Plan, Random], Plan]]  # Its stream, how often it is played, and how.

_LONG: Final = (("audio_url", "http://files.example/{id}-20s.mp3"),)
_SCOPES: Final[tuple[Scope, ...]] = ("command", "command", "group", "call")
_CROWD: Final = 68  # More than a line holds.


def _out_of_order(plan: Plan, rng: Random) -> Plan:
    """Numbers come too early: for the first the one before it comes in time, for the second too late."""
    steps = (
        Step("answer", rng.uniform(0.5, 1.5)),
        Step("speak", rng.uniform(0.5, 2), sequence=3),
        Step("send_dtmf", rng.uniform(0.2, 1.2), sequence=2),
        Step("speak", rng.uniform(0.5, 2), sequence=5, again=2.5 if rng.random() < 0.3 else None),
        Step("send_dtmf", rng.uniform(3, 5), sequence=4),
        Step("hangup", rng.uniform(2, 5), placement=PLACEMENT_NOW, sequence=6),
    )
    call = incoming("numbers", rng.uniform(1, 20), (), rng)
    return with_call(plan, replace(call, steps=steps, numbered=True))


def _behind_a_gate(rng: Random) -> list[Step]:
    """Something long plays, and the next command waits for its end, but not for ever: the event may be lost."""
    return [
        Step("playback_start", rng.uniform(0.5, 1.5), says=_LONG),
        Step("speak", rng.uniform(0.1, 1), after_completed=True, expires=rng.uniform(22, 28)),
    ]


def _waiting(plan: Plan, rng: Random) -> Plan:
    """Commands wait behind a gate: one is placed next, and one, or all of them, are taken back."""
    taken_back = Step("speak", rng.uniform(0, 1), cancel=rng.uniform(0.1, 3), takes_back=rng.choice(_SCOPES))
    steps = [
        *_behind_a_gate(rng),
        Step("speak", rng.uniform(0, 0.5)),
        Step("send_dtmf", rng.uniform(0.2, 1), placement=PLACEMENT_NEXT),
        taken_back,
        Step("send_dtmf", rng.uniform(0.2, 4), placement=rng.choice((0, PLACEMENT_NEXT))),
        Step("hangup", rng.uniform(20, 26)),
    ]
    return with_call(plan, incoming("waiting", rng.uniform(1, 12), steps, rng))


def _crowded(plan: Plan, rng: Random) -> Plan:
    """More commands come than a line holds; then the call is to be hung up."""
    lasts = rng.uniform(8, 12)
    crowd = [Step("send_dtmf", 0.0, expires=lasts) for _ in range(_CROWD)]
    ends = Step("hangup", rng.uniform(0, 1), placement=rng.choice((0, 0, PLACEMENT_NOW)))
    return with_call(plan, incoming("crowded", rng.uniform(1, 15), [*_behind_a_gate(rng), *crowd, ends], rng))


def _rush(plan: Plan, rng: Random) -> Plan:
    """Calls that ring at once: of some the answering is slow, or too much for Telnyx, while others are hung up."""
    at, count = rng.uniform(6, 20), rng.randint(3, 6)
    for number in range(count):
        steps = [Step("hangup", rng.uniform(0.0, 1.5), placement=PLACEMENT_NOW)]
        plan = with_call(plan, incoming(f"rush{number}", at + rng.uniform(0, 0.5), steps, rng))
    road = rng.choice((Road.LIMITED, Road.LOST_BEFORE, Road.TOO_SLOW))
    return replace(plan, faults=(*plan.faults, Spell(at, 5.0, "answer", road)))


LINE_SCENES: Final[tuple[Scene, ...]] = (
    ("numbered scene", 0.1, _out_of_order),
    ("waiting scene", 0.12, _waiting),
    ("crowded scene", 0.04, _crowded),
    ("rush scene", 0.1, _rush),
)
