"""Questions whether a call lives, and dials that ring too late: promises 4, 6, 10, and what the account asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from dispatcher.core.asking import ANSWER_WAIT_MS, QUESTION
from simulation.beliefs import undiscovered
from simulation.history import Command, Completion, Event, Release, Result
from simulation.indexed import Check, Facts, Violation

_FOUND_WITHIN_SECONDS: Final = 120.0  # Silence, a question that is lost, and another one.
_SKEW_MS: Final = 3_600  # Two clocks of which each may be 1.8 s off.
_AT_ONCE_SECONDS: Final = 1.0
_IN_TROUBLE_SECONDS: Final = 45.0


def no_question_is_a_command(facts: Facts) -> Iterator[Violation]:
    """Nobody is told of one, as if it were something that a sender had asked for."""
    history = facts.history
    said: list[Result | Completion | Event] = [*history.results, *history.completions, *history.events]
    for told in said:
        if told.command_id == QUESTION:
            yield Violation(2, "question told", f"{type(told).__name__} at {told.at:.3f} s")


def one_question_at_a_time(facts: Facts) -> Iterator[Violation]:
    """While one of a call is out, no other is asked."""
    reported = {(one.key, one.attempt): one.number for one in reversed(facts.history.reports)}
    asked: dict[str, dict[int, Release]] = defaultdict(dict)
    for release in facts.releases[QUESTION]:
        asked[release.key].setdefault(release.attempt, release)
    for key, releases in asked.items():
        for before, after in pairwise(releases[attempt] for attempt in sorted(releases)):
            pause_ms = after.released_ms - before.released_ms
            is_out = reported.get((key, before.attempt), after.number) >= after.number
            if is_out and pause_ms < ANSWER_WAIT_MS - _SKEW_MS:
                yield Violation(0, "asked twice", f"{key[:12]}: again after {pause_ms} ms, before any answer")


def ends_are_found_out(facts: Facts) -> Iterator[Violation]:
    """A call whose end no webhook told of is asked for; and what is taken for over is over."""
    history = facts.history
    if history.habits.asks_soon:
        latest = history.ended.closed_at - _FOUND_WITHIN_SECONDS
        early = {call: at for call, at in history.calls.items() if at is not None and at < latest}
        for call in undiscovered(history.beliefs, early):
            yield Violation(10, "not found out", f"{call[:12]} has been over since {early[call]:.3f} s")
    for call in {one.call: None for one in history.events if one.event_type == "call.hangup"}:
        if call in history.beliefs and not history.beliefs[call].is_over:
            yield Violation(10, "forgotten", f"{call[:12]} is over, and its page does not know it any more")
    for call, belief in history.beliefs.items():
        if belief.is_over and history.calls.get(call, 0.0) is None:
            yield Violation(10, "believed over", f"{call[:12]} lives")


def late_dials_are_hung_up(facts: Facts) -> Iterator[Violation]:
    """Where the account says so: exactly those whose result was UNKNOWN, and that nobody uses."""
    own = {one.call: one for one in reversed(facts.history.commands) if _is_own(one)}
    dials = _dials(facts)
    of_legs = _of_more_legs(facts, dials)
    for call, hangup in own.items():
        yield from _was_to_be_hung_up(facts, hangup, dials.get(call) or of_legs.get(call))
    for call, dial in dials.items():
        if facts.history.habits.hangs_up_late and call not in own and _rang_too_late(facts, call, dial):
            yield Violation(6, "not hung up", f"{dial} was UNKNOWN, and {call[:12]} rang on")


def _is_own(command: Command) -> bool:
    return command.command_id.startswith("late~")


def _dials(facts: Facts) -> dict[str, str]:
    """By call, the dial that made it."""
    ids = {one.telnyx_id: one.command_id for one in facts.accepted.values() if one.action == "dial"}
    made = (one for one in facts.history.requests if one.action == "dial" and one.happened)
    return {one.call: ids[one.command_id] for one in made if one.command_id in ids}


def _of_more_legs(facts: Facts, dials: Mapping[str, str]) -> dict[str, str]:
    """By leg, the dial of several numbers that made it, or the dial of the call that was transferred to it.

    A simulated sender can transfer a call whose dial is in doubt, because it is told the truth. The new leg then may
    prove the dial, whose address it has, before the call itself was heard of.
    """
    made = (one for one in facts.history.requests if one.action in ("dial", "transfer") and one.call in dials)
    return {leg: dials[one.call] for one in made for leg in one.made}


def _was_to_be_hung_up(facts: Facts, hangup: Command, dial: str | None) -> Iterator[Violation]:
    result = facts.result(dial) if dial else None
    if not facts.history.habits.hangs_up_late or result is None or result.state != "UNKNOWN":
        yield Violation(6, "hung up needlessly", f"{hangup.call[:12]} of {dial}, whose result was {result}")
    for command in facts.accepted.values():
        released = min((one.number for one in facts.releases[command.command_id]), default=hangup.number)
        if command.call == hangup.call and not _is_own(command) and released < hangup.number:
            yield Violation(6, "hung up in use", f"{command.command_id} had been released before {hangup.command_id}")


def _rang_too_late(facts: Facts, call: str, dial: str) -> bool:
    result, settled = facts.result(dial), facts.settled.get(dial)
    if result is None or result.state != "UNKNOWN" or settled is None or settled.state != "SUCCEEDED":
        return False
    struck = any(type(fault).__name__ in ("BadWrite", "Kill", "Outage") for fault in facts.history.struck)
    until = settled.at + (_IN_TROUBLE_SECONDS if struck or facts.history.troubles else _AT_ONCE_SECONDS)
    ended_at = facts.ended_at(call)
    used = any(one.call == call and one.at < until for one in facts.history.commands)
    return not used and (ended_at is None or ended_at > until) and until < facts.history.ended.closed_at


EVERY: Final[tuple[Check, ...]] = (
    no_question_is_a_command,
    one_question_at_a_time,
    ends_are_found_out,
    late_dials_are_hung_up,
)
