"""Promise 3, for what waits: where it stands in the line, how long it is held, and what takes it out.

A decision says how far it has read each input. So it is known which commands an owner knew when it released one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulation.checks_orders import was_paused
from simulation.faults import Jump
from simulation.history import Cancel, CancelReport, Command
from simulation.indexed import Check, Facts, Violation

_LAST, _NEXT = 1, 2
_LINE_MAX: Final = 64
_GAP_SECONDS: Final = 2.0
_HOLD_MS: Final = 5_000
_SKEW_MS: Final = 3_600  # Two clocks of which each may be 1.8 s off.
_SLACK_SECONDS: Final = 0.1


def what_is_cancelled_is_not_released(facts: Facts) -> Iterator[Violation]:
    """What waited when its owner read that it is taken back is never released."""
    for cancel in facts.history.cancels:
        read = facts.read(cancel.spot)
        if read is None:
            continue
        for command in _known_before(facts, cancel):
            released = facts.first_released(command)
            if released is not None and released > read:
                what = f"{command.command_id} was released after its owner had read that it was taken back"
                yield Violation(4, "cancelled in vain", what)


def _known_before(facts: Facts, cancel: Cancel) -> Iterator[Command]:
    """The commands that a cancel request means, and that stand before it."""
    for command in facts.accepted.values():
        spot = command.spot
        if spot is None or cancel.spot is None or not cancel.means(command):
            continue
        if (spot.partition, spot.topic) == (cancel.spot.partition, cancel.spot.topic) and spot < cancel.spot:
            yield command


def cancel_reports_are_true(facts: Facts) -> Iterator[Violation]:
    """What is said to be cancelled is CANCELLED; what came too late is not; and nothing unknown was there before."""
    cancels = {one.cancel_id: one for one in reversed(facts.history.cancels)}
    for report in facts.history.cancel_reports:
        cancel = cancels.get(report.cancel_id)
        if cancel is not None:
            yield from _untrue(facts, cancel, report)


def _untrue(facts: Facts, cancel: Cancel, report: CancelReport) -> Iterator[Violation]:
    for command_id in sorted(report.cancelled):
        result = facts.result(command_id)
        if result is None or result.state != "CANCELLED":
            yield Violation(4, "not cancelled", f"{command_id} is {result.state if result else 'nothing'}")
    for command_id in sorted(report.unknown):
        result, known = facts.result(command_id), facts.accepted.get(command_id)
        was_there = known is not None and result is not None and known in _known_before(facts, cancel)
        if was_there and not facts.refused[command_id]:
            yield Violation(4, "not known again", f"{command_id} had come before it was taken back")


def _passes_a_pause(facts: Facts, command: Command) -> bool:
    """What ends a call does not wait for the end of a pause."""
    firsts = [one.at for one in facts.releases[command.command_id]]
    return command.ends_call and was_paused(facts, min(firsts), min(firsts))


def what_is_next_goes_next(facts: Facts) -> Iterator[Violation]:
    """Once its owner has read a command with placement NEXT, nothing that waits as it came goes before it."""
    for command in facts.accepted.values():
        read, released = facts.read(command.spot), facts.first_released(command)
        if command.placement != _NEXT or command.sequence or command.requires or read is None or released is None:
            continue
        for other in facts.accepted.values():
            if other.page != command.page or other.placement != _LAST or other is command:
                continue
            earlier = facts.first_released(other)
            if earlier is not None and read < earlier < released and not _passes_a_pause(facts, other):
                what = f"{other.command_id} went before {command.command_id}, which was to be the next"
                yield Violation(3, "not the next", what)


def gaps_are_waited_for(facts: Facts) -> Iterator[Violation]:
    """A number that came too early has 2 s, by its owner's clock, for those before it to come."""
    if any(isinstance(fault, Jump) and times for fault, times in facts.history.struck.items()):
        return
    for command_id, refused in facts.refused.items():
        first = next((one for one in refused if one.reason == "SEQUENCE_GAP"), None)
        if first is None:
            continue
        came = min(one.at for one in facts.records[command_id])
        early = came + _GAP_SECONDS - _SLACK_SECONDS - first.at
        if early > 0 and facts.is_calm("brain", came, first.at):
            yield Violation(3, "gap not waited for", f"{command_id} was refused {first.at - came:.3f} s after it came")


def what_fills_a_gap_lets_in(facts: Facts) -> Iterator[Violation]:
    """A number is not refused for a gap when the one before it had gone."""
    for command_id, refused in facts.refused.items():
        before = _with_number_before(facts, facts.accepted[command_id])
        gone = facts.first_released(before) if before is not None else None
        for one in refused:
            decided = facts.decided(one)
            if one.reason == "SEQUENCE_GAP" and gone is not None and decided is not None and gone < decided:
                yield Violation(3, "gap made up", f"{command_id} was refused, and the number before it had gone")


def _with_number_before(facts: Facts, command: Command) -> Command | None:
    alike = (one for one in facts.accepted.values() if one.page == command.page)
    return next((one for one in alike if one.sequence == command.sequence - 1 and one.sequence), None)


def answers_hold_the_line(facts: Facts) -> Iterator[Violation]:
    """After a successful answer nothing goes until the call was answered, or for 5 s, where its webhooks are seen."""
    for answer in facts.accepted.values():
        result = facts.result(answer.command_id)
        since = facts.decided(result) if result is not None else None
        if answer.action != "answer" or result is None or result.state != "SUCCEEDED" or since is None:
            continue
        heard = [facts.decided(one) or 0 for one in facts.history.events if one.call == answer.call]
        answered = _answered(facts, answer.call)
        if not any(number < since for number in heard):
            continue
        for other in facts.accepted.values():
            released = facts.first_released(other)
            if other.page != answer.page or other.ends_call or released is None or not since <= released < answered:
                continue
            pause_ms = min(one.released_ms for one in facts.releases[other.command_id]) - result.finish_ms
            if other is not answer and pause_ms < _HOLD_MS - _SKEW_MS:
                what = f"{other.command_id} was released {pause_ms} ms behind {answer.command_id}"
                yield Violation(3, "not held", what)


def _answered(facts: Facts, call: str) -> float:
    """The settle by which it was known that a call was answered."""
    told = (one for one in facts.history.events if one.call == call and one.event_type == "call.answered")
    return min((facts.decided(one) or 0 for one in told), default=float("inf"))


def lines_have_an_end(facts: Facts) -> Iterator[Violation]:
    """No more than 64 commands of a call wait at once, but for what ends it."""
    for command in facts.accepted.values():
        read, result = facts.read(command.spot), facts.result(command.command_id)
        if read is None or result is None or command.ends_call or _left(facts, command) <= read:
            continue
        waiting = sum(
            1
            for other in facts.accepted.values()
            if other.page == command.page
            and not other.ends_call
            and (facts.read(other.spot) or read) < read < _left(facts, other)
        )
        if waiting > _LINE_MAX:
            yield Violation(4, "line without end", f"{waiting} commands waited when {command.command_id} was let in")


def _left(facts: Facts, command: Command) -> float:
    """The settle by which a command left its line: released, ended, or refused at once."""
    refused = next(iter(facts.refused[command.command_id]), None)
    released, result = facts.first_released(command), facts.result(command.command_id) or refused
    ended = facts.decided(result) if result is not None else None
    return min(one for one in (released, ended, float("inf")) if one is not None)


EVERY: Final[tuple[Check, ...]] = (
    what_is_cancelled_is_not_released,
    cancel_reports_are_true,
    what_is_next_goes_next,
    gaps_are_waited_for,
    what_fills_a_gap_lets_in,
    answers_hold_the_line,
    lines_have_an_end,
)
