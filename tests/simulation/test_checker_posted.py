"""The checker sees events that are not posted on as they ought to be, and a spool that takes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checker import check
from simulation.customer import Forwarded, Mood
from simulation.history import History
from simulation.postings import Posting
from tests.simulation.whole import whole


def posted() -> History:
    """The whole history, in which both events were posted on, the first one at the second try."""
    history = whole()
    history.ended = replace(history.ended, over_at=70.0, closed_at=74.0)
    history.habits = replace(history.habits, forwards=True, spools=True)
    history.events = [replace(one, at=one.at + 5) for one in history.events]
    history.forwarded = [
        Forwarded(8.1, "hand0", "e1", b"w1", Mood.FAILS, 8.2),
        Forwarded(9.1, "hand0", "e1", b"w1", Mood.WELL, 9.2),
        Forwarded(10.7, "hand0", "e2", b"w2", Mood.WELL, 10.8),
    ]
    return history


def not_posted_on(history: History) -> None:
    history.forwarded[2].mood = Mood.SLOW


def posted_on_otherwise(history: History) -> None:
    history.forwarded[2].content = b"tidied"


def posted_out_of_order(history: History) -> None:
    history.forwarded[2].at = 9.0


def posting_held_up(history: History) -> None:
    history.forwarded[2].at = 14.0


def not_spooled(history: History) -> None:
    history.posted.append(Posting(6.0, "e2", b"w2", 503, is_served=True))


PLANTS = [not_posted_on, posted_on_otherwise, posted_out_of_order, posting_held_up, not_spooled]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_violation_is_found(plant: Callable[[History], None]) -> None:
    """
    A history with one thing wrong is not let through, and the violation is called by its name.
    """
    history = posted()

    plant(history)

    assert plant.__name__.replace("_", " ") in kinds(history)


def nothing(history: History) -> None:
    """It is as it was."""


def posted_once_more(history: History) -> None:
    history.forwarded.append(Forwarded(20.0, "hand1", "e1", b"w1", Mood.WELL, 20.1))


def held_up_by_a_frozen_worker(history: History) -> None:
    posting_held_up(history)
    history.setbacks.append(("hand0", 9.0, 14.0))


def behind_one_that_came_once_more(history: History) -> None:
    posting_held_up(history)
    history.forwarded.append(Forwarded(13.0, "hand1", "e1", b"w1", Mood.WELL, 13.1))


def refused_without_a_spool(history: History) -> None:
    not_spooled(history)
    history.habits = replace(history.habits, spools=False)


def cut_short_by_its_ingress(history: History) -> None:
    not_spooled(history)
    history.posted[-1] = replace(history.posted[-1], is_served=False)


ALLOWED = [
    nothing,
    posted_once_more,
    held_up_by_a_frozen_worker,
    behind_one_that_came_once_more,
    refused_without_a_spool,
    cut_short_by_its_ingress,
]


@pytest.mark.parametrize("plant", ALLOWED, ids=lambda plant: plant.__name__)
def test_what_is_allowed_is_let_through(plant: Callable[[History], None]) -> None:
    """
    Once more after a crash, late because of a fault, refused where there is no spool: none of it breaks a promise.
    """
    history = posted()

    plant(history)

    assert not kinds(history) & {one.__name__.replace("_", " ") for one in PLANTS}


def kinds(history: History) -> set[str]:
    return {violation.kind for violation in check(history)}
