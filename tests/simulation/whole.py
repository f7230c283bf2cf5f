"""A history that is whole, for violations to be planted in, and the parts it is made of."""

from __future__ import annotations

from collections import Counter

from simulation.clock import BEGIN_MS
from simulation.faults import BadRoad, Road
from simulation.history import Command, Completion, Decision, Delivery, Ended, Event, History, Release, Result
from simulation.postings import Posting
from simulation.script import Plan
from simulation.senders import Told
from simulation.telnyx import Request

PLAN = Plan(0, "kafka", 1, 1, 1, 1, (0,), 30.0, (), ())
SPEAK, HANGUP = "speak-1", "hangup-1"


def command(name: str, number: int, action: str = "speak", at: float = 1.0) -> Command:
    ends = action == "hangup"
    accept_ms = BEGIN_MS + round(at * 1000)
    expire_ms = None if ends else accept_ms + 30_000
    return Command(number, at, name, "A", "A", action, b"f", 1, accept_ms, f"id-{name}", expire_ms)


def request(number: int, name: str, at: float, action: str = "speak", **facts: object) -> Request:
    local_ms = BEGIN_MS + round(at * 1000)
    made = Request(number, at, local_ms, "hand0", "POST", "/", f"id-{name}", "A", action)
    made.happened, made.status, made.effect_at, made.over_at = True, 200, at + 0.05, at + 0.1
    for fact, value in facts.items():
        setattr(made, fact, value)
    return made


def result(name: str, number: int, at: float, kind: str = "result", state: str = "SUCCEEDED") -> Result:
    accept_ms = BEGIN_MS + (1000 if name == SPEAK else 5000)
    return Result(number, at, kind, f"{kind}-{name}", name, state, "UNSPECIFIED", accept_ms, b"r")


def whole() -> History:
    """One call that spoke and was hung up, as it should be."""
    history = History(PLAN, Ended(30.0, 40.0, 44.0))
    history.commands = [command(SPEAK, 1), command(HANGUP, 10, "hangup", at=5.0)]
    history.releases = [
        Release(2, 1.1, "A", SPEAK, 1, b"speak", BEGIN_MS + 51_100, BEGIN_MS + 31_000),
        Release(11, 5.1, "A", HANGUP, 1, b"hangup", None, None),
    ]
    history.requests = [request(0, SPEAK, 1.2), request(1, HANGUP, 5.2, "hangup")]
    history.results = [result(SPEAK, 3, 1.4), result(HANGUP, 12, 5.4)]
    history.events = [
        Event(5, 3.0, "e1", "call.speak.ended", "A", SPEAK, b"e", BEGIN_MS + 2_900, "A", "A", b"w1"),
        Event(14, 5.6, "e2", "call.hangup", "A", HANGUP, b"e", BEGIN_MS + 5_500, "A", "A", b"w2"),
    ]
    history.completions = [
        Completion(4, 3.0, SPEAK, "speak", "COMPLETED", "UNSPECIFIED", "e1", "call.speak.ended", b"c"),
        Completion(13, 5.6, HANGUP, "hangup", "COMPLETED", "UNSPECIFIED", "e2", "call.hangup", b"c"),
    ]
    history.deliveries = [
        Delivery(2.9, "e1", "call.speak.ended", "A", 200),
        Delivery(5.5, "e2", "call.hangup", "A", 200),
    ]
    history.posted = [Posting(2.9, "e1", b"w1", 200, is_served=True), Posting(5.5, "e2", b"w2", 200, is_served=True)]
    history.calls = {"A": 5.25}
    names = ["work|speak", "work|hangup", ".results|speak", ".results|hangup", ".events|e1", ".events|e2"]
    history.decisions = [Decision(2, 0, tuple(names))]
    history.spoken = Counter(names)
    history.told = [Told(1.5, SPEAK, "first", "result", "SUCCEEDED")]
    history.struck = Counter({BadRoad(0, Road.SLOW): 1})
    return history
