"""Scenes that chance alone hardly ever plays: calls with a script of their own, added to some histories.

Each scene draws from a stream of its own, so that another one changes nothing of the histories that do not have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from cordboard.v1 import PLACEMENT_NOW
from simulation.chance import stream
from simulation.faults import CutOff, Fault, Kill, Road, Spell
from simulation.habits import CAMPAIGN
from simulation.lines import LINE_SCENES, Scene
from simulation.plan import WITH, WITHOUT, drawn
from simulation.script import CallPlan, Kind, Plan, Step, incoming, with_call

# Answered, busy, rejected, unknown, answered and hung up soon, answered at once.
_DESTINATIONS: Final = ("0100", "9901", "9903", "9904", "9907", "9908")
_ENDLESS: Final = (("loop_text", "infinity"),)
_LONG: Final = (("audio_url", "http://files.example/{id}-20s.mp3"),)
_OVERLAY: Final = (("overlay", True),)
_PROMPT: Final = (
    ("audio_url", "http://files.example/{id}-1s.mp3"),
    ("maximum_tries", 1),
    ("timeout_millis", 2_000),
)


def plan_of(seed: int, kind: Kind | None = None) -> Plan:
    """The plan of a seed, with the scenes that its seed adds to what was drawn."""
    plan = drawn(seed, kind)
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
    spell = Spell(at, 30, "leave_queue", rng.choice(WITHOUT))
    return replace(plan, calls=(*plan.calls, call), faults=(*plan.faults, spell))


def _recorded(plan: Plan, rng: Random) -> Plan:
    """A call is recorded; the recording is saved while it lives, or after its end."""
    actions = rng.choice(
        (
            ("record_start", "record_stop", "speak"),
            ("record_start", "record_stop", "hangup"),
            ("record_start", "hangup"),
            ("record_start", "record_stop", "record_start", "record_stop"),
            ("record_stop", "record_start", "record_stop", "record_stop"),
            ("record_start", "record_start", "record_stop", "record_stop"),
        )
    )
    steps = [Step(action, rng.choice((0.0, rng.uniform(0, 4)))) for action in actions]
    return with_call(plan, incoming("recorded", rng.uniform(0, 20), steps, rng))


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
    plan = with_call(plan, incoming("transferred", at, steps, rng))
    slow = Spell(at, 15, "transfer", Road.SLOW)
    return replace(plan, faults=(*plan.faults, slow)) if rng.random() < 0.5 else plan


def _transfer(rng: Random, pause: float) -> Step:
    return Step("transfer", pause, to="+1312555" + rng.choice(_DESTINATIONS))


def _heard(plan: Plan, rng: Random) -> Plan:
    """A call hears much at once: things that queue, go on, lie above each other, are stopped or cleared."""
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


_TAPS: Final = (
    ("fork_start", "fork_stop"),
    ("streaming_start", "streaming_stop"),
    ("transcription_start", "transcription_stop"),
    ("record_start", "record_pause", "record_resume", "record_stop"),
    ("gather", "gather_stop"),
    ("gather", "speak"),
    ("refer",),
)


def _tapped(plan: Plan, rng: Random) -> Plan:
    """What is said on a call goes elsewhere, too: to forks, streams, transcriptions, recordings that pause."""
    actions = [action for actions in rng.sample(_TAPS, rng.randint(2, 3)) for action in actions]
    steps = [Step(action, rng.uniform(0.3, 2.5), again=1.0 if rng.random() < 0.1 else None) for action in actions]
    ends = Step("hangup", rng.uniform(3, 8), placement=PLACEMENT_NOW)
    return with_call(plan, incoming("tapped", rng.uniform(1, 15), [*steps, ends], rng))


def _bridged(plan: Plan, rng: Random) -> Plan:
    """A call is bridged with another one, which lives or has ended; its own life is not over with the other's."""
    at, is_over = rng.uniform(1, 12), rng.random() < 0.5
    other = [Step("hangup", rng.uniform(0.5, 2) if is_over else rng.uniform(12, 20), placement=PLACEMENT_NOW)]
    with_other = (("call_control_id_to_bridge_with", "{calls[aside]}"),)
    steps = [
        Step("bridge", rng.uniform(4, 7), says=with_other),
        Step("speak", rng.uniform(0.5, 3)),
        Step("hangup", rng.uniform(8, 14), placement=PLACEMENT_NOW),
    ]
    plan = with_call(plan, incoming("aside", at, other, rng))
    return with_call(plan, incoming("bridged", at, steps, rng))


def _dialled_twice(plan: Plan, rng: Random) -> Plan:
    """One dial rings at two places."""
    to = ",".join("+1312555" + number for number in rng.sample(_DESTINATIONS, 2))
    steps = (Step("speak", rng.uniform(1, 4)), Step("hangup", rng.uniform(3, 9), placement=PLACEMENT_NOW))
    return with_call(plan, CallPlan("two", rng.uniform(1, 15), dialled=True, to=to, steps=steps))


def _unkept(plan: Plan, rng: Random) -> Plan:
    """Much is told to an ingress that again and again cannot reach the log, and then dies: with a spool, or without."""
    at, ear = rng.uniform(5, 15), next(name for name in plan.processes if name.startswith(("ear", "all")))
    faults: list[Fault] = []
    for number in range(4):
        begin = at + 3 * number
        faults += [CutOff(begin, ear, 2.5), Kill(begin + rng.uniform(0.5, 2.5), ear, rng.randrange(30), 0.5)]
    for number in range(3):
        talk = [Step("playback_start", 0.2, waits=False) for _ in range(8)]
        plan = with_call(plan, incoming(f"told{number}", at + rng.uniform(-1, 2), talk, rng))
    return replace(plan, faults=(*plan.faults, *faults))


def _campaign(plan: Plan, rng: Random) -> Plan:
    """Dials of an account with few channels: they wait for each other."""
    at = rng.uniform(0, 10)
    calls = [
        CallPlan(
            name=f"campaign{number}",
            at=at + rng.uniform(0, 4),
            dialled=True,
            to="+1312555" + rng.choice(_DESTINATIONS),
            steps=(Step("hangup", rng.uniform(2, 10)),),
        )
        for number in range(rng.randint(2, 4))
    ]
    return replace(plan, calls=(*plan.calls, *calls))


_SCRIPTS: Final[tuple[Callable[[Random], tuple[Step, ...]], ...]] = (
    _a_loop,
    _cleared,
    _above,
    _prompted,
    _for_nothing,
)

_SCENES: Final[tuple[Scene, ...]] = (
    ("scene", 0.1, _queued),
    ("sounds", 0.15, _heard),
    ("recorded scene", 0.12, _recorded),
    ("transferred scene", 0.15, _transferred),
    ("tapped scene", 0.15, _tapped),
    ("bridged scene", 0.12, _bridged),
    ("scene of two numbers", 0.06, _dialled_twice),
    ("unkept scene", 0.06, _unkept),
    *LINE_SCENES,
    (*CAMPAIGN, _campaign),
)
