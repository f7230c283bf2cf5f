"""Promises 6 and 8 below the core: a hangup leaves its worker at once, and what is in doubt is tried again and settled.

A worker to which something happened, or whose partitions moved, is excused for as long as it takes to get over it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from cordboard.catalogue import CATALOGUE
from cordboard.work import Repeat
from simulation.checks_orders import was_paused
from simulation.clock import BEGIN_MS
from simulation.history import Command, Event, Release, Report
from simulation.indexed import Check, Facts, Violation
from simulation.telnyx import Request

# Nothing may hold up a hangup, so it gets what the log takes: to read it, to reserve it, and both for the batch before.
_AT_ONCE_SECONDS: Final = {"kafka": 1.0, "embedded": 3.5}
# Where one worker after another is gone, the second move of partitions waits for the first: for a session, and a drain.
_MOVING_SECONDS: Final = 13.0
_WINDOW_MS: Final = 50_000
_SKEW_MS: Final = 3_600  # Two clocks of which each may be 1.8 s off.
_IN_VAIN: Final = frozenset({"no_answer", "server_error", "unsent"})
_LATELY_SECONDS: Final = 1.0
_SLOWED_SECONDS: Final = 60.0
_FAILURES_MAX: Final = 20  # In a row, of one worker: then Telnyx counts as away.


def hangups_leave_at_once(facts: Facts) -> Iterator[Violation]:
    """Every release of a hangup is sent as soon as the log lets its worker: behind no pace, no pause, nothing else."""
    patience = _AT_ONCE_SECONDS[facts.history.plan.kind]
    for command in facts.accepted.values():
        if not command.ends_call:
            continue
        for release in facts.firsts(command.command_id).values():
            left = min((one.at for one in facts.sent(command) if one.at >= release.at), default=None)
            due = release.at + patience
            is_late = due < (facts.history.ended.closed_at if left is None else left)
            if is_late and facts.is_calm("hand", release.at, due, _MOVING_SECONDS):
                when = "never" if left is None else f"{left - release.at:.3f} s later"
                what = f"{command.command_id}, attempt {release.attempt}, was sent {when}"
                yield Violation(8, "held up", what)


def what_failed_is_tried_again(facts: Facts) -> Iterator[Violation]:
    """A release is given up in doubt, or unsent, only after more than one try: its budget has room for three."""
    for report in facts.history.reports:
        command = facts.accepted.get(report.command_id)
        if command is None or report.verdict not in _IN_VAIN or not _may_be_repeated(command, report):
            continue
        release = facts.firsts(report.command_id).get(report.attempt)
        if release is None or _is_past(release, report.at) or not facts.is_calm("hand", release.at, report.at):
            continue
        if was_paused(facts, release.at, report.at) or _was_slowed(facts, report):
            continue
        tries = [one for one in facts.sent(command) if release.at <= one.at <= report.at]
        if len(tries) == 1:
            what = f"{command.command_id}, attempt {report.attempt}, is {report.verdict} after one try"
            yield Violation(6, "not tried again", what)


def _was_slowed(facts: Facts, report: Report) -> bool:
    """Whether shortly before Telnyx had said 429, or seemed to be away: then all but hangups wait."""
    rows: Counter[str] = Counter()  # Of failures, by worker.
    for one in sorted(facts.history.requests, key=_over_at):
        failed = one.answer is None or one.answer >= 500
        rows[one.worker] = rows[one.worker] + 1 if failed else 0
        is_near = report.at - _SLOWED_SECONDS < _over_at(one) < report.at
        if is_near and (one.answer == 429 or rows[one.worker] >= _FAILURES_MAX):
            return True
    return False


def _over_at(request: Request) -> float:
    return request.at if request.over_at is None else request.over_at


def _may_be_repeated(command: Command, report: Report) -> bool:
    return report.verdict == "unsent" or CATALOGUE[command.action].repeat is not Repeat.UNSENT


def _is_past(release: Release, at: float) -> bool:
    """Whether by some clock it may have been too late for another try."""
    ends = [end_ms for end_ms in (release.not_after_ms, release.expire_ms) if end_ms is not None]
    return min(ends, default=float("inf")) <= BEGIN_MS + at * 1000 + _SKEW_MS


def silence_is_tried_again(facts: Facts) -> Iterator[Violation]:
    """What may be repeated is not given up for its workers' silence while its window is open."""
    for command_id, command in facts.accepted.items():
        result, releases = facts.result(command_id), facts.firsts(command_id)
        if result is None or result.reason != "WORKER_LOST" or not releases or command.ends_call:
            continue
        heard = {one.attempt for one in facts.history.reports if one.command_id == command_id}
        ended_at = facts.ended_at(command.call)
        is_over = ended_at is not None and ended_at <= result.at
        if CATALOGUE[command.action].repeat is Repeat.UNSENT or max(releases) in heard or is_over:
            continue
        since_ms = result.finish_ms - min(one.released_ms for one in releases.values())
        if since_ms < _WINDOW_MS - _SKEW_MS and not _is_past(releases[max(releases)], result.at):
            what = f"{command_id} was given up {since_ms} ms after its release, and nothing was heard of it"
            yield Violation(6, "not released again", what)


def events_settle_what_they_prove(facts: Facts) -> Iterator[Violation]:
    """An UNKNOWN command is settled by its own event, where nothing else of the call could have caused it."""
    by_cause = {one.event_id: one.cause for one in facts.history.deliveries if one.cause}
    lately = facts.history.ended.closed_at - _LATELY_SECONDS
    heard: dict[str, list[Event]] = {}
    for event in facts.history.events:
        if event.at < lately and event.subject == event.call:
            heard.setdefault(by_cause.get(event.event_id, ""), []).append(event)
    for command in facts.accepted.values():
        final = facts.final(command.command_id)
        if final is None or final.state != "UNKNOWN" or not command.call or command.ends_call:
            continue
        own = [one for one in heard.get(command.telnyx_id, []) if one.call == command.call]
        proof = [one for one in own if one.event_type in _completing(command)]
        if proof and not _has_rivals(facts, command):
            what = f"{command.command_id} ({command.action}) is UNKNOWN, and {proof[0].event_type} was handed on"
            yield Violation(6, "not proven", what)


def _completing(command: Command) -> frozenset[str]:
    rule = CATALOGUE[command.action].completion
    return frozenset() if rule.ends_another else rule.completed_by


def _has_rivals(facts: Facts, command: Command) -> bool:
    events = _completing(command)
    return any(
        one.page == command.page and one is not command and events & CATALOGUE[one.action].completion.events
        for one in facts.accepted.values()
        if facts.releases[one.command_id]
    )


EVERY: Final[tuple[Check, ...]] = (
    hangups_leave_at_once,
    what_failed_is_tried_again,
    silence_is_tried_again,
    events_settle_what_they_prove,
)
