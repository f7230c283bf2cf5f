"""The checker sees what is wrong with the waiting: in the line, behind a gap, for an answer; and with what ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checker import check
from simulation.clock import BEGIN_MS
from simulation.history import Cancel, CancelReport, Command, Decision, Event, History, Release, Spot
from tests.simulation.whole import SPEAK, command, result, whole

NAME = "waits-1"
COMMANDS = "cordboard.commands"


def at(offset: int) -> Spot:
    return Spot(0, COMMANDS, offset)


def decided(history: History, number: int, read: int, *says: str) -> None:
    """A settle after which so many records of `commands` are read; 0 where it has read none."""
    positions = {COMMANDS: read} if read else {}
    history.decisions.append(Decision(number, 0, tuple(f"cordboard.{name}" for name in says), 2.0, positions))
    history.decisions.sort(key=lambda one: one.number)
    history.spoken.update(f"cordboard.{name}" for name in says)


def released(history: History, name: str, number: int, at_seconds: float = 2.0) -> None:
    """Released by the settle of the number before."""
    work = f"work.main.action|A|{name}|1"
    released_ms = BEGIN_MS + round(at_seconds * 1000)
    history.releases.append(
        Release(number, at_seconds, "A", name, 1, b"", None, None, released_ms, name=f"cordboard.{work}")
    )
    decided(history, number - 1, 0, work)


def waits(history: History, offset: int = 0, name: str = NAME, **facts: object) -> Command:
    """A command that has its result, and came before the hangup."""
    asked = replace(command(name, 4, at=1.0), spot=at(offset), **facts)
    history.commands.append(asked)
    history.results.append(replace(result(SPEAK, 9, 2.5), command_id=name, event_id=name))
    return asked


def cancelled_in_vain(history: History) -> None:
    waits(history)
    history.cancels.append(Cancel(5, "A", frozenset({NAME}), spot=at(1)))
    decided(history, 6, 2)
    released(history, NAME, 8)


def not_cancelled(history: History) -> None:
    waits(history)
    history.cancels.append(Cancel(5, "A", frozenset({NAME}), spot=at(1), cancel_id="c"))
    history.cancel_reports.append(CancelReport(7, "c", frozenset({NAME}), frozenset(), frozenset()))


def not_known_again(history: History) -> None:
    not_cancelled(history)
    history.cancel_reports[0] = CancelReport(7, "c", frozenset(), frozenset(), frozenset({NAME}))


def not_the_next(history: History) -> None:
    waits(history, 0)
    waits(history, 1, "next-1", placement=2)
    decided(history, 5, 2)
    released(history, NAME, 8)
    released(history, "next-1", 10)


def refused_for_a_gap(history: History, seconds: float) -> None:
    came = 10.0
    history.ended = replace(history.ended, calm_at=9.0)
    waits(history, 5, sequence=2, at=came)
    history.results[-1] = replace(
        result(SPEAK, 9, came + seconds, "refused", "REJECTED"), command_id=NAME, event_id=NAME, reason="SEQUENCE_GAP"
    )


def gap_not_waited_for(history: History) -> None:
    refused_for_a_gap(history, 1.0)


def gap_made_up(history: History) -> None:
    refused_for_a_gap(history, 2.0)
    waits(history, 1, "first-1", sequence=1)
    released(history, "first-1", 7)
    decided(history, 8, 6, f"results|{NAME}")


def answered(history: History, seconds: float) -> None:
    """A call of which a webhook was handed on is answered, and another command goes so much later."""
    waits(history, 0, "answer-1", action="answer")
    history.results[-1] = replace(history.results[-1], finish_ms=BEGIN_MS + 2_000)
    waits(history, 1)
    history.events.append(Event(3, 1.0, "e0", "call.initiated", "A", "", b"e", BEGIN_MS, "A", "A"))
    decided(history, 3, 0, "events|e0")
    decided(history, 6, 2, "results|answer-1")
    released(history, NAME, 8, 2.0 + seconds)


def not_held(history: History) -> None:
    answered(history, 1.0)


def line_without_end(history: History) -> None:
    for number in range(66):
        waits(history, number, f"waits-{number}")
        decided(history, 100 + number, number + 1)
        decided(history, 300 + number, 0, f"results|waits-{number}")


PLANTS = [
    cancelled_in_vain,
    not_cancelled,
    not_known_again,
    not_the_next,
    gap_not_waited_for,
    gap_made_up,
    not_held,
    line_without_end,
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_violation_is_found(plant: Callable[[History], None]) -> None:
    """
    A history with one thing wrong is not let through, and the violation is called by its name.
    """
    history = whole()

    plant(history)

    assert plant.__name__.replace("_", " ") in kinds(history)


def taken_back_when_it_had_gone(history: History) -> None:
    cancelled_in_vain(history)
    history.releases.pop()
    released(history, NAME, 5)


def next_when_it_came(history: History) -> None:
    not_the_next(history)
    history.decisions = [one for one in history.decisions if one.number != 5]
    decided(history, 8, 2)


def waited_for_in_vain(history: History) -> None:
    refused_for_a_gap(history, 2.0)


def behind_a_number_that_was_taken_back(history: History) -> None:
    gap_made_up(history)
    history.releases.pop()


def held_long_enough(history: History) -> None:
    answered(history, 5.0)


def as_many_as_a_line_holds(history: History) -> None:
    for number in range(65):
        waits(history, number, f"waits-{number}")
        decided(history, 100 + number, number + 1)
        decided(history, 300 + number, 0, f"results|waits-{number}")


@pytest.mark.parametrize(
    "plant",
    [
        taken_back_when_it_had_gone,
        next_when_it_came,
        waited_for_in_vain,
        behind_a_number_that_was_taken_back,
        held_long_enough,
        as_many_as_a_line_holds,
    ],
    ids=lambda plant: plant.__name__,
)
def test_what_is_allowed_is_let_through(plant: Callable[[History], None]) -> None:
    """
    What was decided before its owner could know better, or waited for as long as it must, is no violation.
    """
    history = whole()

    plant(history)

    assert not kinds(history) & {one.__name__.replace("_", " ") for one in PLANTS}


def kinds(history: History) -> set[str]:
    return {violation.kind for violation in check(history)}
