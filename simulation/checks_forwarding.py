"""Promise 9, for what is posted on: each event, at least once, in its call's order, as it came, behind no other's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from simulation.customer import Forwarded
from simulation.history import Event
from simulation.indexed import Check, Facts, Violation

_LATELY_SECONDS: Final = 30.0  # Of the end: until the endpoint is tried again, and what waits behind has gone.
_AT_ONCE_SECONDS: Final = 3.0


class _Posts:
    """What was posted on, by event, and the events of each call in the order of the log."""

    def __init__(self, facts: Facts) -> None:
        self.by_event: dict[str, list[Forwarded]] = defaultdict(list)
        for one in facts.history.forwarded:
            self.by_event[one.event_id].append(one)
        self.lines: dict[str, dict[str, Event]] = defaultdict(dict)
        for event in facts.history.events:
            self.lines[event.key].setdefault(event.event_id, event)

    def first(self, event: Event) -> float:
        """When it was posted first."""
        return min((one.at for one in self.by_event[event.event_id]), default=float("inf"))

    def first_taken(self, event: Event) -> float:
        """When the first request left that was taken."""
        return min((one.at for one in self.by_event[event.event_id] if one.is_taken), default=float("inf"))


def events_are_posted_on(facts: Facts) -> Iterator[Violation]:
    """Each is taken at least once, however often the endpoint failed; byte for byte, and nothing else is posted."""
    history, posts = facts.history, _Posts(facts)
    if not history.habits.forwards:
        return
    lately, contents = history.ended.closed_at - _LATELY_SECONDS, defaultdict(set)
    for event in history.events:
        contents[event.event_id].add(event.content)
        if event.at < lately and not any(one.is_taken for one in posts.by_event[event.event_id]):
            tries = len(posts.by_event[event.event_id])
            yield Violation(9, "not posted on", f"{event.event_type} {event.event_id}, after {tries} tries")
    for one in history.forwarded:
        if one.content not in contents[one.event_id]:
            yield Violation(9, "posted on otherwise", f"{one.event_id} at {one.at:.3f} s")


def events_are_posted_in_order(facts: Facts) -> Iterator[Violation]:
    """Of one call no event is posted before the one before it was taken; an old one may come once more."""
    posts = _Posts(facts)
    for line in posts.lines.values():
        for before, after in pairwise(line.values()):
            if posts.first(after) < posts.first_taken(before):
                what = f"{after.event_id} at {posts.first(after):.3f} s, before {before.event_id} was taken"
                yield Violation(9, "posted out of order", what)


def no_event_waits_for_another_call(facts: Facts) -> Iterator[Violation]:
    """An event is tried as soon as those before it of its call are done, whatever becomes of the others."""
    history, posts = facts.history, _Posts(facts)
    if not history.habits.forwards:
        return
    for line in posts.lines.values():
        before: list[Forwarded] = []  # An earlier one may come once more, if it was taken and nobody heard of that.
        for event in line.values():
            first = posts.first(event)
            ready = max([event.at, *(one.over_at or first for one in before if one.at < first)])
            due = ready + _AT_ONCE_SECONDS
            if due < min(first, history.ended.closed_at) and facts.is_calm("hand", ready, due):
                yield Violation(9, "posting held up", f"{event.event_id} could be posted at {ready:.3f} s")
            before += posts.by_event[event.event_id]


EVERY: Final[tuple[Check, ...]] = (
    events_are_posted_on,
    events_are_posted_in_order,
    no_event_waits_for_another_call,
)
