"""What is read off the topics before it is judged: who was accepted before whom, and how long commands waited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from cordboard.topics import Topics
from cordboard.v1 import Answer, Command, CommandResult, SendDtmf
from cordboard.work import Lane, Outcome, Repeat, Verdict, Work, encode
from tests.e2e.checker import Told
from tests.e2e.faults import Deed, plan
from tests.e2e.records import Line, home_of, in_order_of_acceptance
from tests.e2e.releases import sent_twice
from tests.e2e.stalls import Wait, longest, median_ms, waits

TOPICS = Topics("run")
CALL = "v3:call"
PARTITIONS = 4
HOME = home_of(CALL, PARTITIONS)
ELSEWHERE = (HOME + 1) % PARTITIONS


def command(name: str, call: str = CALL, **fields: Any) -> Command:
    return Command(command_id=name, call_control_id=call, **(fields or {"send_dtmf": SendDtmf(digits="1")}))


def line(topic: str, offset: int, value: bytes, time_ms: int = 0, partition: int = HOME, ce_type: str = "") -> Line:
    return Line(topic, partition, offset, time_ms or offset, CALL.encode(), value, {"ce_type": ce_type})


def accepted(*given: tuple[Command, int, int]) -> list[tuple[Line, Command]]:
    """Commands with their partition and time, in the order of the log."""
    return [
        (line(TOPICS.commands, offset, one.SerializeToString(), time_ms, partition), one)
        for offset, (one, partition, time_ms) in enumerate(given)
    ]


def order(given: list[tuple[Line, Command]], told: Sequence[Told] = ()) -> list[str]:
    return in_order_of_acceptance(given, told, PARTITIONS)


def test_the_first_copy_at_home_gives_the_order() -> None:
    """
    A copy astray says nothing of the order, nor does a later copy.
    """
    given = accepted(
        (command("b"), ELSEWHERE, 1), (command("a"), HOME, 2), (command("b"), HOME, 3), (command("a"), HOME, 4)
    )

    assert order(given) == ["a", "b"]


def test_a_copy_that_was_turned_away_was_not_accepted() -> None:
    """
    Where a full line refused one copy and let in the next, the next one's place counts.
    """
    given = accepted((command("a"), HOME, 1), (command("b"), HOME, 2), (command("a"), HOME, 3))
    told = [Told("refused", "a", "REJECTED", "LINE_FULL"), Told("result", "a", "SUCCEEDED", accept_ms=3)]

    assert order(given) == ["a", "b"]
    assert order(given, told) == ["b", "a"]


def way(name: str, *times_ms: int, before: Sequence[Line] = (), **fields: Any) -> dict[str, list[Line]]:
    """A command's records: accepted, released, its outcome, its result; a time for each."""
    work = Work(
        key=CALL, command_id=name, attempt=1, account="main", action="send_dtmf", lane=Lane.ACTION,
        repeat=Repeat.WINDOW, method="POST", path="/", body=b"", released_ms=0, not_after_ms=0, expire_ms=None,
    )  # fmt: skip
    told = [
        (TOPICS.commands, command(name, **fields).SerializeToString(), ""),
        (TOPICS.work("main", Lane.ACTION), encode(work), ""),
        (TOPICS.outcomes, encode(Outcome(key=CALL, command_id=name, attempt=1, verdict=Verdict.DONE)), ""),
        (TOPICS.results, CommandResult(command_id=name).SerializeToString(), "cordboard.command.result.v1"),
    ]
    return {
        topic: [line(topic, time_ms, value, time_ms, ce_type=ce_type)]
        for (topic, value, ce_type), time_ms in zip(told, times_ms, strict=True)
    }


def both(*ways: dict[str, list[Line]]) -> dict[str, list[Line]]:
    return {topic: [one for way in ways for one in way.get(topic, ())] for way in ways for topic in way}


def test_a_command_that_was_first_in_its_line_is_measured() -> None:
    """
    From its acceptance to its result, with the stations between.
    """
    [wait] = waits(way("a", 100, 130, 180, 200), TOPICS, PARTITIONS)

    assert wait == Wait("a", "send_dtmf", HOME, 100, 130, 180, 200)
    assert wait.ms == 100


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(way("a", 100, 130, 180, 200), way("b", 150, 210, 220, 230), id="behind another"),
        pytest.param(
            way("a", 100, 130, 180, 200, answer=Answer()), way("b", 300, 5_000, 5_010, 5_020), id="behind an answer"
        ),
    ],
)
def test_what_waits_in_its_line_is_not_measured(first: dict[str, list[Line]], second: dict[str, list[Line]]) -> None:
    """
    That is what lines are for, and no stall.
    """
    assert [wait.command_id for wait in waits(both(first, second), TOPICS, PARTITIONS)] == ["a"]


def outcome(attempt: int, sent_ms: int, verdict: Verdict = Verdict.DONE) -> Line:
    told = Outcome(key=CALL, command_id="a", attempt=attempt, verdict=verdict, sent_ms=sent_ms)
    return line(TOPICS.outcomes, 0, encode(told))


def test_a_release_that_was_sent_by_two_workers_is_named() -> None:
    """
    One that is told again, a wait, and a second attempt are something else.
    """
    fine = [outcome(1, 0, Verdict.WAITING), outcome(1, 70), outcome(1, 70), outcome(2, 90)]

    assert list(sent_twice(fine)) == []
    assert [(one.kind, one.command_id) for one in sent_twice([*fine, outcome(1, 80)])] == [("release sent twice", "a")]


def test_the_longest_and_the_median_are_those_of_a_time() -> None:
    """
    A wait belongs to the time in which its command was accepted.
    """
    found = [Wait("x", "speak", 0, at, None, None, at + ms) for at, ms in ((10, 5), (20, 7), (30, 6), (40, 99))]

    assert [wait.ms for wait in longest(found, 10, 40, 2)] == [7, 6]
    assert median_ms(found, 10, 40) == 6
    assert median_ms(found, 50, 60) == 0


def test_faults_are_the_seeds_and_none_is_missing() -> None:
    """
    The same seed gives the same list; fifteen are enough to meet every kind.
    """
    fifteen = plan(7, 15, PARTITIONS)

    assert fifteen == plan(7, 30, PARTITIONS)[:15]
    assert fifteen != plan(8, 15, PARTITIONS)
    assert {fault.deed for fault in fifteen} == set(Deed)
    assert {fault.target.split("-")[0].split(" ")[0] for fault in fifteen} == {
        "broker", "dispatcher", "ingress", "worker",
    }  # fmt: skip
