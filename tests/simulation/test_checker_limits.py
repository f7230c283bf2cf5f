"""The checker sees when an account's limits do not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checks_limits import EVERY
from simulation.clock import BEGIN_MS
from simulation.habits import NO_HABITS
from simulation.history import History, Release
from simulation.indexed import Facts
from tests.simulation.whole import command, request, result, whole


def a_dial(history: History, name: str, number: int, at: float) -> None:
    """Accepted, released, sent and answered, within a second; its call lives until 12 s."""
    history.commands.append(replace(command(name, number, "dial", at=at), call="", page=f"dial:main/{name}"))
    history.releases.append(Release(number + 1, at + 0.1, f"dial:main/{name}", name, 1, b"", BEGIN_MS + 50_000, None))
    history.requests.append(request(number, name, at + 0.2, "dial", call=name))
    history.results.append(result(name, number + 10, at + 0.4))
    history.calls[name] = 12.0


def found(history: History) -> set[str]:
    return {violation.kind for check in EVERY for violation in check(Facts(history))}


def of_few(**habits: bool) -> History:
    history = whole()
    history.habits = replace(NO_HABITS, **habits)
    return history


def one_after_another(history: History) -> None:
    a_dial(history, "d1", 20, 6.0)
    a_dial(history, "d2", 40, 13.0)


def side_by_side(history: History) -> None:
    a_dial(history, "d1", 20, 6.0)
    a_dial(history, "d2", 22, 6.1)


@pytest.mark.parametrize(
    ("habit", "kind"), [("has_few_channels", "channels exceeded"), ("has_little_room", "credit exceeded")]
)
def test_what_is_side_by_side_is_seen_where_there_is_no_room(habit: str, kind: str) -> None:
    """
    Of an account without the limit it is no matter.
    """
    seen: dict[Callable[[History], None], set[str]] = {}
    for happens in (one_after_another, side_by_side):
        history = of_few(**{habit: True})
        happens(history)
        seen[happens] = found(history)
    free = of_few()
    side_by_side(free)

    assert seen == {one_after_another: set(), side_by_side: {kind}}
    assert found(free) == set()
