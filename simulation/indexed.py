"""A history with its indexes, and what a violation is: what all checks work with."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from simulation.history import Command, Completion, Event, History, Release, Result, Spot
from simulation.telnyx import Request

RECOVERY_SECONDS: Final = 18.0  # To notice that a process is gone (10 s), to move its partitions, to read its pages.
_STARTING_SECONDS: Final = 4.0


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken: its number in the design, or 0 for what no promise names; what kind; and the facts."""

    promise: int
    kind: str
    what: str

    def __str__(self) -> str:
        return f"promise {self.promise}, {self.kind}: {self.what}"


class Facts:
    """A history with its indexes."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.records: dict[str, list[Command]] = defaultdict(list)
        for command in history.commands:
            self.records[command.command_id].append(command)
        self.results: dict[str, list[Result]] = defaultdict(list)
        self.settled: dict[str, Result] = {}
        self.refused: dict[str, list[Result]] = defaultdict(list)
        for result in history.results:
            if result.kind == "result":
                self.results[result.command_id].append(result)
            elif result.kind == "settled":
                self.settled.setdefault(result.command_id, result)
            elif result.kind == "refused":
                self.refused[result.command_id].append(result)
        self.releases: dict[str, list[Release]] = defaultdict(list)
        for release in history.releases:
            self.releases[release.command_id].append(release)
        self.completions: dict[str, Completion] = {}  # As they were first said.
        for completion in history.completions:
            self.completions.setdefault(completion.command_id, completion)
        self.requests: dict[str, list[Request]] = defaultdict(list)
        for request in history.requests:
            self.requests[request.command_id].append(request)
        self.accepted = {name: self._accepted(name) for name in self.records}
        self._decided: dict[str, int] = {}
        self._read: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
        self._note_decisions()

    def _note_decisions(self) -> None:
        for decision in self.history.decisions:
            for name in decision.says:
                self._decided.setdefault(_short(name), decision.number)
            for topic, position in decision.positions.items():
                self._read[decision.partition, topic].append((position, decision.number))

    def _accepted(self, command_id: str) -> Command:
        """The record that was the command: the one that its result names, else the first."""
        at_home = [one for one in self.records[command_id] if one.is_home] or self.records[command_id]
        times = {result.accept_ms for result in self.results[command_id]}
        return next((one for one in at_home if one.accept_ms in times), at_home[0])

    def result(self, command_id: str) -> Result | None:
        """The result as it was first given."""
        return next(iter(self.results[command_id]), None)

    def final(self, command_id: str) -> Result | None:
        """What is known of it in the end."""
        return self.settled.get(command_id) or self.result(command_id)

    def sent(self, command: Command) -> list[Request]:
        """The requests that were made for a command."""
        found = self.requests[command.telnyx_id]
        return [one for one in found if one.action == command.action]

    def effects(self, command: Command) -> list[Request]:
        """Those that changed something."""
        return [one for one in self.sent(command) if one.happened]

    def read(self, spot: Spot | None) -> int | None:
        """The settle by which an input was read, and all that it led to; None where none is known."""
        if spot is None:
            return None
        settles = self._read[spot.partition, spot.topic]
        place = bisect_right(settles, (spot.offset, sys.maxsize))
        return settles[place][1] if place < len(settles) else None

    def firsts(self, command_id: str) -> dict[int, Release]:
        """The first record of each attempt of a command: the others are copies."""
        return {one.attempt: one for one in reversed(self.releases[command_id])}

    def first_released(self, command: Command) -> int | None:
        """The settle that decided to release a command for the first time; None where it never was."""
        found = (self._decided.get(_short(one.name)) for one in self.releases[command.command_id] if one.attempt == 1)
        return next((number for number in found if number is not None), None)

    def decided(self, told: Result | Event) -> int | None:
        """The settle that decided to say a result, or to hand on an event."""
        name = f"results|{told.event_id}" if isinstance(told, Result) else f"events|{told.event_id}"
        return self._decided.get(name)

    def is_calm(self, role: str, since: float, until: float, longer: float = 0.0) -> bool:
        """Whether in all that time, and as long before as it takes to get over it, nothing befell any such process.

        `longer`: seconds that it takes beyond the usual.
        """
        return since > _STARTING_SECONDS and not any(
            begin < until and since < end + RECOVERY_SECONDS + longer
            for name, begin, end in self.history.setbacks
            if name.startswith((role, "all"))
        )

    def ended_at(self, call: str) -> float | None:
        """When a call was over, in truth."""
        return self.history.calls.get(call)


def _short(name: str) -> str:
    """A name in a decision, without the prefix of topics."""
    return name.partition(".")[2]


Check = Callable[[Facts], Iterator[Violation]]
