"""The checker sees hangups that were held up, tries that were owed and not made, and doubts that nobody settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.beliefs import Belief
from simulation.checker import check
from simulation.clock import BEGIN_MS
from simulation.history import Delivery, History, Label, Report
from tests.simulation.whole import HANGUP, SPEAK, command, request, result, whole


def held_up(history: History) -> None:
    history.requests[1] = request(1, HANGUP, 6.5, "hangup")


def reported(history: History, verdict: str, tries: int = 1) -> None:
    """The first command is given up by its worker 9 s after its release, after so many tries."""
    history.requests = [request(number, SPEAK, 1.2 + number) for number in range(tries)] + history.requests[1:]
    history.reports.append(Report(3, 10.1, SPEAK, 1, verdict, BEGIN_MS + 10_100))
    history.releases[0] = replace(history.releases[0], released_ms=BEGIN_MS + 1_100, expire_ms=None)


def not_tried_again(history: History) -> None:
    history.releases[0] = replace(history.releases[0], at=4.1)
    reported(history, "no_answer")
    history.requests[0] = request(0, SPEAK, 4.2)


def given_up(history: History, seconds: float) -> None:
    """Nothing was heard of the first command for so long, and then it was UNKNOWN."""
    history.releases[0] = replace(history.releases[0], released_ms=BEGIN_MS + 1_100, expire_ms=None)
    history.results[0] = replace(
        history.results[0], state="UNKNOWN", reason="WORKER_LOST", at=4.0, finish_ms=BEGIN_MS + round(seconds * 1000)
    )
    history.calls["A"] = None


def not_released_again(history: History) -> None:
    given_up(history, 16.0)


def not_proven(history: History) -> None:
    history.results[0] = replace(history.results[0], state="UNKNOWN", reason="NO_ANSWER")
    history.deliveries[0] = Delivery(2.9, "e1", "call.speak.ended", "A", 200, cause=f"id-{SPEAK}")


def leg_unnamed(history: History) -> None:
    dial = replace(command("dial-1", 20, "dial"), call="", page="dial:main/dial-1")
    history.commands.append(dial)
    label = Label(action="dial")
    history.results.append(replace(result(SPEAK, 21, 2.0), command_id="dial-1", event_id="dial", label=label))


def forgotten(history: History) -> None:
    history.beliefs = {"A": Belief(is_over=False, asks=False)}


PLANTS = [held_up, not_tried_again, not_released_again, not_proven, leg_unnamed, forgotten]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_violation_is_found(plant: Callable[[History], None]) -> None:
    """
    A history with one thing wrong is not let through, and the violation is called by its name.
    """
    history = whole()

    plant(history)

    assert plant.__name__.replace("_", " ") in kinds(history)


def held_up_by_a_frozen_worker(history: History) -> None:
    held_up(history)
    history.setbacks.append(("hand0", 5.0, 6.4))


def held_up_by_the_log(history: History) -> None:
    history.requests[1] = request(1, HANGUP, 6.0, "hangup")


def tried_again(history: History) -> None:
    reported(history, "no_answer", tries=2)


def a_dial_that_may_have_left(history: History) -> None:
    not_tried_again(history)
    history.commands[0] = replace(history.commands[0], action="dial")
    history.requests[0] = request(0, SPEAK, 4.2, "dial")


def given_up_in_the_end(history: History) -> None:
    given_up(history, 52.0)


def given_up_though_its_repeat_was_heard_of(history: History) -> None:
    not_released_again(history)
    history.reports.append(Report(3, 3.9, SPEAK, 1, "unsent", BEGIN_MS + 3_900))
    history.requests.insert(1, request(9, SPEAK, 2.0))


def what_another_one_may_have_caused(history: History) -> None:
    not_proven(history)
    history.commands.append(command("speak-2", 2))
    history.releases.append(replace(history.releases[0], number=4, command_id="speak-2"))


ALLOWED = [
    held_up_by_a_frozen_worker,
    held_up_by_the_log,
    tried_again,
    a_dial_that_may_have_left,
    given_up_in_the_end,
    given_up_though_its_repeat_was_heard_of,
    what_another_one_may_have_caused,
]


@pytest.mark.parametrize("plant", ALLOWED, ids=lambda plant: plant.__name__)
def test_what_is_allowed_is_let_through(plant: Callable[[History], None]) -> None:
    """
    What the log or a fault held up, what was tried as often as it could be, and what proves nothing, is no violation.
    """
    history = whole()

    plant(history)

    assert not kinds(history) & {one.__name__.replace("_", " ") for one in PLANTS}


def kinds(history: History) -> set[str]:
    return {violation.kind for violation in check(history)}
