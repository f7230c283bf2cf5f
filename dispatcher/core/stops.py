"""Stops: which of them an event completes, as the end of what they stopped.

Most stops are complete with whatever ends what they would have ended: when nothing plays any more, that is in effect.
Of those that end one thing (`Completion.ends_one`: record_stop) each is complete by the end of what it ended itself,
and by nothing else:

Rule 1: of what was going on when it was done, a stop has ended the latest that was started, unless an earlier stop has
ended that: then it has ended nothing, as far as is known. Its event is not told of again.
Rule 2: what nobody here started is ended by the stop that was done nearest to its end, of those without a thing of
their own.
Rule 3: what was over before a stop was sent is not its doing.
"""

from __future__ import annotations

from cordboard.catalogue import CATALOGUE
from dispatcher.core.matching import Match, Role, apart_ms, is_end_of, match_of
from dispatcher.core.page import Clue, Open, Page
from dispatcher.core.rivals import completing_events, is_stop
from dispatcher.core.turn import Turn


def ends_one(action: str) -> bool:
    """Whether it is complete only by the end of what it ended itself."""
    return CATALOGUE[action].completion.ends_one


def stops_by(page: Page, clue: Clue, owner: Match | None) -> list[Open]:
    """The stops that an event completes: of nothing that was sent after them."""
    found = [match_of(one, clue) for one in page.open if is_stop(one.action) and not one.doubtful]
    matches = [match for match in found if match and match.role is Role.COMPLETES and not match.conflicts]
    stops = [
        match.command
        for match in matches
        if isinstance(match.command, Open) and (owner is None or owner.order < match.order)
    ]
    its_own = _that_ended(page, clue, owner, [one for one in stops if ends_one(one.action)])
    return [one for one in stops if one in its_own or not ends_one(one.action)]


def is_past(page: Page, clue: Clue, owner: Match | None) -> bool:
    """Whether no stop that is still on its way can have ended what an event is the end of: by rule 1."""
    if owner is None or not isinstance(owner.command, Open):
        return False
    return bool(owner.command.ended_by) or any(
        owner.order < one.order and is_end_of(one, clue.event_type) for one in page.running
    )


def note_stop(turn: Turn, stop: Open) -> None:
    """A stop of one thing was done: its event is awaited no longer than the stop is."""
    events = completing_events(stop.action)
    before = [
        one for one in turn.page.running if one.order < stop.order and any(is_end_of(one, name) for name in events)
    ]
    latest = max(before, key=lambda one: one.order, default=None)
    if latest is not None and (not latest.ended_by or stop.order < latest.ended_by):
        latest.ended_by, latest.deadline_ms = stop.order, stop.deadline_ms
        turn.changed = True


def note_start(turn: Turn) -> None:
    """Something goes on, as turns out late: a stop that was done since has ended it."""
    for one in sorted(turn.page.open, key=lambda one: one.order):
        if ends_one(one.action) and not one.doubtful:
            note_stop(turn, one)


def _that_ended(page: Page, clue: Clue, owner: Match | None, stops: list[Open]) -> list[Open]:
    if owner is not None:
        ended_by = owner.command.ended_by if isinstance(owner.command, Open) else 0
        return [one for one in stops if ended_by and one.order == ended_by]
    taken = {one.ended_by for one in page.running}
    free = [one for one in stops if one.order not in taken]
    return sorted(free, key=lambda one: (apart_ms(one, clue.over_ms) if clue.over_ms else 0, one.order))[:1]
