"""Promise 9, for what comes by another name: recordings find their call, and transfers what became of their new leg."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from simulation.history import Command, Completion, Event
from simulation.indexed import Check, Facts, Violation

_NOT_OF_ANSWERED: Final = frozenset({"call.initiated", "call.hangup"})
_OVER: Final = frozenset({"CALL_ENDED", "ALREADY_ENDED"})
_LINK_SECONDS: Final = 50.0  # A webhook waits 60 s for its call, by a clock that may jump by some seconds meanwhile.
_CLOCKS_SECONDS: Final = 3.0  # What is known of times is no better: two clocks, and the way.
_WAY_SECONDS: Final = 8.0  # From page to page to page, when nothing is wrong any more.
_BRIDGED_SECONDS: Final = 10.0  # So long is a leg's call.bridged awaited after its hangup.
_TRANSFER_SECONDS: Final = 55.0  # So long a transfer surely is open.


def _is_recording(event_type: str) -> bool:
    return event_type.startswith("call.recording.")


def recordings_find_their_call(facts: Facts) -> Iterator[Violation]:
    """What names no call is handed on under the call that it is of, wherever that was known in time."""
    answered: dict[str, float] = {}  # By call: when it was known that there may be recordings.
    for event in facts.history.events:
        if event.event_type not in _NOT_OF_ANSWERED and event.call:
            answered.setdefault(event.call, event.at)
    came = {one.event_id: (one.at, one.call) for one in reversed(facts.history.deliveries)}
    for event in facts.history.events:
        if not _is_recording(event.event_type) or event.event_id not in came:
            continue
        at, call = came[event.event_id]
        if event.subject not in ("", call):
            yield Violation(9, "handed on as another's", f"{event.event_id} of {call}: as {event.subject}")
        elif not event.subject and answered.get(call, at + 1_000) < at + _LINK_SECONDS:
            what = f"{event.event_type} {event.event_id} of {call}, which was answered at {answered[call]:.3f} s"
            yield Violation(9, "handed on untied", what)


def recordings_complete_their_stop(facts: Facts) -> Iterator[Violation]:
    """A record_stop is completed by the recording that it ended, also after the call's end, and by no other."""
    lately = facts.history.ended.closed_at - _WAY_SECONDS
    causes = {one.event_id: one.cause for one in facts.history.deliveries}
    for command in _succeeded(facts, "record_stop"):
        ended = [
            event
            for event in facts.history.events
            if _is_recording(event.event_type) and causes.get(event.event_id) == command.telnyx_id and event.subject
        ]
        completion = facts.completions.get(command.command_id)
        event_id = completion.event_id if completion else ""
        if event_id and causes.get(event_id) != command.telnyx_id and not _is_confused(facts, command):
            what = f"{command.command_id} by {event_id}, which {causes.get(event_id) or 'nothing'} ended"
            yield Violation(9, "recording of another's", what)
        elif not event_id and ended and ended[0].at < lately and not _is_confused(facts, command):
            what = f"{command.command_id}, though {ended[0].event_id} was handed on at {ended[0].at:.3f} s"
            yield Violation(9, "recording not seen", what)


def _is_confused(facts: Facts, command: Command) -> bool:
    """Whether what became of other commands about its call's recordings is in doubt, so that nobody can tell.

    Nor can anybody where two recordings began, or ended, at nearly the same time, by clocks that are off.
    """
    alike = [one for one in facts.accepted.values() if one.call == command.call]
    others = (one for one in alike if one is not command and one.action in ("record_start", "record_stop"))
    began = sorted(
        one.effect_at or 0.0 for start in alike if start.action == "record_start" for one in facts.effects(start)
    )
    beside = any(second - first < _CLOCKS_SECONDS for first, second in pairwise(began))
    return beside or any(_confuses(facts, command, one) for one in others)


def _confuses(facts: Facts, command: Command, other: Command) -> bool:
    result = facts.result(other.command_id)
    if not facts.sent(other) or result is None:
        return bool(facts.sent(other))
    return result.state == "UNKNOWN" or len(facts.sent(other)) > 1 or _ended_one_beside(facts, command, other)


def _ended_one_beside(facts: Facts, command: Command, other: Command) -> bool:
    ends = [
        one.at for one in facts.history.deliveries if one.cause == other.telnyx_id and _is_recording(one.event_type)
    ]
    at = facts.effects(command)[0].effect_at or 0.0
    return other.action == "record_start" and any(abs(end - at) < _CLOCKS_SECONDS for end in ends)


def _succeeded(facts: Facts, action: str) -> Iterator[Command]:
    """Those of which there is no doubt: sent once, done, and said so."""
    for command in facts.accepted.values():
        result = facts.result(command.command_id)
        is_sure = result is not None and result.state == "SUCCEEDED" and len(facts.sent(command)) == 1
        if command.action == action and is_sure and facts.effects(command):
            yield command


def transfers_end_as_their_leg_does(facts: Facts) -> Iterator[Violation]:
    """Bridged: COMPLETED. Hung up and never bridged: FAILED. For calls with one transfer, that were alive meanwhile."""
    of_legs: dict[str, dict[str, Event]] = defaultdict(dict)
    for event in facts.history.events:
        of_legs[event.call].setdefault(event.event_type, event)
    ever_bridged = {one.call for one in facts.history.deliveries if one.event_type == "call.bridged"}
    for command in _succeeded(facts, "transfer"):
        legs = facts.effects(command)[0].made
        if len(legs) != 1 or not _is_the_only_one(facts, command):
            continue
        heard = of_legs[legs[0]]
        fate = heard.get("call.bridged") or heard.get("call.hangup")
        if "call.initiated" not in heard or fate is None or not _was_awaited(facts, command, heard):
            continue
        completion = facts.completions.get(command.command_id)
        if not _is_true(heard, completion, never_bridged=legs[0] not in ever_bridged):
            told = completion.state + " " + completion.reason if completion else "nothing"
            yield Violation(9, "leg not followed", f"{command.command_id} came to {told}; its leg: {sorted(heard)}")


def _is_the_only_one(facts: Facts, command: Command) -> bool:
    others = (one for one in facts.accepted.values() if one.call == command.call and one is not command)
    return not any(one.action == "transfer" and facts.sent(one) for one in others)


def _was_awaited(facts: Facts, command: Command, heard: dict[str, Event]) -> bool:
    """Whether the transfer was open, and its call alive and known, for as long as it takes to judge."""
    result, last = facts.result(command.command_id), max(event.at for event in heard.values())
    known = min((one.at for one in facts.history.events if one.call == command.call), default=None)
    over = last + _BRIDGED_SECONDS + _WAY_SECONDS
    ended_at = facts.ended_at(command.call)
    if result is None or known is None or known > last or over > facts.history.ended.closed_at:
        return False
    return over < result.at + _TRANSFER_SECONDS and (ended_at is None or ended_at > over)


def _is_true(heard: dict[str, Event], completion: Completion | None, *, never_bridged: bool) -> bool:
    if completion is None:
        return False
    bridged, hung_up = heard.get("call.bridged"), heard.get("call.hangup")
    if bridged is None:
        return not never_bridged or completion.state == "FAILED"
    if hung_up is not None and hung_up.number < bridged.number:
        return completion.state != "INCOMPLETE"  # It may have been awaited in vain.
    return completion.state == "COMPLETED"


def no_call_is_ended_by_another(facts: Facts) -> Iterator[Violation]:
    """Nothing is told of a call's end before it has ended."""
    said = [(one.command_id, one.reason, one.at) for one in facts.history.results]
    said += [(one.command_id, one.reason, one.at) for one in facts.history.completions]
    for command_id, reason, at in said:
        command = facts.accepted.get(command_id)
        if command is None or reason not in _OVER or command.call not in facts.history.calls:
            continue
        ended_at = facts.ended_at(command.call)
        if ended_at is None or at < ended_at:
            yield Violation(10, "ended in error", f"{command_id} was told {reason} at {at:.3f} s; its call lived on")


EVERY: Final[tuple[Check, ...]] = (
    recordings_find_their_call,
    recordings_complete_their_stop,
    transfers_end_as_their_leg_does,
    no_call_is_ended_by_another,
)
