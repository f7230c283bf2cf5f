"""How long commands wait, and where: read off the brokers' times of the records that a command passes through.

Counted are commands that had nothing before them in their line: what they wait for is the system. What comes right
behind an answer is left out, because a line is held until the call is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cordboard.topics import Topics
from cordboard.v1 import PLACEMENT_NOW, Command, CommandResult
from cordboard.work import Lane, Verdict, decode_outcome, decode_work
from tests.e2e.process import ACCOUNT
from tests.e2e.records import Line, home_of

_RESULT: Final = "cordboard.command.result.v1"


@dataclass(frozen=True, slots=True)
class Wait:
    """One command's way through the topics; Unix milliseconds. None: it went another way (nothing was to be sent)."""

    command_id: str
    action: str
    partition: int
    accepted_ms: int
    released_ms: int | None
    outcome_ms: int | None
    told_ms: int

    @property
    def ms(self) -> int:
        """From its acceptance to its result."""
        return self.told_ms - self.accepted_ms

    def __str__(self) -> str:
        if self.released_ms is None or self.outcome_ms is None:
            return f"{self.ms:6} ms  {self.action}, nothing sent"
        released, outcome = self.released_ms - self.accepted_ms, self.outcome_ms - self.released_ms
        way = f"to its release {released}, to its outcome {outcome}, to its result {self.told_ms - self.outcome_ms}"
        return f"{self.ms:6} ms  {self.action}: {way}"


def waits(by_topic: Mapping[str, Sequence[Line]], topics: Topics, partitions: int) -> Iterator[Wait]:
    """Those of all commands that were first in their line, in the order of their acceptance in each partition."""
    works = [line for lane in Lane for line in by_topic.get(topics.work(ACCOUNT, lane), ())]
    released = _first((work.command_id, line.time_ms) for line in works if (work := decode_work(line.value)))
    outcomes = ((decode_outcome(line.value), line.time_ms) for line in by_topic.get(topics.outcomes, ()))
    outcome = _first((one.command_id, time_ms) for one, time_ms in outcomes if one.verdict is not Verdict.WAITING)
    told = _first(
        (CommandResult.FromString(line.value).command_id, line.time_ms)
        for line in by_topic.get(topics.results, ())
        if line.headers["ce_type"] == _RESULT
    )
    for line, command in _first_in_line(by_topic.get(topics.commands, ()), told, partitions):
        name = command.command_id
        action = command.WhichOneof("action") or ""
        yield Wait(name, action, line.partition, line.time_ms, released.get(name), outcome.get(name), told[name])


def _first_in_line(lines: Iterable[Line], told: Mapping[str, int], partitions: int) -> Iterator[tuple[Line, Command]]:
    free_at: dict[str, int] = {}  # By call: when all that came before had its result.
    before: dict[str, Command] = {}
    seen: set[str] = set()
    for line in lines:
        command = Command.FromString(line.value)
        call = command.call_control_id or command.command_id
        astray = command.call_control_id and line.partition != home_of(call, partitions)
        if astray or command.command_id in seen:
            continue
        seen.add(command.command_id)
        behind_answer = call in before and before[call].HasField("answer")
        ended = told.get(command.command_id)
        if ended is None:
            continue
        if free_at.get(call, 0) <= line.time_ms and not behind_answer and command.placement != PLACEMENT_NOW:
            yield line, command
        free_at[call], before[call] = max(free_at.get(call, 0), ended), command


def _first(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The earliest time by name: of copies and further attempts the first one counts."""
    found: dict[str, int] = {}
    for name, time_ms in pairs:
        found[name] = min(time_ms, found.get(name, time_ms))
    return found


def longest(found: Sequence[Wait], begin_ms: int, end_ms: int, count: int = 1) -> list[Wait]:
    """The longest waits of those that were accepted in this time."""
    within = [one for one in found if begin_ms <= one.accepted_ms < end_ms]
    return sorted(within, key=lambda one: one.ms, reverse=True)[:count]


def median_ms(found: Sequence[Wait], begin_ms: int, end_ms: int) -> int:
    """The middle one of the waits of this time; 0 where there was none."""
    within = sorted(one.ms for one in found if begin_ms <= one.accepted_ms < end_ms)
    return within[len(within) // 2] if within else 0
