"""What one history is made of (script.py), drawn from its seed: the processes, what is asked, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Final, Literal, TypeVar

from simulation.chance import stream
from simulation.faults import (
    BadHook,
    BadRoad,
    BadWire,
    BadWrite,
    CutOff,
    Echo,
    Fault,
    Freeze,
    Hook,
    Jump,
    Kill,
    Outage,
    Restart,
    Road,
    Sluggish,
    Spell,
    Wire,
    WriteFate,
)
from simulation.script import CallPlan, Kind, Plan, Step, Way

T = TypeVar("T")
ERROR_MS_MAX: Final = 1_800  # Beyond 2 s a process is not ready, and must not be used.


_TALK: Final = ("speak", "speak", "playback_start", "record_start", "record_stop", "send_dtmf", "client_state_update")
_MORE: Final = ("playback_stop", "gather_using_speak", "gather_stop", "enqueue", "leave_queue", "transfer")
_NUMBERS: Final = ("0100", "0100", "0100", "9908", "9803", "9907", "9901", "9905")


def drawn(seed: int, kind: Kind | None = None) -> Plan:
    """What chance makes of a seed; `scenes.plan_of` is the whole plan."""
    rng = stream(seed, "plan")
    usual: Kind = "kafka" if rng.random() < 0.7 else "embedded"
    plan = Plan(
        seed=seed,
        kind=kind or usual,
        brains=rng.choice((1, 2, 2, 3)),
        hands=rng.choice((1, 2, 2, 3)),
        ears=rng.choice((1, 2)),
        partitions=rng.choice((1, 2, 3)),
        errors_ms=tuple(_error_ms(rng) for _ in range(8)),
        span=rng.uniform(25, 70),
        calls=(),
        faults=(),
    )
    calls = tuple(_call(rng, number) for number in range(rng.randint(2, 5)))
    faults = [*_faults(rng, plan), *_spells(rng, calls)]
    if plan.kind == "kafka":
        faults += [*_outages(rng), *_echoes(rng)]
    # What lasts is seen to its end: what is learned late meets the other faults.
    span = max([plan.span, *(_end(fault) + 5 for fault in faults)])
    return replace(plan, calls=calls, faults=tuple(faults), span=span)


def _end(fault: Fault) -> float:
    match fault:
        case CutOff(at, _, seconds) | Freeze(at, _, seconds) | Kill(at, down=seconds):
            return at + seconds
        case Outage(seconds=seconds):
            return seconds + 30
        case _:
            return 0.0


def _error_ms(rng: Random) -> int:
    return rng.choice((0, 0, rng.randint(-ERROR_MS_MAX, ERROR_MS_MAX)))


def _call(rng: Random, number: int) -> CallPlan:
    dialled = rng.random() < 0.55
    steps = _script(rng, rng.randint(2, 9))
    if not dialled:
        steps.insert(0, Step("answer" if rng.random() < 0.9 else "reject", rng.uniform(0.1, 2.0)))
    if rng.random() < 0.8:
        expires = _or(rng, 0.2, lambda: rng.uniform(0.5, 10), None)  # Which means nothing, for a hangup.
        steps.append(Step("hangup", rng.uniform(0.0, 6.0), placement=rng.choice((0, 0, 3)), expires=expires))
    if rng.random() < 0.25:
        steps += _script(rng, rng.randint(1, 3))
    return CallPlan(
        name=f"c{number}",
        at=rng.uniform(0.0, 25.0),
        dialled=dialled,
        to="+1312555" + rng.choice(_NUMBERS),
        steps=tuple(steps),
        numbered=rng.random() < 0.12,
    )


def _script(rng: Random, length: int) -> list[Step]:
    """Steps; often one of the same kind as the one before, that what is heard of the one might be the other's."""
    steps: list[Step] = []
    for _ in range(length):
        step = _step(rng)
        steps.append(replace(step, action=steps[-1].action) if steps and rng.random() < 0.35 else step)
    return steps


def _step(rng: Random) -> Step:
    way: Way = rng.choices(("submit", "execute", "log", "stray"), (10, 3, 2, 1))[0]
    gated = rng.random() < 0.08
    return Step(
        action=rng.choice(_TALK if rng.random() < 0.7 else _MORE),
        pause=rng.choice((0.0, rng.uniform(0, 0.2), rng.uniform(0, 3), rng.uniform(0, 9))),
        way=way,
        waits=rng.random() < 0.75,
        placement=_or(rng, 0.08, lambda: rng.choice((2, 3)), 0),
        # A gate may stay shut for as long as the command before it takes: minutes that show nothing.
        expires=_or(rng, 1.0 if gated else 0.35, lambda: _expiry(rng, gated=gated), None),
        after_completed=gated,
        requires_previous=rng.random() < 0.06,
        believes=rng.random() < 0.25,
        again=_or(rng, 0.12, lambda: rng.uniform(0.0, 15), None),
        other=_or(rng, 0.04, lambda: rng.uniform(0.0, 15), None),
        cancel=_or(rng, 0.05, lambda: rng.uniform(0.0, 3), None),
    )


def _expiry(rng: Random, *, gated: bool) -> float:
    """Soon, or so late that what Telnyx remembers ends before."""
    return rng.uniform(40, 150) if not gated and rng.random() < 0.5 else rng.uniform(0.5, 20)


def _or(rng: Random, odds: float, drawn: Callable[[], T], otherwise: T) -> T:
    return drawn() if rng.random() < odds else otherwise


_ROADS: Final = (*Road, Road.LOST_AFTER, Road.DROPPED_AFTER, Road.ERROR_WITH, Road.HELD, Road.DIES_AFTER)
_FATES: Final = tuple(fate for fate in WriteFate if fate is not WriteFate.GO)


def _faults(rng: Random, plan: Plan) -> list[Fault]:
    """Every history has its own mixture: some families of faults in it, others not at all."""
    found: list[Fault] = []
    if rng.random() < 0.75:
        found += [_process_fault(rng, plan) for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.6:
        names = plan.processes
        fates = rng.sample(_FATES, rng.randint(1, len(_FATES)))
        found += [
            BadWrite(rng.choice(names), rng.randrange(rng.choice((40, 250))), rng.choice(fates))
            for _ in range(rng.randint(1, 8))
        ]
    if rng.random() < 0.75:
        found += _bad_roads(rng)
    if rng.random() < 0.6:
        hooks = rng.sample(list(Hook), rng.randint(1, len(Hook)))
        found += [BadHook(nth, rng.choice(hooks)) for nth in rng.sample(range(80), rng.randint(1, 20))]
    if rng.random() < 0.5:
        found += [BadWire(nth, rng.choice(list(Wire))) for nth in rng.sample(range(50), rng.randint(1, 8))]
    return found


def _bad_roads(rng: Random) -> list[Fault]:
    """Single bad requests, and stretches of them: what is tried again fails again."""
    roads = rng.sample(_ROADS, rng.randint(1, 6))
    bad = {nth: rng.choice(roads) for nth in rng.sample(range(60), rng.randint(1, 12))}
    for _ in range(rng.choice((0, 1, 1, 2))):
        first, road = rng.randrange(50), rng.choice(roads)
        bad |= dict.fromkeys(range(first, first + rng.randint(2, 7)), road)
    return [BadRoad(nth, road) for nth, road in sorted(bad.items())]


WITHOUT: Final = (Road.LOST_BEFORE, Road.DROPPED_BEFORE, Road.ERROR_WITHOUT, Road.HELD)
WITH: Final = (Road.LOST_AFTER, Road.DROPPED_AFTER, Road.ERROR_WITH, Road.TOO_SLOW)
_CONFUSABLE: Final = ("speak", "playback_start", "gather_using_speak", "enqueue", "transfer", "record_start")


def _spells(rng: Random, calls: Sequence[CallPlan]) -> list[Fault]:
    """Doubts about a kind of command; then commands of that kind whose answer is late, and whose event is not."""
    if rng.random() > 0.35:
        return []
    call = rng.choice(calls)
    asked = [step.action for step in call.steps if step.action in _CONFUSABLE] or ["speak"]
    action, at = rng.choice(asked), call.at + rng.uniform(0, 12)
    doubts, late = rng.uniform(8, 22), rng.uniform(5, 16)
    return [Spell(at, doubts, action, rng.choice(WITHOUT)), Spell(at + doubts, late, action, rng.choice(WITH))]


def _outages(rng: Random) -> list[Fault]:
    """All workers are away at once, for as long as a release may be tried, or longer; what they sent is in doubt."""
    if rng.random() > 0.2:
        return []
    how: Literal["dead", "frozen", "cut off"] = rng.choice(("dead", "frozen", "cut off", "cut off"))
    return [Outage(rng.randrange(25), rng.choice((rng.uniform(14, 40), rng.uniform(40, 75))), how)]


def _echoes(rng: Random) -> list[Fault]:
    """Work that is written again: soon, after its partition may have moved, or when no worker remembers it."""
    if rng.random() > 0.4:
        return []
    seconds = rng.choice((rng.uniform(1, 20), rng.uniform(20, 85), rng.uniform(91, 110)))
    found: list[Fault] = [Echo(rng.randrange(40), rng.randint(1, 25), seconds)]
    if seconds > 90:  # Then it matters that nothing was heard of the first one.
        found += [BadRoad(nth, Road.DIES_AFTER) for nth in rng.sample(range(45), 4)]
    return found


def _process_fault(rng: Random, plan: Plan) -> Fault:
    process, at = rng.choice(plan.processes), rng.uniform(1.0, plan.span - 5)
    match rng.randrange(9):
        case 0 | 1 | 2:
            return Kill(at, process, rng.choice((0, rng.randrange(60))), rng.choice((1.0, rng.uniform(1, 25))))
        case 3 | 4:
            return Freeze(at, process, rng.choice((rng.uniform(0.1, 9), rng.uniform(9, 40))))
        case 5:
            return Restart(at, process, rng.uniform(1.0, 4.0))
        case 6:
            return CutOff(at, process, rng.choice((rng.uniform(0.1, 4), rng.uniform(4, 25))))
        case 7:
            return Sluggish(at, process, rng.uniform(8, 40))
        case _:
            return Jump(at, process, rng.randint(-ERROR_MS_MAX, ERROR_MS_MAX))
