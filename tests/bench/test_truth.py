"""The bench's judge: a bench that checks order and completeness must see it when they are broken."""

from __future__ import annotations

import pytest

from bench.cells import STREAM, Cell, command_id, place_of
from bench.truth import Faulty, judge

CELL = Cell(
    number=7, system=STREAM, in_flight=2, provider_ms=0, count_max=9, seconds_max=1.0, calls=["call-a", "call-b"]
)


def effects(*places: tuple[int, int]) -> list[tuple[str, str]]:
    """What the sandbox says has happened: call and sequence number, in order."""
    return [(CELL.calls[call], command_id(CELL.number, call, sequence)) for call, sequence in places]


def test_an_id_tells_its_place() -> None:
    """Measurement, call and number come back from the id as they went in."""
    assert place_of(command_id(3, 19_999, 70_000)) == (3, 19_999, 70_000)


def test_calls_may_mix_and_their_commands_may_not() -> None:
    """Order is a call's own affair."""
    assert not judge(CELL, [2, 2], effects((1, 0), (0, 0), (0, 1), (1, 1)))


@pytest.mark.parametrize(
    ("happened", "faulty"),
    [
        (effects((0, 0), (1, 0), (1, 1)), Faulty(lost=1)),
        (effects((0, 1), (0, 0), (1, 0), (1, 1)), Faulty(reordered=1)),
        (effects((0, 0), (0, 1), (0, 1), (1, 0), (1, 1)), Faulty(doubled=1)),
        ([], Faulty(lost=4)),
    ],
)
def test_what_is_broken_is_counted(happened: list[tuple[str, str]], faulty: Faulty) -> None:
    """A command missing, behind its successor, or there twice."""
    assert judge(CELL, [2, 2], happened) == faulty
    assert faulty


def test_a_command_on_another_call_ends_the_bench() -> None:
    """No count could say what that is."""
    with pytest.raises(AssertionError, match="another call"):
        judge(CELL, [1, 0], [("call-b", command_id(CELL.number, 0, 0))])
