"""Which commands could be taken for each other by the events that they cause.

A stop causes no event of its own: it is completed by the end of what it stops. So it is nobody's rival, while it can
itself never be proven by an event.
"""

from __future__ import annotations

from cordboard.catalogue import CATALOGUE
from dispatcher.core.commands import CALL_ENDING
from dispatcher.core.page import Page


def completing_events(action: str, *, endless: bool = False) -> frozenset[str]:
    """The event types that end the wait for a command; what repeats for ever is in effect once it started."""
    rule = CATALOGUE[action].completion
    begun = rule.started_by if endless else frozenset()
    return begun | rule.completed_by | rule.failed_by


def is_stop(action: str) -> bool:
    """Whether it ends what another command started."""
    return CATALOGUE[action].completion.ends_another


def contest(page: Page, action: str) -> None:
    """From now on, events of this action's kind no longer prove that a command in doubt was done."""
    for waiting in page.open:
        if waiting.doubtful and _are_rivals(waiting.action, action):
            waiting.contested = True
    for flight in page.flights:
        if _are_rivals(flight.ask.action, action):
            flight.contested = True


def is_contested(page: Page, action: str) -> bool:
    """Whether events of this action's kind could be another command's: one that is open, goes on or is on its way."""
    if is_stop(action):  # Its event is another's by nature, and what it was to stop may have ended by itself.
        return True
    others = (*(one.action for one in (*page.open, *page.running)), *(one.ask.action for one in page.flights))
    return any(_are_rivals(action, other) for other in others)


def _are_rivals(doubtful: str, other: str) -> bool:
    if doubtful in CALL_ENDING or (is_stop(other) and not is_stop(doubtful)):
        return False
    return bool(completing_events(doubtful) & CATALOGUE[other].completion.events)
