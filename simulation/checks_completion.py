"""Promise 9: what has succeeded is completed, in time and truly, and a gate is shut until then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cordboard.catalogue import CATALOGUE
from simulation.history import Command, Completion, Event, Release, Result
from simulation.indexed import Check, Facts, Violation

_LAST: Final = 1
_AT_ONCE_SECONDS: Final = 5.0  # When nothing is wrong any more.
_LATE_SECONDS: Final = 10.0
_SKEW_MS: Final = 4_000  # Two owners' clocks.
_RINGS_SECONDS: Final = 25.0  # So long after its success a dial surely is awaited.


def what_succeeded_is_completed(facts: Facts) -> Iterator[Violation]:
    """At once where acceptance is all; else by its event, its call's end, or its time limit."""
    for command_id, command in facts.accepted.items():
        final = facts.final(command_id)
        if final is None or final.state != "SUCCEEDED" or final.reason == "ALREADY_ENDED":
            continue
        completion = facts.completions.get(command_id)
        is_at_acceptance = CATALOGUE[command.action].completion.at_acceptance
        if is_at_acceptance and completion is not None and completion.state != "COMPLETED":
            what = f"{command_id} ({command.action}) is {completion.state} {completion.reason}"
            yield Violation(9, "not completed at once", what)
        due = _due(facts, command, final, is_at_acceptance=is_at_acceptance)
        if completion is None and due < facts.history.ended.closed_at:
            yield Violation(9, "never completed", f"{command_id} ({command.action}) was due at {due:.3f} s")


def _due(facts: Facts, command: Command, final: Result, *, is_at_acceptance: bool) -> float:
    """By when the completion is said at the latest, in calm times."""
    since = max(final.at, facts.history.ended.calm_at)
    if is_at_acceptance:
        return since + _AT_ONCE_SECONDS
    limit = max(final.at + command.completion_ms / 1000, facts.history.ended.calm_at) + _LATE_SECONDS
    ends = [one.at for one in facts.history.events if one.event_type == "call.hangup" and one.call == command.call]
    if not command.call or not ends or CATALOGUE[command.action].completion.outlives_call:
        return limit
    return min(limit, max(since, ends[0]) + _LATE_SECONDS)


def dials_end_as_their_calls_do(facts: Facts) -> Iterator[Violation]:
    """One was answered: COMPLETED. All hung up, none answered: FAILED. Of dials whose calls are all known."""
    answered = {one.call for one in facts.history.deliveries if one.event_type == "call.answered"}
    for command in facts.accepted.values():
        result, made = facts.result(command.command_id), facts.effects(command)
        if command.action != "dial" or result is None or len(made) != 1 or result.dialed != set(made[0].made):
            continue
        heard = [_heard(facts, leg, result.at + _RINGS_SECONDS) for leg in made[0].made]
        completion = facts.completions.get(command.command_id)
        told = completion.state if completion else "nothing"
        is_over = all("call.hangup" in one for one in heard)
        if is_over and answered.isdisjoint(made[0].made) and told != "FAILED":
            yield Violation(9, "dial not followed", f"{command.command_id} came to {told}, and was never answered")
        if any(_is_answered(one) for one in heard) and told != "COMPLETED":
            yield Violation(9, "dial not followed", f"{command.command_id} came to {told}, and was answered")


def _heard(facts: Facts, call: str, until: float) -> dict[str, Event]:
    """What was handed on of a call, and in time."""
    until = min(until, facts.history.ended.closed_at - _LATE_SECONDS)
    events = (one for one in reversed(facts.history.events) if one.call == call and one.at < until)
    return {one.event_type: one for one in events}


def _is_answered(heard: dict[str, Event]) -> bool:
    """And was heard to be before its end: a completion that was told stays told."""
    answered, hung_up = heard.get("call.answered"), heard.get("call.hangup")
    return answered is not None and (hung_up is None or hung_up.number > answered.number)


def gates_are_shut(facts: Facts) -> Iterator[Violation]:
    """What starts after the one before it has completed is not released earlier."""
    for command in facts.accepted.values():
        releases = facts.releases[command.command_id]
        before = _before(facts, command)
        if not command.is_gated or not releases or before is None:
            continue
        first = min(releases, key=lambda one: one.number)
        if not _has_opened(facts, before, first, facts.completions.get(before.command_id)):
            what = f"{command.command_id} was released at {first.at:.3f} s, behind {before.command_id}"
            yield Violation(3, "gate not shut", what)


def _before(facts: Facts, command: Command) -> Command | None:
    """The command that came before it; None where it may stand behind another one."""
    line = [one for one in facts.accepted.values() if one.page == command.page and one.is_home]
    earlier = [one for one in line if one.number < command.number]
    before = max(earlier, key=lambda one: one.number, default=None)
    if before is None or not command.is_home or command.placement != _LAST or command.sequence or before.sequence:
        return None
    for one in earlier:
        result = facts.result(one.command_id)
        if one.placement != _LAST and (result is None or result.number > before.number):
            return None
    return before


def _has_opened(facts: Facts, before: Command, release: Release, completion: Completion | None) -> bool:
    result = facts.result(before.command_id)
    if result is None or result.finish_ms > release.released_ms + _SKEW_MS:
        return False
    if result.state != "SUCCEEDED" or result.reason == "ALREADY_ENDED":
        return True
    if completion is None:
        return release.at + _AT_ONCE_SECONDS > facts.history.ended.closed_at
    return completion.finish_ms <= release.released_ms + _SKEW_MS


EVERY: Final[tuple[Check, ...]] = (
    what_succeeded_is_completed,
    dials_end_as_their_calls_do,
    gates_are_shut,
)
