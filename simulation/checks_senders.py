"""Promise 2, and what senders and watchers were told: it agrees with the log."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from simulation.indexed import Check, Facts, Violation
from simulation.senders import Told


def told_the_truth(facts: Facts) -> Iterator[Violation]:
    """A result told to a sender is one that is in the log; what was cancelled is CANCELLED."""
    for told in facts.history.told:
        states = {one.state for one in facts.history.results if one.command_id == told.command_id}
        if told.what == "result" and told.state not in states:
            yield Violation(4, "told otherwise", f"{told.command_id}: told {told.state}, in the log {sorted(states)}")
        final = facts.final(told.command_id)
        if told.what == "cancelled" and (final is None or final.state != "CANCELLED"):
            yield Violation(4, "not cancelled", f"{told.command_id} is {final.state if final else 'nothing'}")


def refused_is_refused(facts: Facts) -> Iterator[Violation]:
    """Where every try was answered with an error that says that nothing will happen, nothing did."""
    tries: dict[str, list[Told]] = defaultdict(list)
    for told in facts.history.told:
        tries[told.command_id].append(told)
    for command_id, all_told in tries.items():
        definite = [one for one in all_told if one.what == "refused" and one.reason != "ACCEPTANCE_UNKNOWN"]
        if len(definite) == len(all_told) and command_id in facts.records:
            yield Violation(2, "accepted after all", f"{command_id}: every try was refused, and it is in the log")


def watched_everything(facts: Facts) -> Iterator[Violation]:
    """Whoever watches from a cursor on sees everything that was said since."""
    history, since = facts.history, facts.history.watched_since
    if since is None:
        return
    for result in history.results:
        name = f"cordboard.command.result{_SUFFIXES[result.kind]}.v1|{result.command_id}"
        if since + 1.0 < result.at < history.ended.closed_at - 3.0 and name not in history.watched:
            yield Violation(4, "not seen", f"{result.kind} of {result.command_id} at {result.at:.3f} s")
    for completion in history.completions:
        name = f"cordboard.command.completed.v1|{completion.command_id}"
        if since + 1.0 < completion.at < history.ended.closed_at - 3.0 and name not in history.watched:
            yield Violation(9, "completion not seen", f"{completion.command_id} at {completion.at:.3f} s")
    for event in history.events:
        if since + 1.0 < event.at < history.ended.closed_at - 3.0 and f"event|{event.event_id}" not in history.watched:
            yield Violation(9, "not seen", f"{event.event_type} {event.event_id}")


_SUFFIXES: Final = {"result": "", "replayed": ".replayed", "refused": ".refused", "settled": ".settled"}

EVERY: Final[tuple[Check, ...]] = (told_the_truth, refused_is_refused, watched_everything)
