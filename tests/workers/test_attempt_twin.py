"""The plan of a release against the slowest thing that could be right."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.work import Lane, Outcome, Repeat, Verdict, Work
from workers.core.attempt import Attempt, Limits, Sleep
from workers.core.outcome import TABLE, Meaning, Reading

ACCEPTED = Reading(Meaning.ACCEPTED, 200, response=b"{}")
REFUSED = Reading(Meaning.REFUSED, 422)
LIMITED = Reading(Meaning.LIMITED, 429, reset_ms=2_000)
UNREACHED = Reading(Meaning.UNREACHED)
UNANSWERED = Reading(Meaning.UNANSWERED)
FAULT = Reading(Meaning.FAULT, 503)
HALF = Reading(Meaning.HALF, 200)
FOREIGN = Reading(Meaning.FOREIGN, 200)
READINGS = st.sampled_from([ACCEPTED, REFUSED, LIMITED, UNREACHED, UNANSWERED, FAULT, HALF, FOREIGN])


def twin(history: Sequence[Reading]) -> set[Verdict]:
    """The slowest thing that could be right: which verdicts a history of tries allows."""
    doubts = [TABLE[reading.meaning].ends for reading in history if reading in (UNANSWERED, FAULT, HALF, FOREIGN)]
    if not history:
        return {Verdict.LATE, Verdict.EXPIRED}
    if history[-1] is ACCEPTED:
        return {Verdict.DONE}
    if history[-1] is REFUSED:
        return {Verdict.AMBIGUOUS} if doubts else {Verdict.REFUSED}
    return {doubts[-1]} if doubts else {Verdict.UNSENT, Verdict.EXPIRED}


class TestAgainstTheTwin:
    @settings(max_examples=400)
    @given(
        readings=st.lists(st.tuples(READINGS, st.integers(0, 4_000)), min_size=60, max_size=60),
        repeat=st.sampled_from(Repeat),
        not_after=st.none() | st.integers(-1_000, 50_000),
        expire=st.none() | st.integers(-1_000, 30_000),
        chance=st.floats(0, 1),
        doze=st.integers(0, 3_000),
    )
    def test_every_history_keeps_the_rules(
        self,
        readings: list[tuple[Reading, int]],
        repeat: Repeat,
        not_after: int | None,
        expire: int | None,
        chance: float,
        doze: int,
    ) -> None:
        """
        No try too late, none beyond the budget, no dial twice, one outcome, and the verdict that the history allows.
        """
        work = Work(
            key="k", command_id="c", attempt=1, account="a", action="x", lane=Lane.ACTION, repeat=repeat,
            method="POST", path="/", body=b"", released_ms=0, not_after_ms=not_after, expire_ms=expire,
        )  # fmt: skip
        plan, now_ms, history, starts = Attempt(work, Limits(), lambda: chance), 0, [], []
        while not isinstance(step := plan.step(now_ms), Outcome):
            if isinstance(step, Sleep):
                now_ms += step.ms + doze  # A busy loop wakes late.
                continue
            assert repeat is not Repeat.UNSENT or all(reading in (LIMITED, UNREACHED) for reading in history)
            assert not_after is None or now_ms < not_after
            assert expire is None or now_ms < expire
            starts.append(now_ms)
            assert starts[0] + 10_000 >= now_ms + step.timeout_ms
            assert Limits().connect_ms < step.timeout_ms <= Limits().try_ms
            reading, takes_ms = readings[len(history)]
            now_ms += min(takes_ms, step.timeout_ms)
            history.append(reading)
            plan.learn(reading, now_ms)

        assert step.verdict in twin(history)
        assert step == plan.step(now_ms)
        assert step.tries == sum(reading is not UNREACHED for reading in history)
