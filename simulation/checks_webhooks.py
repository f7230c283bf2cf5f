"""Promise 9: a webhook acknowledged is kept, handed on once, and tied to a command only where that is true."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from cordboard.catalogue import CATALOGUE
from simulation.history import Completion
from simulation.indexed import Check, Facts, Violation

_MILESTONES: Final = frozenset({"call.initiated", "call.answered", "call.hangup"})
_GRACE_MS: Final = 4_000  # 2 s that the product grants, and as much for its clocks.
_WAY_SECONDS: Final = 3.0  # From the acknowledgement to the events topic, when nothing is wrong any more.


def acknowledged_is_handed_on(facts: Facts) -> Iterator[Violation]:
    """Every event that was answered 200 is handed on, under one content; none that is forged, none that is made up."""
    digests = defaultdict(set)
    for event in facts.history.events:
        digests[event.event_id].add(event.digest)
    lately = facts.history.ended.closed_at - _WAY_SECONDS
    delivered = {one.event_id for one in facts.history.deliveries}
    for delivery in facts.history.deliveries:
        if delivery.status == 200 and delivery.is_forged:
            yield Violation(9, "forgery taken", f"{delivery.event_type} {delivery.event_id}")
        elif delivery.status == 200 and delivery.event_id not in digests and delivery.at < lately:
            what = f"{delivery.event_type} {delivery.event_id}, acknowledged at {delivery.at:.3f} s"
            yield Violation(9, "not handed on", what)
    for event_id, seen in digests.items():
        if len(seen) > 1:
            yield Violation(9, "handed on differently", event_id)
        if event_id not in delivered:
            yield Violation(9, "made up", event_id)


def what_is_handed_on_is_what_came(facts: Facts) -> Iterator[Violation]:
    """An event has the body and both headers of a genuine delivery, and is keyed and named by the call in its body."""
    came = defaultdict(set)
    forged = _forged(facts)
    for posting in facts.history.posted:
        if posting.event_id not in forged:
            came[posting.event_id].add(posting.content)
    for event in facts.history.events:
        # Not only of what was answered 200: an answer may be lost.
        if event.content not in came[event.event_id]:
            yield Violation(9, "handed on otherwise", f"{event.event_type} {event.event_id}: nothing like it came")
        if event.call and (event.subject, event.key) != (event.call, event.call):
            what = f"{event.event_id} of {event.call}: subject {event.subject}, key {event.key}"
            yield Violation(9, "handed on as another's", what)


def the_ingress_takes_what_is_genuine(facts: Facts) -> Iterator[Violation]:
    """When nothing is wrong any more, a genuine webhook that reaches an ingress is answered 200."""
    ended, forged = facts.history.ended, _forged(facts)
    calm_at, closing_at = ended.calm_at + _WAY_SECONDS, ended.closed_at - _WAY_SECONDS
    for posting in facts.history.posted:
        is_due = posting.is_served and calm_at < posting.at < closing_at and posting.event_id not in forged
        if is_due and posting.status != 200:
            what = f"{posting.event_id} at {posting.at:.3f} s was answered {posting.status}"
            yield Violation(9, "turned away", what)


def the_spool_takes_what_the_log_does_not(facts: Facts) -> Iterator[Violation]:
    """An ingress with a spool answers a genuine webhook 200, whatever becomes of its log."""
    forged = _forged(facts)
    for posting in facts.history.posted:
        is_due = facts.history.habits.spools and posting.is_served and posting.status is not None
        if is_due and posting.status != 200 and posting.event_id not in forged:
            yield Violation(9, "not spooled", f"{posting.event_id} at {posting.at:.3f} s was answered {posting.status}")


def _forged(facts: Facts) -> set[str]:
    return {one.event_id for one in facts.history.deliveries if one.is_forged}


def ties_are_true(facts: Facts) -> Iterator[Violation]:
    """An event names a command only if that one happened, belongs to the call, and can cause such an event."""
    for event in facts.history.events:
        command = facts.accepted.get(event.command_id)
        if not event.command_id:
            continue
        if command is None:
            yield Violation(9, "tied to nothing", f"{event.event_type} names {event.command_id}")
            continue
        rule = CATALOGUE[command.action].completion
        is_of_new_leg = event.event_type in rule.progress_of_new_leg
        is_elsewhere = bool(command.call and event.call and command.call != event.call)
        if is_elsewhere != is_of_new_leg or (event.event_type not in rule.events and not is_of_new_leg):
            yield Violation(9, "tied wrongly", f"{event.event_type} names {event.command_id} ({command.action})")
        elif not facts.effects(command) and not command.ends_call:
            yield Violation(9, "tied to what did not happen", f"{event.event_type} names {event.command_id}")


def no_event_is_of_what_came_after(facts: Facts) -> Iterator[Violation]:
    """An event completes nothing that was sent after it happened. A call's end is the end of all."""
    occurred = {event.event_id: event.occurred_ms for event in facts.history.events}
    for completion in facts.history.completions:
        command = facts.accepted.get(completion.command_id)
        if command is None or not completion.event_id or completion.state != "COMPLETED":
            continue
        sent = [one.local_ms for one in facts.sent(command)]
        if (
            len(releases := facts.releases[command.command_id]) > 1
        ):  # The first one may have been sent, for all that is known.
            sent.append(min(one.released_ms for one in releases))
        if not sent or command.ends_call or command.action == "dial":
            continue
        early_ms = min(sent) - _GRACE_MS - occurred.get(completion.event_id, min(sent))
        if early_ms > 0:
            what = f"{completion.command_id}: {completion.event_type} had happened {early_ms + _GRACE_MS} ms before"
            yield Violation(9, "completed by the past", what)


def completions_are_true(facts: Facts) -> Iterator[Violation]:
    """One completion at most, of what happened, by an event that was handed on."""
    by_command: dict[str, list[Completion]] = defaultdict(list)
    for completion in facts.history.completions:
        by_command[completion.command_id].append(completion)
    handed_on = {event.event_id for event in facts.history.events}
    for command_id, completions in by_command.items():
        if len({one.digest for one in completions}) > 1:
            yield Violation(9, "completed twice", command_id)
        first, command = completions[0], facts.accepted.get(command_id)
        if command is None or (not facts.effects(command) and not command.ends_call):
            yield Violation(9, "completed without having happened", command_id)
        if first.event_id and first.event_id not in handed_on:
            yield Violation(9, "completed by nothing", f"{command_id}: {first.event_id} was never handed on")
        final = facts.final(command_id)
        if final is None or final.state != "SUCCEEDED":
            yield Violation(9, "completed without success", f"{command_id} is {final.state if final else 'nothing'}")


def a_dial_is_proven_by_its_own(facts: Facts) -> Iterator[Violation]:
    """A dial that made a call has succeeded in the end, where a webhook at its own address was acknowledged."""
    lately = facts.history.ended.closed_at - _WAY_SECONDS
    told = {
        one.call
        for one in facts.history.deliveries
        if one.status == 200 and not one.is_forged and one.event_type in _MILESTONES and one.at < lately
    }
    for command in facts.accepted.values():
        final = facts.final(command.command_id)
        made = {effect.call for effect in facts.effects(command)} if command.action == "dial" else set()
        if made & told and (final is None or final.state != "SUCCEEDED"):
            state = final.state if final else "nothing"
            yield Violation(6, "not proven", f"{command.command_id} is {state}, and its own webhook was acknowledged")


EVERY: Final[tuple[Check, ...]] = (
    acknowledged_is_handed_on,
    what_is_handed_on_is_what_came,
    the_ingress_takes_what_is_genuine,
    the_spool_takes_what_the_log_does_not,
    ties_are_true,
    no_event_is_of_what_came_after,
    completions_are_true,
    a_dial_is_proven_by_its_own,
)
