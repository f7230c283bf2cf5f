"""Planted bugs of matching: which event is whose, what goes on, what was cleared and what a stop has stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cordboard import marks
from dispatcher.core import completion, matching, turn
from dispatcher.core.page import Flight, Open, Page
from dispatcher.core.rivals import is_stop
from simulation.mutation import Change, Mutation, instead, mutation, nothing


def _whatever_was_stopped(page: Page, clue: Any, owner: Any) -> list[Open]:
    return [one for one in page.open if is_stop(one.action) and not one.doubtful and matching.match_of(one, clue)]


def _only_what_completes(original: Callable[..., Any]) -> Callable[..., Any]:
    def role_beside(one: Open, clue: Any) -> Any:
        role = original(one, clue)
        return None if role is matching.Role.ACCOMPANIES else role

    return role_beside


def _the_last_attempt(flight: Flight) -> int:
    return next((one.sent_ms for one in reversed(flight.outcomes) if one.sent_ms), flight.first_ms)


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "all-alike",
        "what an event repeats of its command is not looked at",
        instead(marks, "compare", lambda one, other: (0, 0)),
    ),
    mutation(
        "loops-forgotten",
        "what was completed by its start is forgotten, so that its end is taken for another's",
        instead(completion, "_let_go_on", nothing),
    ),
    mutation(
        "never-cleared",
        "what was taken out of Telnyx's queue is awaited like anything else",
        instead(completion, "_clear", nothing),
    ),
    mutation(
        "stops-what-comes",
        "a stop is completed by the end of what was sent after it",
        instead(completion, "stops_by", _whatever_was_stopped),
    ),
    mutation(
        "prompts-are-nobodys",
        "a gather's prompt is not its own, so its events complete playbacks",
        Change(matching, "_role_beside", _only_what_completes),
    ),
    mutation(
        "last-attempt-counts",
        "an event is held against the last attempt, though the first had the effect (found in the product once)",
        instead(turn, "_first_sent_ms", _the_last_attempt),
    ),
)
