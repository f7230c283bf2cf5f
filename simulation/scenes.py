"""Scenes: scripts that chance alone hardly ever plays, added to some plans beside what was drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from cordboard.v1 import PLACEMENT_NOW
from simulation.chance import stream
from simulation.faults import Spell
from simulation.plan import WITH, WITHOUT, CallPlan, Kind, Plan, Step, drawn

_ENDLESS: Final = (("loop_text", "infinity"),)
_LONG: Final = (("audio_url", "http://files.example/{id}-20s.mp3"),)
_OVERLAY: Final = (("overlay", True),)
_PROMPT: Final = (
    ("audio_url", "http://files.example/{id}-1s.mp3"),
    ("maximum_tries", 1),
    ("timeout_millis", 2_000),
)


def plan_of(seed: int, kind: Kind | None = None) -> Plan:
    """The plan of a seed."""
    return _with_sounds(_with_a_queue(drawn(seed, kind)))


def _with_a_queue(plan: Plan) -> Plan:
    """Sometimes a call is hung up in a queue that no command got it out of."""
    rng = stream(plan.seed, "scene")
    if rng.random() > 0.1:
        return plan
    at = rng.uniform(3, 15)
    actions = ("answer", "enqueue", "leave_queue", "hangup")
    steps = tuple(Step(action, rng.uniform(0.5, 2)) for action in actions)
    call = CallPlan("queued", at, dialled=False, to="", steps=steps)
    spell = Spell(at, 30, "leave_queue", rng.choice(WITHOUT))
    return replace(plan, calls=(*plan.calls, call), faults=(*plan.faults, spell))


def _with_sounds(plan: Plan) -> Plan:
    """Sometimes a call hears much at once: things that queue, go on, lie above each other, are stopped or cleared."""
    rng = stream(plan.seed, "sounds")
    if rng.random() > 0.15:
        return plan
    # What waits behind an event that was lost waits longer than a history lasts: so the last one passes the line.
    ends = Step("hangup", rng.uniform(12, 20), placement=PLACEMENT_NOW)
    steps = (Step("answer", rng.uniform(0.5, 1.5)), *rng.choice(_SCRIPTS)(rng), ends)
    call = CallPlan("sounds", rng.uniform(2, 12), dialled=False, to="", steps=steps)
    # The answers to what is played may be lost for longer than a release is tried: its events come first.
    lost = [Spell(call.at, 30, "playback_start", rng.choice(WITH))] if rng.random() < 0.25 else []
    return replace(plan, calls=(*plan.calls, call), faults=(*plan.faults, *lost))


def _soon(rng: Random, action: str, *says: tuple[str, str | bool | int], gated: bool = False) -> Step:
    return Step(action, rng.uniform(0.6, 1.4), says=says, after_completed=gated)


def _a_loop(rng: Random) -> tuple[Step, ...]:
    action = "playback_start"
    return (
        _soon(rng, action, *_ENDLESS),
        _soon(rng, action),
        _soon(rng, "playback_stop", ("stop", "current")),
        _soon(rng, "speak", gated=True),
    )


def _cleared(rng: Random) -> tuple[Step, ...]:
    return (
        _soon(rng, "speak", ("payload", "A long text, so that all of it waits in line. " * 4)),
        _soon(rng, "speak"),
        _soon(rng, "playback_start"),
        _soon(rng, "speak", ("stop", "all")),
        _soon(rng, "send_dtmf", gated=True),
    )


def _above(rng: Random) -> tuple[Step, ...]:
    return (
        _soon(rng, "playback_start", *_LONG),
        _soon(rng, "playback_start", *_OVERLAY),
        _soon(rng, "playback_stop", *_OVERLAY),
        _soon(rng, "playback_stop"),
    )


def _prompted(rng: Random) -> tuple[Step, ...]:
    return (
        _soon(rng, "gather_using_audio", *_PROMPT),
        _soon(rng, "playback_start"),
        _soon(rng, "speak", gated=True),
    )


def _for_nothing(rng: Random) -> tuple[Step, ...]:
    stop, started = rng.choice((("playback_stop", "speak"), ("gather_stop", "gather_using_audio")))
    says = _PROMPT if started == "gather_using_audio" else ()
    return (_soon(rng, stop), _soon(rng, started, *says))


_SCRIPTS: Final[tuple[Callable[[Random], tuple[Step, ...]], ...]] = (
    _a_loop,
    _cleared,
    _above,
    _prompted,
    _for_nothing,
)
