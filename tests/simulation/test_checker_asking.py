"""The checker sees what goes wrong with questions whether calls live, and with dials that ring too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dispatcher.core.asking import QUESTION
from simulation.beliefs import Belief
from simulation.checker import check
from simulation.clock import BEGIN_MS
from simulation.habits import Habits
from simulation.history import Completion, Ended, History, Release, Report, Result
from tests.simulation.whole import command, request, whole

SOON = Habits(asks_after=15.0, hangs_up_late=True, tells_no_ends=True)
LATE_HANGUP = "late~0~dial-1"


def asked(number: int, at: float, attempt: int) -> Release:
    return Release(number, at, "A", QUESTION, attempt, b"", None, None, BEGIN_MS + round(at * 1000))


def question_told(history: History) -> None:
    history.completions.append(Completion(30, 9.0, QUESTION, "", "COMPLETED", "UNSPECIFIED", "", ""))


def asked_twice(history: History) -> None:
    history.releases += [asked(30, 20.0, 1), asked(31, 30.0, 2)]


def not_found_out(history: History) -> None:
    history.habits, history.ended = SOON, Ended(30.0, 180.0, 184.0)
    history.beliefs["A"] = Belief(is_over=False, asks=True)


def believed_over(history: History) -> None:
    history.calls["B"] = None
    history.beliefs["B"] = Belief(is_over=True, asks=True)


def a_late_dial(history: History, state: str = "UNKNOWN") -> None:
    """Its result at 2 s, settled at 2.5 s; its call, B, rings until 12 s."""
    history.habits = SOON
    history.commands.append(replace(command("dial-1", 20, "dial"), call="", page="dial:main/dial-1"))
    history.requests.append(request(2, "dial-1", 1.2, "dial", call="B"))
    for number, kind, told in ((21, "result", state), (22, "settled", "SUCCEEDED")):
        at = 2.0 if kind == "result" else 2.5
        history.results.append(Result(number, at, kind, f"{kind}-d", "dial-1", told, "UNSPECIFIED", BEGIN_MS + 1000))
    history.calls["B"] = 12.0


def hung_up(history: History) -> None:
    history.commands.append(replace(command(LATE_HANGUP, 40, "hangup", at=2.6), call="B", page="B"))
    history.requests.append(request(3, LATE_HANGUP, 2.8, "hangup", call="B"))
    told = Result(41, 2.9, "result", "result-h", LATE_HANGUP, "SUCCEEDED", "UNSPECIFIED", BEGIN_MS + 2600)
    history.results.append(told)


def hung_up_needlessly(history: History) -> None:
    a_late_dial(history, state="SUCCEEDED")
    hung_up(history)


def hung_up_in_use(history: History) -> None:
    a_late_dial(history)
    history.commands.append(replace(command("speak-9", 30, at=2.0), call="B", page="B"))
    history.releases.append(replace(asked(31, 2.1, 1), key="B", command_id="speak-9"))
    hung_up(history)


def not_hung_up(history: History) -> None:
    a_late_dial(history)


PLANTED: list[Callable[[History], None]] = [
    question_told,
    asked_twice,
    not_found_out,
    believed_over,
    hung_up_needlessly,
    hung_up_in_use,
    not_hung_up,
]


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_is_planted_is_found(plant: Callable[[History], None]) -> None:
    """
    Each violation is found, under its own name.
    """
    history = whole()

    plant(history)

    assert plant.__name__.replace("_", " ") in {violation.kind for violation in check(history)}


def test_what_is_as_it_should_be_is_in_order() -> None:
    """
    A second question after the first one's answer, and the hangup of a dial that was given up.
    """
    history = whole()

    asked_twice(history)
    history.reports.append(Report(30, 21.0, QUESTION, 1, "done", BEGIN_MS + 21_000, "A"))
    a_late_dial(history)
    hung_up(history)

    assert {violation.kind for violation in check(history)} & {
        one.__name__.replace("_", " ") for one in PLANTED
    } == set()
