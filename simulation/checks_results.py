"""Promises 1, 4, 5: what is accepted is kept, and has exactly one result, in time; the same twice is one command."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulation.clock import BEGIN_MS
from simulation.history import Command, Result
from simulation.indexed import RECOVERY_SECONDS, Check, Facts, Violation

RESULT_SECONDS: Final = 90.0
_WRITE_SECONDS: Final = 8.0  # What one bad write costs: to miss its acknowledgement, to claim anew.
_SLACK_SECONDS: Final = 5.0  # Clocks that differ by less than 2 s each way, and the way of a record.


def _waits_rightly(facts: Facts, command: Command) -> bool:
    """Whether its gate may still be shut: what it waits for may go on for longer, and its end was never heard."""
    closed_ms = BEGIN_MS + facts.history.ended.closed_at * 1000
    before = (one for one in facts.accepted.values() if one.page == command.page and one.number < command.number)
    ends = ((facts.result(one.command_id), one) for one in before if one.command_id not in facts.completions)
    going_on = (
        one
        for end, one in ends
        if end is not None and end.state == "SUCCEEDED" and closed_ms < end.finish_ms + one.completion_ms
    )
    return command.is_gated and any(going_on)


def nothing_is_lost(facts: Facts) -> Iterator[Violation]:
    """Every command that is in the log, or of which its sender was told so, has an end."""
    for command_id in facts.records:
        is_over = facts.results[command_id] or facts.refused[command_id]
        if not is_over and not _waits_rightly(facts, facts.accepted[command_id]):
            yield Violation(4, "no result", f"{command_id} was accepted and nothing became of it")
    for told in facts.history.told:
        if told.what == "accepted" and told.command_id not in facts.records:
            yield Violation(1, "lost", f"{told.command_id} was acknowledged at {told.at:.3f} s and is not in the log")


def one_result_each(facts: Facts) -> Iterator[Violation]:
    """One result under one id; the same bytes however often it is delivered. A settlement only after UNKNOWN."""
    for command_id, results in facts.results.items():
        if len({result.event_id for result in results}) > 1:
            said = ", ".join(f"{result.state} at {result.at:.3f} s" for result in results)
            yield Violation(4, "two results", f"{command_id}: {said}")
        elif len({result.digest for result in results}) > 1:
            yield Violation(4, "result changed", f"{command_id} has one id and different contents")
    for command_id, settled in facts.settled.items():
        first = facts.result(command_id)
        if first is None or first.state != "UNKNOWN":
            yield Violation(6, "settled needlessly", f"{command_id} is settled {settled.state}, and was {first}")
    settlements = {(one.command_id, one.event_id) for one in facts.history.results if one.kind == "settled"}
    for command_id in sorted({name for name, _ in settlements}):
        if len([one for one in settlements if one[0] == command_id]) > 1:
            yield Violation(6, "settled twice", command_id)


def results_are_in_time(facts: Facts) -> Iterator[Violation]:
    """At most 90 s after the release or the expiry, not counting the time in which nobody could do anything."""
    for command_id, command in facts.accepted.items():
        result = facts.result(command_id)
        since = _due_since(facts, command)
        if result is None or since is None:
            continue
        late = result.at - since - RESULT_SECONDS - _SLACK_SECONDS - _excused(facts, since, result.at)
        if late > 0:
            what = f"{command_id}: {result.state} {result.at - since:.1f} s after its release or expiry"
            yield Violation(4, "late result", what)


def _due_since(facts: Facts, command: Command) -> float | None:
    released = [one.at for one in facts.releases[command.command_id]]
    if released:
        return min(released)
    return None if command.expire_ms is None else max((command.expire_ms - BEGIN_MS) / 1000, command.at)


def _excused(facts: Facts, since: float, until: float) -> float:
    """How much of the time somebody who had to do something could not, with what it took to notice."""
    hours = [(begin, end + RECOVERY_SECONDS) for begin, end in facts.history.troubles]
    excused = 0.0
    for begin, end in _merged(hours):
        excused += max(0.0, min(end, until) - max(begin, since))
    writes = sum(1 for fault in facts.history.struck if type(fault).__name__ == "BadWrite")
    return excused + writes * _WRITE_SECONDS


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return merged


def the_same_again_is_one_command(facts: Facts) -> Iterator[Violation]:
    """Repeats are told what the first came to; other content under the same id is refused, and never sent."""
    for result in facts.history.results:
        if result.kind == "replayed" and not _fits(facts, result):
            yield Violation(5, "replayed wrongly", f"{result.command_id}: {result.state} is not what it came to")
    for command_id, records in facts.records.items():
        contents = {one.fingerprint for one in records}
        reused = [one for one in facts.refused[command_id] if one.reason == "COMMAND_ID_REUSED"]
        # Refusals of the other kinds are not remembered: after them the id may come again, for another command.
        if len(contents) > 1 and facts.results[command_id] and not facts.refused[command_id]:
            yield Violation(5, "not refused", f"{command_id} came with two contents, and neither was refused")
        if len(contents) == 1 and reused:
            yield Violation(5, "refused wrongly", f"{command_id} came with one content, and was refused")
        bodies = {one.body for one in facts.releases[command_id]}
        if len(bodies) > 1:
            yield Violation(5, "two bodies", f"{command_id} was released with {len(bodies)} different bodies")


def _fits(facts: Facts, replayed: Result) -> bool:
    first, settled = facts.result(replayed.command_id), facts.settled.get(replayed.command_id)
    return any(one is not None and one.state == replayed.state for one in (first, settled))


def unknown_has_a_reason(facts: Facts) -> Iterator[Violation]:
    """Where nothing goes wrong, nothing is unknown."""
    if any(facts.history.struck.values()):
        return
    for command_id in facts.records:
        result = facts.result(command_id)
        if result is not None and result.state == "UNKNOWN":
            yield Violation(4, "needless doubt", f"{command_id} is UNKNOWN {result.reason}, and nothing went wrong")


def what_is_learned_is_said(facts: Facts) -> Iterator[Violation]:
    """Where a worker reported that it was done, that is the result, or what settled it."""
    lately = facts.history.ended.closed_at - _SLACK_SECONDS
    done = {one.command_id: one for one in facts.history.reports if one.verdict == "done" and one.at < lately}
    for command_id, report in done.items():
        final, command = facts.final(command_id), facts.accepted.get(command_id)
        is_dial = command is not None and command.action == "dial"  # Of which an answer without a leg proves nothing.
        if final is not None and final.state != "SUCCEEDED" and not is_dial:
            what = f"{command_id} is {final.state} {final.reason}; attempt {report.attempt} was reported done"
            yield Violation(6, "not settled", what)


EVERY: Final[tuple[Check, ...]] = (
    nothing_is_lost,
    one_result_each,
    results_are_in_time,
    the_same_again_is_one_command,
    unknown_has_a_reason,
    what_is_learned_is_said,
)
