"""Promises 6 and 7: a release is sent by one worker only, and nothing is judged by a timer before its time has come.

Nor before everything that came in time was read: an outcome that the log took before a release's deadline speaks first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simulation.clock import BEGIN_MS
from simulation.history import Command, Release
from simulation.indexed import Check, Facts, Violation

SILENCE_MS: Final = 15_000  # No outcome for so long after a release: it is judged.
_SKEW_MS: Final = 2_000  # An owner's clock is no further off than that.
_NO_END: Final = frozenset({"waiting", "late"})
_BY_TIME: Final = frozenset({"IN_LINE", "IN_LANE"})


def every_release_is_sent_by_one(facts: Facts) -> Iterator[Violation]:
    """A copy of a work record is void: no more workers send for a command than releases were made of it."""
    for command_id, command in facts.accepted.items():
        workers = {request.worker for request in facts.sent(command)}
        attempts = {release.attempt for release in facts.releases[command_id]}
        # Of a hangup nobody knows when it is too late, and a second one does nothing.
        if len(workers) > len(attempts) and not command.ends_call:
            what = f"{command_id} was sent by {', '.join(sorted(workers))} in {len(attempts)} attempts"
            yield Violation(6, "copy sent", what)


def silence_is_heard_out(facts: Facts) -> Iterator[Violation]:
    """A release is judged silent after 15 s, and only if the log had no word of it by then."""
    for command_id, command in facts.accepted.items():
        firsts = facts.firsts(command_id)
        for attempt, release in firsts.items():
            judged_at = _judged_at(facts, command, firsts, attempt)
            if judged_at is None:
                continue
            deadline_ms = release.released_ms + SILENCE_MS
            early_ms = deadline_ms - _SKEW_MS - BEGIN_MS - judged_at * 1000
            if early_ms > 0:
                yield Violation(4, "judged early", f"{command_id}, attempt {attempt}, {early_ms:.0f} ms too soon")
            if _was_answered(facts, command, attempt, deadline_ms):
                yield Violation(4, "judged unheard", f"{command_id}, attempt {attempt}: its outcome had come in time")


def _judged_at(facts: Facts, command: Command, firsts: dict[int, Release], attempt: int) -> float | None:
    """When a release was judged to be silent: by the next one, or by a result that says so."""
    if attempt + 1 in firsts:
        return firsts[attempt + 1].at
    result = facts.result(command.command_id)
    if result is None or result.reason != "WORKER_LOST" or command.ends_call or attempt > 1:
        return (
            None  # After several attempts the word of the last one may be the end, and the first one's silence its why.
        )
    late = [one for one in facts.history.reports if one.command_id == command.command_id and one.verdict == "late"]
    return None if late else result.at


def _was_answered(facts: Facts, command: Command, attempt: int, deadline_ms: int) -> bool:
    for report in facts.history.reports:
        if report.command_id != command.command_id or report.time_ms >= deadline_ms:
            continue
        # What ends a call goes out again after anything but success; all else has its end by any word of its latest.
        if report.verdict == "done" and report.attempt <= attempt:
            return command.action != "dial"  # An answer to a dial may say less than it seems to.
        if not command.ends_call and report.attempt == attempt and report.verdict not in _NO_END:
            return True
    return False


def nothing_expires_early(facts: Facts) -> Iterator[Violation]:
    """What EXPIRED had its time."""
    for command_id, command in facts.accepted.items():
        result = facts.result(command_id)
        if result is None or result.state != "EXPIRED" or result.reason not in _BY_TIME or command.expire_ms is None:
            continue
        early_ms = command.expire_ms - _SKEW_MS - BEGIN_MS - result.at * 1000
        if early_ms > 0:
            yield Violation(7, "expired early", f"{command_id} expired {early_ms:.0f} ms too soon")


EVERY: Final[tuple[Check, ...]] = (every_release_is_sent_by_one, silence_is_heard_out, nothing_expires_early)
