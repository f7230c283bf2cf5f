"""What one history is made of, as plain data: the processes, what is asked, and what goes wrong.

So a failing one can be made smaller: leave out faults, steps and calls while it still fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from simulation.faults import Fault

Kind = Literal["kafka", "embedded"]
Way = Literal["submit", "execute", "log", "stray"]
Scope = Literal["command", "group", "call"]


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a script, `pause` seconds after the one before; all times in seconds, None for never.

    Texts in `says` may name the command (`{id}`) and another call of the plan (`{calls[its name]}`).
    `again`: the same command once more; `other`: other content under the same id; `cancel`: taken back.
    """

    action: str
    pause: float
    way: Way = "submit"
    waits: bool = True  # Whether the next step waits until this one is accepted.
    placement: int = 0
    expires: float | None = None
    after_completed: bool = False
    requires_previous: bool = False
    believes: bool = False  # Whether its sender takes a definite refusal for one, and asks no more.
    again: float | None = None
    other: float | None = None
    cancel: float | None = None
    takes_back: Scope = "command"  # What is meant by `cancel`: itself, all of its group, or all that waits.
    to: str = ""  # Of a transfer: another number than the usual one.
    says: tuple[tuple[str, str | bool | int], ...] = ()  # Fields; `{id}` is the command's id.
    sequence: int = 0  # Its number, where it does not come in its turn.


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call: dialled by a command of ours, or somebody calls; then a script. `numbered` steps carry sequences."""

    name: str
    at: float
    dialled: bool
    to: str
    steps: tuple[Step, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A history before it happens. `span` is how long the faults may last (virtual seconds)."""

    seed: int
    kind: Kind
    brains: int
    hands: int
    ears: int
    partitions: int
    errors_ms: tuple[int, ...]  # Of the processes' clocks, in the order of `processes`.
    span: float
    calls: tuple[CallPlan, ...]
    faults: tuple[Fault, ...]

    @property
    def processes(self) -> tuple[str, ...]:
        """The names of the processes; the embedded log has only one."""
        if self.kind == "embedded":
            return ("all",)
        parts = (("brain", self.brains), ("hand", self.hands), ("ear", self.ears))
        return tuple(f"{role}{number}" for role, count in parts for number in range(count))


def incoming(name: str, at: float, steps: Sequence[Step], rng: Random) -> CallPlan:
    """A call that comes in, is answered soon, and goes on with these steps."""
    return CallPlan(name, at, dialled=False, to="", steps=(Step("answer", rng.uniform(0.5, 2)), *steps))


def with_call(plan: Plan, call: CallPlan) -> Plan:
    """The plan, with one call more."""
    return replace(plan, calls=(*plan.calls, call))
