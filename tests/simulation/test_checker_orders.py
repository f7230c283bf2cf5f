"""The checker sees when an operator's order is not heeded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checks_orders import EVERY
from simulation.clock import BEGIN_MS
from simulation.history import Given, History, Label, Release
from simulation.indexed import Facts
from tests.simulation.whole import command, request, result, whole

PAUSED = [Given(0, 6.0, BEGIN_MS + 6_000, "pause"), Given(1, 29.0, BEGIN_MS + 29_000, "resume")]
CANCELLED = [Given(0, 9.0, BEGIN_MS + 9_000, "cancel", "campaign")]
Plant = Callable[[History], None]


def ordered(orders: list[Given]) -> History:
    history = whole()
    history.orders = list(orders)
    return history


def comes(history: History, name: str, at: float, action: str = "speak") -> None:
    """A command of the group `campaign`, for a call of its own."""
    label = Label("B", "main", action, "service", "campaign")
    history.commands.append(replace(command(name, 50, action, at=at), call="B", page="B", label=label))


def is_released(history: History, name: str, at: float) -> None:
    history.releases.append(Release(60, at, "B", name, 1, b"", BEGIN_MS + 60_000, None))


def sent(history: History) -> None:
    comes(history, "held", 10.0)
    history.requests.append(request(9, "held", 12.0, call="B"))


def sent_at_once(history: History) -> None:
    comes(history, "held", 6.0)
    history.requests.append(request(9, "held", 6.5, call="B"))


def hung_up(history: History) -> None:
    comes(history, "end", 12.0, "hangup")
    is_released(history, "end", 12.1)
    history.requests.append(request(9, "end", 12.2, "hangup", call="B"))
    history.results.append(result("end", 70, 12.4))


def hung_up_late(history: History) -> None:
    comes(history, "end", 12.0, "hangup")
    is_released(history, "end", 28.0)


def begun(history: History) -> None:
    comes(history, "held", 5.0)
    is_released(history, "held", 15.0)
    history.results.append(result("held", 70, 15.5))


def begun_before(history: History) -> None:
    comes(history, "held", 5.0)
    is_released(history, "held", 5.1)
    history.results.append(result("held", 70, 15.5))


def waits(history: History) -> None:
    comes(history, "held", 5.0)
    history.results.append(result("held", 70, 25.0, state="CANCELLED"))


def ends(history: History) -> None:
    comes(history, "held", 5.0)
    history.results.append(result("held", 70, 9.5, state="CANCELLED"))


def came_later(history: History) -> None:
    comes(history, "held", 12.0)
    is_released(history, "held", 15.0)


@pytest.mark.parametrize(
    ("orders", "plant", "kinds"),
    [
        (PAUSED, sent, {"sent while paused"}),
        (PAUSED, begun, {"released while paused"}),
        (PAUSED, hung_up_late, {"behind a pause"}),
        (PAUSED, hung_up, set()),
        (PAUSED, sent_at_once, set()),
        (CANCELLED, begun, {"released though cancelled"}),
        (CANCELLED, waits, {"cancelled late"}),
        (CANCELLED, begun_before, set()),
        (CANCELLED, came_later, set()),
        (CANCELLED, ends, set()),
    ],
)
def test_what_an_order_forbids_is_seen(orders: list[Given], plant: Plant, kinds: set[str]) -> None:
    """
    And what it allows is not.
    """
    history = ordered(orders)
    plant(history)

    assert {violation.kind for check in EVERY for violation in check(Facts(history))} == kinds


def test_a_process_that_was_away_is_excused() -> None:
    """
    It cannot have heard.
    """
    history = ordered(PAUSED)
    sent(history)
    begun(history)
    history.setbacks = [("hand0", 5.0, 11.0), ("brain0", 5.0, 11.0)]

    assert [violation for check in EVERY for violation in check(Facts(history))] == []
