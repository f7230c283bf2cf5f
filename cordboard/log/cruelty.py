"""What can befall a process that writes to a log, decided write by write: by a script, by chance, or not at all.

The in-memory log asks before every single write what is to become of it. An answer may take as long as it likes: to
freeze an owner and let it go on as a zombie, wait for an event before answering.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterable, Mapping
from random import Random


class Step(enum.StrEnum):
    """The writes: by anybody, by an owner who claims, by an owner who settles."""

    APPEND = "append"
    COMMIT = "commit"
    GENESIS = "genesis"  # The first positions of a ledger partition.
    CLAIM = "claim"
    PAGE = "page"
    OWING = "owing"  # What the pages before it owe; they count from here on.
    OUTPUT = "output"
    DONE = "done"  # The outputs are out: the positions move.


class Fate(enum.StrEnum):
    """What becomes of a write."""

    GO = "go"
    TWICE = "twice"  # It is there twice; the first one is acknowledged.
    REFUSE = "refuse"  # It is not there, and its writer learns so.
    LOSE = "lose"  # It is not there, and its writer does not learn what became of it.
    LOSE_ACK = "lose_ack"  # It is there, and its writer does not learn what became of it.
    STOP_BEFORE = "stop_before"  # The process dies before it.
    STOP_AFTER = "stop_after"  # The process dies when it is there, before it learns so.


Cruelty = Callable[[Step], Awaitable[Fate]]


class Killed(BaseException):
    """The process that called is no more: not an Exception, because the dead handle no errors."""


async def gentle(step: Step) -> Fate:
    """No cruelty at all."""
    return Fate.GO


def scripted(script: Iterable[tuple[Step, Fate]]) -> Cruelty:
    """The first write of the step named first gets its fate, then the next in the list has its turn; all else goes."""
    waiting = list(script)

    async def decide(step: Step) -> Fate:
        if waiting and waiting[0][0] == step:
            return waiting.pop(0)[1]
        return Fate.GO

    return decide


def nth_write(number: int, fate: Fate) -> Cruelty:
    """Whatever is written as the so manieth, counting from 0, gets this fate."""
    left = number

    async def decide(step: Step) -> Fate:
        nonlocal left
        left -= 1
        return fate if left == -1 else Fate.GO

    return decide


def by_chance(random: Random, odds: Mapping[Fate, float]) -> Cruelty:
    """Each write gets each fate with its probability; the rest go."""

    async def decide(step: Step) -> Fate:
        drawn = random.random()
        for fate, probability in odds.items():
            drawn -= probability
            if drawn < 0:
                return fate
        return Fate.GO

    return decide
