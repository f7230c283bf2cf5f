"""When a partition counts as stalled: only where something waits, nothing is done, and there is no excuse."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cordboard.liveness import Judge, Post, Standing
from cordboard.log.port import TopicPartition

COMMANDS, OUTCOMES = TopicPartition("commands", 1), TopicPartition("outcomes", 1)
STALL_SECONDS = 30.0


class Bench:
    """A judge, and a clock that goes five seconds from look to look."""

    def __init__(self) -> None:
        self._judge = Judge(STALL_SECONDS)
        self._now = 1_000.0

    def look(self, post: Post, ends: dict[TopicPartition, int], doubt: str = "") -> Standing:
        self._now += 5
        return self._judge.judge(post, ends, doubt, self._now)

    def stalled(self, post: Post, ends: dict[TopicPartition, int], looks: int) -> list[float]:
        return [self.look(post, ends).stalled_seconds for _ in range(looks)]


def post(commands: int | None, outcomes: int | None = 0, **more: object) -> Post:
    return Post(1, {COMMANDS: commands, OUTCOMES: outcomes}, **more)  # type: ignore[arg-type]  # more are Post's


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_lag_without_a_step_becomes_a_stall_and_grows(bench: Bench) -> None:
    """
    Nothing is said for thirty seconds; then for how long already.
    """
    found = bench.stalled(post(4), {COMMANDS: 7, OUTCOMES: 0}, 9)

    assert found == [0, 0, 0, 0, 0, 0, 30, 35, 40]


def test_the_lag_is_told_by_topic(bench: Bench) -> None:
    """
    What is settled already is none, also where the end that was told is an old one.
    """
    assert bench.look(post(4, 9), {COMMANDS: 7, OUTCOMES: 8}).lags == {COMMANDS: 3, OUTCOMES: 0}


def test_who_is_idle_is_not_stalled(bench: Bench) -> None:
    """
    Nothing waits, for however long; and the count begins when something does.
    """
    assert sum(bench.stalled(post(4), {COMMANDS: 4}, 100)) == 0
    assert bench.stalled(post(4), {COMMANDS: 5}, 6) == [0, 0, 0, 0, 0, 30]


def test_who_is_busy_is_not_stalled(bench: Bench) -> None:
    """
    However large the lag, a step in any topic between two looks is progress.
    """
    for step in range(50):
        assert bench.look(post(0, step // 3), {COMMANDS: 1_000, OUTCOMES: 1_000}).stalled_seconds == 0


def test_a_step_ends_a_stall(bench: Bench) -> None:
    """
    From then on it would take as long again.
    """
    assert bench.stalled(post(4), {COMMANDS: 9}, 7)[-1] == 30
    assert bench.stalled(post(5), {COMMANDS: 9}, 7) == [0, 0, 0, 0, 0, 0, 30]


def test_other_steps_count_too(bench: Bench) -> None:
    """
    A full lane takes nothing, and goes on as long as something in it ends.
    """
    for step in range(20):
        assert bench.look(post(4, steps=step), {COMMANDS: 9}).stalled_seconds == 0
    assert bench.stalled(post(4, steps=19), {COMMANDS: 9}, 6)[-1] == 30


def test_time_with_an_excuse_is_not_counted(bench: Bench) -> None:
    """
    Neither does it wipe out what was counted before: only a step does.
    """
    excused = replace(post(4), excuse="held back by the pace")
    assert bench.stalled(post(4), {COMMANDS: 9}, 6)[-1] == 0
    assert sum(bench.stalled(excused, {COMMANDS: 9}, 100)) == 0
    assert bench.stalled(post(4), {COMMANDS: 9}, 2) == [0, 30]


def test_falling_back_and_coming_as_far_again_is_no_step(bench: Bench) -> None:
    """
    An owner whose settles fail claims anew for ever, each time from where it was before.
    """
    found = [bench.look(post(4 + look % 2), {COMMANDS: 9}).stalled_seconds for look in range(9)]

    assert found[-1] > 0


def test_a_place_that_stays_unknown_counts_as_waiting(bench: Bench) -> None:
    """
    Who never gets as far as knowing where to begin stands still, whatever waits.
    """
    assert bench.stalled(post(None, None), {}, 7)[-1] == 30


def test_ends_that_cannot_be_had_are_no_less_than_before(bench: Bench) -> None:
    """
    A stall goes on being one while the log does not answer; without any end known nothing is made up.
    """
    bench.look(post(4), {COMMANDS: 9})
    found = [bench.look(post(4), {}, "no answer") for _ in range(7)]

    assert (found[-1].stalled_seconds, found[-1].lags, found[-1].doubt) == (35, {COMMANDS: 5}, "no answer")
    assert Bench().stalled(post(4), {}, 20) == [0] * 20


def test_what_is_held_no_more_is_forgotten(bench: Bench) -> None:
    """
    A partition that comes back begins anew; pools and dispatchers with the same partition are different posts.
    """
    lane = replace(post(4), holder=("main", "dial"))
    judge = Judge(STALL_SECONDS)
    for now_seconds in (0.0, 40.0):
        judge.judge(post(4), {COMMANDS: 9}, "", now_seconds)
        judge.judge(lane, {COMMANDS: 9}, "", now_seconds)

    assert judge.forget_all_but([lane]) == [post(4)]
    assert judge.judge(post(4), {COMMANDS: 9}, "", 41.0).stalled_seconds == 0
    assert judge.judge(lane, {COMMANDS: 9}, "", 41.0).stalled_seconds == 41
