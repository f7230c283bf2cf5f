"""Promise 9, for what is heard: an event is tied to the command that truly caused it, wherever that can be known.

The sandbox knows which command caused an event. Cordboard has to find out: files have names of their own here, so that
their events can always be told apart; speeches only where all of a call's are heard in their order, in time, and after
their commands' results.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cordboard.catalogue import CATALOGUE
from simulation.history import Command, Completion, Event
from simulation.indexed import Check, Facts, Violation

_SPOKEN: Final = frozenset({"call.speak.started", "call.speak.ended"})
_PLAYED: Final = frozenset({"call.playback.started", "call.playback.ended"})
_LATE_SECONDS: Final = 4.0


class _Sounds:
    """Who caused what, and what was known when."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.by_telnyx_id = {one.telnyx_id: one for one in facts.accepted.values()}
        self.cause = {one.event_id: one.cause for one in facts.history.deliveries if one.cause}
        self.completions = {one.command_id: one for one in facts.history.completions}

    def cause_of(self, event_id: str) -> Command | None:
        """The command that truly caused an event; None for an event of no command, or of one that was not ours."""
        return self.by_telnyx_id.get(self.cause.get(event_id, ""))

    def is_known(self, command: Command, number: int) -> bool:
        """Whether a command was certainly done, and its end awaited, at a place of the history."""
        result, completion = self.facts.result(command.command_id), self.completions.get(command.command_id)
        if result is None or result.state != "SUCCEEDED" or result.number > number:
            return False
        return completion is None or completion.number > number or self._goes_on(completion)

    def _goes_on(self, completion: Completion) -> bool:
        return completion.event_type in CATALOGUE[completion.action].completion.started_by

    def can_be_told(self, event_type: str, cause: Command, call: str, number: int) -> bool:
        """Whether at a place of the history it could be known whose event it is."""
        if event_type in _PLAYED:
            return self.is_known(cause, number)
        return event_type in _SPOKEN and self.is_orderly(call)

    def is_orderly(self, call: str) -> bool:
        """Whether all speeches of a call were heard of in order, in time, and after their commands' results."""
        heard = [one for one in self.facts.history.events if one.call == call and one.event_type in _SPOKEN]
        told = {one.event_id for one in self.facts.history.deliveries if one.call == call and one.event_type in _SPOKEN}
        times = [one.occurred_ms for one in heard]
        return (
            times == sorted(times)
            and told == {one.event_id for one in heard}
            and all(self._is_in_time(one) for one in heard)
            and not any(one.call == call and self._is_doubtful(one) for one in self.facts.accepted.values())
        )

    def _is_in_time(self, event: Event) -> bool:
        cause = self.cause_of(event.event_id)
        result = self.facts.result(cause.command_id) if cause else None
        told_at = min(one.at for one in self.facts.history.deliveries if one.event_id == event.event_id)
        return result is not None and result.number < event.number and event.at - told_at < _LATE_SECONDS

    def _is_doubtful(self, command: Command) -> bool:
        """Whether for long nobody knew what became of it: what was heard meanwhile may have been its doing."""
        result, releases = self.facts.result(command.command_id), self.facts.releases[command.command_id]
        if result is None or result.state == "UNKNOWN":
            return True
        return bool(releases) and result.at - releases[0].at > _LATE_SECONDS


def events_are_tied_to_their_causes(facts: Facts) -> Iterator[Violation]:
    """An event that is tied to a command was caused by it, unless nobody could have known better."""
    sounds = _Sounds(facts)
    for event in facts.history.events:
        command, cause = facts.accepted.get(event.command_id), sounds.cause_of(event.event_id)
        if command is None or cause is None or cause is command or CATALOGUE[command.action].completion.ends_another:
            continue
        if sounds.can_be_told(event.event_type, cause, event.call, event.number):
            what = f"{event.event_type} of {cause.command_id} names {event.command_id}"
            yield Violation(9, "tied to another", what)


def nothing_is_given_up_in_spite_of_its_event(facts: Facts) -> Iterator[Violation]:
    """A playback is not given up for want of an event that was handed on before, nor cut off after it has ended."""
    sounds = _Sounds(facts)
    ended = {
        cause.command_id: event
        for event in facts.history.events
        if event.event_type == "call.playback.ended" and (cause := sounds.cause_of(event.event_id))
    }
    for completion in facts.history.completions:
        result = facts.result(completion.command_id)
        if completion.action != "playback_start" or completion.state != "INCOMPLETE" or result is None:
            continue
        event = ended.get(completion.command_id)
        if event is None or event.event_id == completion.event_id or result.state != "SUCCEEDED":
            continue
        if event.number < completion.number:
            yield Violation(9, "given up in spite", f"{completion.command_id}: its end was handed on before")


def stops_end_what_was_there(facts: Facts) -> Iterator[Violation]:
    """No stop is completed by the end of what was sent after it."""
    sounds = _Sounds(facts)
    for completion in facts.history.completions:
        cause = sounds.cause_of(completion.event_id)
        if cause is None or completion.state != "COMPLETED" or not CATALOGUE[completion.action].completion.ends_another:
            continue
        if cause.command_id == completion.command_id:  # A recording is caused by what ended it.
            continue
        first = [min(one.number for one in facts.releases[name]) for name in (cause.command_id, completion.command_id)]
        if first[0] > first[1] and sounds.can_be_told(completion.event_type, cause, cause.call, completion.number - 1):
            yield Violation(9, "stopped before it began", f"{completion.command_id} by the end of {cause.command_id}")


EVERY: Final[tuple[Check, ...]] = (
    events_are_tied_to_their_causes,
    nothing_is_given_up_in_spite_of_its_event,
    stops_end_what_was_there,
)
