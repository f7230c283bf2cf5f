"""Promise 4: a no has its cause, and a result says of its command what was sent, and what Telnyx answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from simulation.checks_orders import may_cancel, was_paused
from simulation.history import Command, Result
from simulation.indexed import Check, Facts, Violation

_NOW: Final = 3
_LINE_MAX: Final = 64
_UNSENT: Final = frozenset({"TELNYX_UNREACHABLE", "INTERNAL"})
_UNASKED: Final = frozenset({"INTERNAL", "ACCOUNT_MISMATCH"})  # No input is poison, and there is one account.
_STATUSES: Final = {
    "CREDENTIALS_REFUSED": frozenset({401, 403}),
    "CALL_NOT_FOUND": frozenset({404, 422}),
    "CALL_NOT_ANSWERED": frozenset({422}),
    "CALL_ENDED": frozenset({422}),
    "TELNYX_REFUSED": frozenset(range(400, 500)),
    "AMBIGUOUS_REFUSAL": frozenset(range(400, 500)),
    "TELNYX_ERROR": frozenset(range(500, 600)),
    "BAD_ANSWER": frozenset(range(100, 600)),
}


def every_no_has_its_cause(facts: Facts) -> Iterator[Violation]:
    """What a reason names has happened."""
    for result in facts.history.results:
        command = facts.accepted.get(result.command_id)
        if command is None or result.kind == "replayed":
            continue
        cause = _CAUSES.get(result.reason)
        if result.reason in _UNASKED or (cause is not None and not cause(facts, command, result)):
            yield Violation(4, "without cause", f"{result.command_id} is {result.state} {result.reason}")


def _is_superseded(facts: Facts, command: Command, result: Result) -> bool:
    """A NOW of the call was accepted after it, or had a later number: then it waited for what came before."""
    return any(
        one.page == command.page
        and one.placement == _NOW
        and one.command_id != command.command_id
        and one.number < result.number
        and (one.accept_ms >= result.accept_ms or 0 < command.sequence < one.sequence)
        for one in facts.history.commands
    )


def _is_cancelled(facts: Facts, command: Command, result: Result) -> bool:
    """Somebody asked for it, by its id, its group, or its call; or an operator did, for its group in all calls."""
    if any(one.number < result.number and may_cancel(one, command) for one in facts.history.orders):
        return True
    return any(one.number < result.number and one.means(command) for one in facts.history.cancels)


def _was_paused(facts: Facts, command: Command, result: Result) -> bool:
    """Its account was, at some time between its acceptance and its end."""
    return was_paused(facts, command.at, result.at)


def _was_not_done(facts: Facts, command: Command, result: Result) -> bool:
    """It requires a command, and none of that name had succeeded."""
    told = (facts.result(command.requires), facts.settled.get(command.requires))
    done = [one.number for one in told if one is not None and one.state == "SUCCEEDED"]
    return bool(command.requires) and not any(number < result.number for number in done)


def _may_have_been_full(facts: Facts, command: Command, refused: Result) -> bool:
    """So many commands of the call were open; none here is so large that fewer fill the line. What ends it gets in."""
    first = min(one.number for one in facts.records[command.command_id])
    alike = (one for one in facts.accepted.values() if one.page == command.page)
    ends = ((one, facts.result(one.command_id)) for one in alike if one.ends_call or not command.ends_call)
    waiting = [one for one, end in ends if one.number < refused.number and (end is None or end.number > first)]
    return len(waiting) >= _LINE_MAX


def _has_a_gap(facts: Facts, command: Command, refused: Result) -> bool:
    """The number before it had not been let in when it came."""
    return command.sequence > 1 and not _was_reached(facts, command, command.sequence - 1)


def _was_reached(facts: Facts, command: Command, sequence: int) -> bool:
    """Whether a command of this number, or of a later one, had been released when the command came."""
    came = min(one.number for one in facts.records[command.command_id])
    return any(
        one.page == command.page and one.sequence >= sequence and release.number < came
        for one in facts.accepted.values()
        for release in facts.releases[one.command_id]
    )


def _is_taken(facts: Facts, command: Command, result: Result) -> bool:
    """Another command had its number, or a later one."""
    return any(
        one.page == command.page
        and one.command_id != command.command_id
        and one.sequence >= command.sequence
        and one.number < result.number
        for one in facts.history.commands
    )


def _was_answered(facts: Facts, command: Command, result: Result) -> bool:
    """Telnyx answered one of its requests with a status that means this."""
    if result.state not in ("FAILED", "UNKNOWN"):
        return True
    return any(one.answer in _STATUSES[result.reason] for one in facts.sent(command))


_CAUSES: Final[dict[str, Callable[[Facts, Command, Result], bool]]] = {
    "SUPERSEDED": _is_superseded,
    "CANCEL_REQUESTED": _is_cancelled,
    "PAUSED": _was_paused,
    "PREVIOUS_FAILED": _was_not_done,
    "LINE_FULL": _may_have_been_full,
    "SEQUENCE_GAP": _has_a_gap,
    "SEQUENCE_TAKEN": _is_taken,
    **dict.fromkeys(_STATUSES, _was_answered),
}


def what_failed_was_sent(facts: Facts) -> Iterator[Violation]:
    """Telnyx cannot have refused what was never sent."""
    for result in facts.history.results:
        command = facts.accepted.get(result.command_id)
        if command is None or result.state != "FAILED" or result.reason in _UNSENT:
            continue
        if not any(one.left for one in facts.sent(command)):
            yield Violation(4, "failed unsent", f"{result.command_id} is FAILED {result.reason}, and was never sent")


def results_say_what_was_sent(facts: Facts) -> Iterator[Violation]:
    """Call, account, action, source and group are the command's own."""
    for result in facts.history.results:
        labels = {one.label for one in facts.records[result.command_id]}
        if labels and result.label not in labels:
            what = f"{result.kind} of {result.command_id} says {result.label}"
            yield Violation(4, "mislabelled", what)


def results_say_what_was_answered(facts: Facts) -> Iterator[Violation]:
    """The status is one that a request of it got, or 0; and the legs are those that its requests made."""
    for result in facts.history.results:
        command = facts.accepted.get(result.command_id)
        if command is None:
            continue
        sent = facts.sent(command)
        if result.http_status and result.http_status not in {one.answer for one in sent}:
            what = f"{result.command_id} says {result.http_status}, which nobody answered"
            yield Violation(4, "status made up", what)
        if strange := result.dialed - _legs_of(facts, command):
            what = f"{result.command_id} says that it dialled {sorted(strange)}"
            yield Violation(4, "leg of another", what)
        if result.label.action == "dial" and result.state == "SUCCEEDED" and not result.dialed:
            yield Violation(4, "leg unnamed", f"{result.kind} of {result.command_id} does not say what it dialled")


def _legs_of(facts: Facts, command: Command) -> set[str]:
    """What its requests made; and to whom its calls were transferred, as those come by the dial's own address."""
    made = (
        {leg for one in facts.effects(command) for leg in (one.call, *one.made)} if command.action == "dial" else set()
    )
    moved = (one for one in facts.history.requests if one.action == "transfer" and one.call in made)
    return made | {leg for one in moved for leg in one.made}


EVERY: Final[tuple[Check, ...]] = (
    every_no_has_its_cause,
    what_failed_was_sent,
    results_say_what_was_sent,
    results_say_what_was_answered,
)
