"""A history with its indexes, and what a violation is: what all checks work with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulation.history import Command, History, Release, Result
from simulation.telnyx import Request


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
        self.requests: dict[str, list[Request]] = defaultdict(list)
        for request in history.requests:
            self.requests[request.command_id].append(request)
        self.accepted = {name: self._accepted(name) for name in self.records}

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

    def call_of(self, command: Command) -> str:
        """The call that a command is about."""
        return command.call

    def ended_at(self, call: str) -> float | None:
        """When a call was over, in truth."""
        return self.history.calls.get(call)


Check = Callable[[Facts], Iterator[Violation]]
