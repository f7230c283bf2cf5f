"""Promises 3 and 8: what passes the line, what is superseded, and what goes only if another one succeeded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from simulation.history import Release
from simulation.indexed import Check, Facts, Violation

_NOW: Final = 3
_SILENCE_MS: Final = 11_000  # 15 s, by two clocks of which each may be 1.8 s off.
_SETTLES_MAX: Final = 8  # Of its owner, until a hangup that passes must be out: it is read first, but not alone.


def nothing_stands_before_a_hangup(facts: Facts) -> Iterator[Violation]:
    """A hangup with placement NOW is released as soon as its owner reads it, whatever is in flight."""
    for command_id, command in facts.accepted.items():
        released = _first_release(facts, command_id)
        if not command.ends_call or command.placement != _NOW or command.requires or released is None:
            continue
        passed = [
            one.number
            for one in facts.history.decisions
            if one.partition == command.partition and command.number < one.number < released
        ]
        if len(passed) > _SETTLES_MAX:
            yield Violation(8, "made to wait", f"{command_id}: its owner settled {len(passed)} times before it")


def what_waits_is_superseded(facts: Facts) -> Iterator[Violation]:
    """A command with placement NOW cancels what waits: nothing accepted before it is released behind it."""
    for command_id, command in facts.accepted.items():
        released = _first_release(facts, command_id)
        if command.placement != _NOW or command.sequence or released is None:
            continue
        for other in facts.accepted.values():
            if other.call != command.call or other.accept_ms >= command.accept_ms or other.placement == _NOW:
                continue
            later = _first_release(facts, other.command_id)
            if later is not None and later > released:
                yield Violation(
                    3, "not superseded", f"{other.command_id} went behind {command_id}, which came after it"
                )


def repeats_are_waited_for(facts: Facts) -> Iterator[Violation]:
    """Nothing of a call is released while a repeat of the command before it may still be on its way."""
    reports = {(one.command_id, one.attempt): one.number for one in reversed(facts.history.reports)}
    for line in _lines(facts).values():
        for before, after in pairwise(line):
            if before.command_id == after.command_id or before.attempt == 1 or after.attempt > 1:
                continue
            is_silent = reports.get((before.command_id, before.attempt), after.number) >= after.number
            pause_ms = after.released_ms - before.released_ms
            if is_silent and pause_ms < _SILENCE_MS:
                what = f"{after.command_id} was released {pause_ms} ms behind a repeat of {before.command_id}"
                yield Violation(3, "repeat not waited for", what)


def _lines(facts: Facts) -> dict[str, list[Release]]:
    """The releases of each call in their order, without copies, and without what may pass."""
    lines: dict[str, list[Release]] = defaultdict(list)
    seen: set[tuple[str, int]] = set()
    for release in facts.history.releases:
        command, name = facts.accepted.get(release.command_id), (release.command_id, release.attempt)
        if command is not None and command.call and not command.ends_call and name not in seen:
            lines[command.call].append(release)
        seen.add(name)
    return lines


def what_is_required_succeeded(facts: Facts) -> Iterator[Violation]:
    """What requires another command goes only when that one has succeeded."""
    for command_id, command in facts.accepted.items():
        if not command.requires or not facts.releases[command_id]:
            continue
        required = facts.final(command.requires)
        if required is None or required.state != "SUCCEEDED":
            state = required.state if required else "open"
            yield Violation(3, "sent in spite", f"{command_id} was released, and {command.requires} is {state}")


def the_end_is_what_a_hangup_wants(facts: Facts) -> Iterator[Violation]:
    """A hangup of a call that is over has succeeded."""
    for command_id, command in facts.accepted.items():
        result = facts.result(command_id)
        if command.action == "hangup" and result is not None and result.reason == "CALL_ENDED":
            yield Violation(10, "hangup refused", f"{command_id} is {result.state} {result.reason}")


def _first_release(facts: Facts, command_id: str) -> int | None:
    return min((one.number for one in facts.releases[command_id]), default=None)


EVERY: Final[tuple[Check, ...]] = (
    nothing_stands_before_a_hangup,
    what_waits_is_superseded,
    repeats_are_waited_for,
    what_is_required_succeeded,
    the_end_is_what_a_hangup_wants,
)
