"""Promises 3, 6, 7, 8, 10: what Telnyx was asked, in which order, how often, how late; and whether results are true."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from simulation.history import Command, Result
from simulation.indexed import Check, Facts, Violation

_WINDOW_SECONDS: Final = 55.0  # The last try starts 50 s after the release, by clocks that differ by 2 s at most.
_LAST: Final = 1
_NOT_DONE: Final = frozenset({"FAILED", "REJECTED", "EXPIRED", "CANCELLED"})
_GIVEN_UP: Final = frozenset({"CANCELLED", "REJECTED"})


def results_are_true(facts: Facts) -> Iterator[Violation]:
    """SUCCEEDED means that it happened; FAILED, REJECTED, EXPIRED, CANCELLED mean that it did not."""
    for command_id, command in facts.accepted.items():
        for result in (facts.result(command_id), facts.settled.get(command_id)):
            if result is not None:
                yield from _truth(facts, command, result)


def _truth(facts: Facts, command: Command, result: Result) -> Iterator[Violation]:
    happened = bool(facts.effects(command))
    what = f"{command.command_id} ({command.action}) is {result.state} {result.reason}"
    if result.state == "SUCCEEDED" and not happened and not _was_over(facts, command, result):
        yield Violation(6, "claimed", f"{what}, and it never happened")
    if result.state in _NOT_DONE and happened:
        yield Violation(6, "denied", f"{what}, and it happened")


def _was_over(facts: Facts, command: Command, result: Result) -> bool:
    """A hangup of a call that is over has what it wanted."""
    ended = facts.ended_at(command.call)
    return command.ends_call and ended is not None and ended <= result.at


def nothing_happens_twice(facts: Facts) -> Iterator[Violation]:
    """No effect twice; a dial is not even asked for twice, unless the first time certainly did nothing."""
    for command in facts.accepted.values():
        effects = facts.effects(command)
        has_an_id = not command.telnyx_id.startswith("state:")  # Else Telnyx cannot know it again, and it does no harm.
        if len(effects) > 1 and not command.ends_call and has_an_id:
            when = ", ".join(f"{one.effect_at or 0:.3f} s" for one in effects)
            yield Violation(6, "done twice", f"{command.command_id} ({command.action}) happened at {when}")
        perhaps = [one for one in facts.sent(command) if one.left and one.status != 429]
        if command.action == "dial" and len(perhaps) > 1:
            yield Violation(6, "dialled blindly", f"{command.command_id} was sent {len(perhaps)} times")
        yield from _outside_the_window(facts, command)


def _outside_the_window(facts: Facts, command: Command) -> Iterator[Violation]:
    sent = [one for one in facts.sent(command) if one.left and one.status != 429]
    if len(sent) > 1 and not command.ends_call and sent[-1].at - sent[0].at > _WINDOW_SECONDS:
        what = f"{command.command_id} was sent again {sent[-1].at - sent[0].at:.1f} s after the first time"
        yield Violation(6, "window missed", what)


def calls_are_in_order(facts: Facts) -> Iterator[Violation]:
    """Commands of one call take effect in the order in which they were accepted, or numbered."""
    # A numbered one may have waited for its turn when one without a number was let in, so each kind has its own order.
    lines: dict[tuple[str, bool], list[Command]] = defaultdict(list)
    for command in facts.accepted.values():
        if command.placement == _LAST and command.call:
            lines[command.call, command.sequence > 0].append(command)
    for line in lines.values():
        line.sort(key=lambda command: (command.sequence, command.number))
        done = [
            (command, min(effect.effect_at or 0.0 for effect in facts.effects(command)))
            for command in line
            if facts.effects(command)
        ]
        for (first, first_at), (second, second_at) in pairwise(done):
            result = facts.result(first.command_id)
            if second_at < first_at and (result is None or result.state != "UNKNOWN"):
                what = f"{second.command_id} took effect before {first.command_id}"
                yield Violation(3, "out of order", what)


def one_at_a_time(facts: Facts) -> Iterator[Violation]:
    """While a request of a call is on its way, no other command's is sent, but for those that may pass."""
    calls: dict[str, list[tuple[float, float, Command]]] = defaultdict(list)
    for command in facts.accepted.values():
        sent = facts.sent(command)
        certain = len(sent) == 1 and sent[0].over_at is not None
        if command.call and certain and not command.ends_call and _has_no_doubt(facts, command):
            calls[command.call].append((sent[0].at, sent[0].over_at or 0.0, command))
    for spans in calls.values():
        spans.sort(key=lambda span: span[0])
        for (_, over, first), (begin, _, second) in pairwise(spans):
            if begin < over:
                yield Violation(3, "side by side", f"{second.command_id} was sent while {first.command_id} was out")


def _has_no_doubt(facts: Facts, command: Command) -> bool:
    result = facts.result(command.command_id)
    return result is not None and result.state != "UNKNOWN" and len(facts.releases[command.command_id]) == 1


def nothing_is_sent_late(facts: Facts) -> Iterator[Violation]:
    """Nothing is sent past its expiry, nor past the window, by the clock of whoever sends it."""
    for command_id, command in facts.accepted.items():
        releases = facts.releases[command_id]
        ends = [("not_after", one.not_after_ms) for one in releases] + [("expiry", one.expire_ms) for one in releases]
        ends.append(("expire_time", None if command.sequence else command.expire_ms))
        for request in facts.sent(command):
            for name, end_ms in ends:
                if end_ms is not None and request.local_ms >= end_ms:
                    late = request.local_ms - end_ms
                    yield Violation(7, "sent late", f"{command_id} was sent {late} ms after its {name}")
                    break


def hangups_get_through(facts: Facts) -> Iterator[Violation]:
    """A hangup never expires; where it was not taken back, its call is over in the end."""
    for command_id, command in facts.accepted.items():
        result = facts.result(command_id)
        if not command.ends_call or result is None:
            continue
        if result.state == "EXPIRED":
            yield Violation(8, "hangup expired", command_id)
        is_wanted = result.state not in _GIVEN_UP and not (command.action == "reject" and result.state == "FAILED")
        if is_wanted and command.call in facts.history.calls and facts.ended_at(command.call) is None:
            yield Violation(8, "still alive", f"{command_id} is {result.state} {result.reason}, and the call lives on")


def what_is_over_stays_over(facts: Facts) -> Iterator[Violation]:
    """Once the end of a call was handed on, nothing of it is released, and what comes is told so at once."""
    yield from _nothing_after_its_word(facts)
    ends = {one.call: one for one in reversed(facts.history.events) if one.event_type == "call.hangup"}
    for command_id, command in facts.accepted.items():
        end = ends.get(command.call)
        if end is None:
            continue
        if any(one.number > end.number for one in facts.firsts(command_id).values()):
            yield Violation(10, "released after the end", f"{command_id}: the end was handed on at {end.at:.3f} s")
        if command.number < end.number or facts.result(command_id) is None:
            continue
        result = facts.result(command_id)
        wanted = "ALREADY_ENDED" if command.ends_call else "CALL_ENDED"
        if result is not None and result.reason not in (wanted, "SUPERSEDED", "PREVIOUS_FAILED"):
            yield Violation(10, "not told of the end", f"{command_id} is {result.state} {result.reason}")


def _nothing_after_its_word(facts: Facts) -> Iterator[Violation]:
    """Telnyx's word that a call is over is its end, as the webhook is."""
    said: dict[str, int] = {}
    for command_id, command in facts.accepted.items():
        result = facts.result(command_id)
        if result is not None and result.reason == "CALL_ENDED" and result.state == "FAILED":
            said[command.call] = min(result.number, said.get(command.call, result.number))
    for command_id, command in facts.accepted.items():
        first = min((one.number for one in facts.releases[command_id]), default=0)
        if first > said.get(command.call, first) and not command.ends_call:
            yield Violation(10, "released after the end", f"{command_id}: Telnyx had said that the call was over")


def sent_only_what_was_asked(facts: Facts) -> Iterator[Violation]:
    """Every request belongs to a command that was accepted before it was sent."""
    known = {command.telnyx_id: command for command in facts.accepted.values()}
    for request in facts.history.requests:
        command = known.get(request.command_id)
        first = min((one.at for one in facts.records[command.command_id]), default=0.0) if command else 0.0
        if command is None or request.at < first:
            yield Violation(2, "unasked", f"{request.action} {request.command_id} at {request.at:.3f} s")


EVERY: Final[tuple[Check, ...]] = (
    results_are_true,
    nothing_happens_twice,
    calls_are_in_order,
    one_at_a_time,
    nothing_is_sent_late,
    hangups_get_through,
    what_is_over_stays_over,
    sent_only_what_was_asked,
)
