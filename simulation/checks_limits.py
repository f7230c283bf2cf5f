"""Limits that hold for a whole account: its channels, and how many dials of a partition are out at once.

For histories whose account has few of either (habits.py). What is in doubt keeps its channel, so the truth never has
more calls than channels; calls that come in, and legs of transfers, are not dialled and do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulation.habits import CHANNELS, ROOM
from simulation.indexed import Check, Facts, Violation


def no_more_calls_than_channels(facts: Facts) -> Iterator[Violation]:
    """At no time do more calls live that a dial of ours made than the account has channels."""
    if not facts.history.habits.has_few_channels:
        return
    calls = facts.history.calls
    made = [
        one for one in facts.history.requests if one.action == "dial" and one.happened and one.effect_at is not None
    ]
    lives = sorted((one.effect_at or 0.0, calls.get(one.call)) for one in made)
    for number, (began, _) in enumerate(lives):
        others = [ended for _, ended in lives[:number] if ended is None or ended > began]
        if len(others) >= CHANNELS:
            yield Violation(0, "channels exceeded", f"{len(others) + 1} dialled calls lived at {began:.2f} s")


def no_more_dials_out_than_room(facts: Facts) -> Iterator[Violation]:
    """A dial is released only when one that went before it, of its partition, has its result."""
    if not facts.history.habits.has_little_room:
        return
    dials = [one for one in facts.accepted.values() if one.action == "dial" and facts.releases[one.command_id]]
    released = {one.command_id: min(each.number for each in facts.releases[one.command_id]) for one in dials}
    for one in dials:
        at = released[one.command_id]
        before = [other.command_id for other in dials if other.partition == one.partition]
        out = [name for name in before if released[name] < at < _answered(facts, name)]
        if len(out) >= ROOM:
            yield Violation(0, "credit exceeded", f"{one.command_id} was released while {', '.join(out)} was out")


def _answered(facts: Facts, command_id: str) -> float:
    result = facts.result(command_id)
    return float("inf") if result is None else result.number


EVERY: Final[tuple[Check, ...]] = (no_more_calls_than_channels, no_more_dials_out_than_room)
