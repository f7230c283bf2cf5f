"""The plan of one release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pytest

from cordboard.work import Lane, Outcome, Repeat, Verdict, Work
from workers.core.attempt import Attempt, Limits, Send, Sleep, waiting
from workers.core.outcome import TABLE, Meaning, Reading

ACCEPTED = Reading(Meaning.ACCEPTED, 200, response=b"{}")
REFUSED = Reading(Meaning.REFUSED, 422)
LIMITED = Reading(Meaning.LIMITED, 429, reset_ms=2_000)
UNREACHED = Reading(Meaning.UNREACHED)
UNANSWERED = Reading(Meaning.UNANSWERED)
FAULT = Reading(Meaning.FAULT, 503)
HALF = Reading(Meaning.HALF, 200)
FOREIGN = Reading(Meaning.FOREIGN, 200)
DOUBTS = (UNANSWERED, FAULT, HALF)


class MakeWork(Protocol):
    def __call__(self, **changes: object) -> Work: ...


def told(work: Work, *readings: Reading, takes_ms: int = 10) -> Outcome:
    """Play a release against these readings, each after so long; the outcome must use up all of them."""
    plan, now_ms, left = Attempt(work, Limits(), lambda: 0.5), work.released_ms, list(readings)
    while True:
        match plan.step(now_ms):
            case Send(timeout_ms):
                now_ms += min(takes_ms, timeout_ms)
                plan.learn(left.pop(0), now_ms)
            case Sleep(ms):
                now_ms += ms
            case Outcome() as outcome:
                assert left == []
                return outcome


class TestVerdicts:
    @pytest.mark.parametrize(
        ("readings", "verdict"),
        [
            ([ACCEPTED], Verdict.DONE),
            ([REFUSED], Verdict.REFUSED),
            ([FOREIGN], Verdict.BAD_ANSWER),
            *(([doubt, ACCEPTED], Verdict.DONE) for doubt in DOUBTS),
            *(([doubt, REFUSED], Verdict.AMBIGUOUS) for doubt in DOUBTS),
            *(([doubt, FOREIGN], Verdict.BAD_ANSWER) for doubt in DOUBTS),
            ([UNREACHED, ACCEPTED], Verdict.DONE),
            ([UNREACHED, REFUSED], Verdict.REFUSED),
            ([LIMITED, ACCEPTED], Verdict.DONE),
            ([LIMITED, REFUSED], Verdict.REFUSED),
            ([FAULT, LIMITED, REFUSED], Verdict.AMBIGUOUS),
            ([UNANSWERED, UNREACHED, REFUSED], Verdict.AMBIGUOUS),
            ([UNREACHED, LIMITED, UNREACHED, ACCEPTED], Verdict.DONE),
        ],
    )
    @pytest.mark.parametrize("repeat", [Repeat.WINDOW, Repeat.ALWAYS])
    def test_a_release_ends_as_its_tries_say(
        self, make_work: MakeWork, readings: Sequence[Reading], verdict: Verdict, repeat: Repeat
    ) -> None:
        """
        The last word counts, and an earlier doubt colours a later no.
        """
        assert verdict is told(make_work(repeat=repeat), *readings).verdict

    @pytest.mark.parametrize(
        ("readings", "verdict"),
        [
            ([UNANSWERED], Verdict.NO_ANSWER),
            ([FAULT], Verdict.SERVER_ERROR),
            ([HALF], Verdict.BAD_ANSWER),
            ([FOREIGN], Verdict.BAD_ANSWER),
            ([UNREACHED, UNANSWERED], Verdict.NO_ANSWER),
            ([LIMITED, FAULT], Verdict.SERVER_ERROR),
            ([UNREACHED, LIMITED, ACCEPTED], Verdict.DONE),
            ([LIMITED, REFUSED], Verdict.REFUSED),
        ],
    )
    def test_a_dial_that_may_have_been_sent_is_not_sent_again(
        self, dial: Work, readings: Sequence[Reading], verdict: Verdict
    ) -> None:
        """
        Only what certainly had no effect is tried again.
        """
        assert verdict is told(dial, *readings).verdict

    @pytest.mark.parametrize(
        ("reading", "tries", "verdict"),
        [(UNANSWERED, 3, Verdict.NO_ANSWER), (FAULT, 3, Verdict.SERVER_ERROR), (HALF, 3, Verdict.BAD_ANSWER)],
    )
    def test_what_stays_in_doubt_is_reported_when_the_budget_is_used_up(
        self, make_work: MakeWork, reading: Reading, tries: int, verdict: Verdict
    ) -> None:
        """
        Three tries of three seconds fit into ten seconds; there is no fourth.
        """
        outcome = told(make_work(), *[reading] * tries, takes_ms=3_000)

        assert verdict is outcome.verdict
        assert tries == outcome.tries

    def test_what_never_got_out_is_unsent(self, make_work: MakeWork) -> None:
        """
        A budget spent on refused connections proves that nothing happened.
        """
        outcome = told(make_work(), *[UNREACHED] * 9, takes_ms=1)

        assert (
            outcome.verdict,
            outcome.cause,
            outcome.tries,
            outcome.sent_ms,
        ) == (Verdict.UNSENT, "unreachable", 0, 0)

    def test_a_limit_that_outlasts_the_budget_ends_at_once(self, make_work: MakeWork) -> None:
        """
        Nobody waits for a try that could not start before its expire time.
        """
        work = make_work()
        outcome = told(work, Reading(Meaning.LIMITED, 429, reset_ms=40_000))

        assert (outcome.verdict, outcome.cause, outcome.http_status) == (Verdict.EXPIRED, "rate_limited", 429)
        assert outcome.finished_ms == work.released_ms + 10

    def test_a_limit_within_the_expiry_leaves_it_unsent(self, make_work: MakeWork) -> None:
        """
        Past the budget, but not past its expire time: unsent, and why.
        """
        outcome = told(make_work(), Reading(Meaning.LIMITED, 429, reset_ms=12_000))

        assert (outcome.verdict, outcome.cause) == (Verdict.UNSENT, "rate_limited")


class TestTimes:
    def test_late_is_looked_at_before_expired(self, make_work: MakeWork) -> None:
        """
        Past not_after nobody may say that nothing was done, even if it has also expired.
        """
        work = make_work()
        assert work.not_after_ms is not None
        both = Attempt(work, Limits(), lambda: 0).step(work.not_after_ms)
        expired = Attempt(work, Limits(), lambda: 0).step(work.not_after_ms - 1)

        assert isinstance(both, Outcome)
        assert isinstance(expired, Outcome)
        assert (both.verdict, expired.verdict) == (Verdict.LATE, Verdict.EXPIRED)

    def test_an_expired_work_names_what_held_it(self, make_work: MakeWork) -> None:
        """
        The cause is the lane, or what paced it.
        """
        work = make_work(expire_ms=1)
        outcome = Attempt(work, Limits(), lambda: 0, held="rate_limited").step(work.released_ms)

        assert isinstance(outcome, Outcome)
        assert (outcome.verdict, outcome.cause, outcome.tries) == (Verdict.EXPIRED, "rate_limited", 0)

    def test_what_was_held_in_hand_until_it_was_too_late_was_not_sent(self, make_work: MakeWork) -> None:
        """
        Late proves nothing of what was found too late; of what this worker had in time and kept back, it knows.
        """
        work = make_work(expire_ms=None)
        assert work.not_after_ms is not None
        outcome = Attempt(work, Limits(), lambda: 0, held="rate_limited").step(work.not_after_ms)

        assert isinstance(outcome, Outcome)
        assert (outcome.verdict, outcome.cause) == (Verdict.UNSENT, "rate_limited")

    @pytest.mark.parametrize("doubt", [UNANSWERED, FAULT, HALF])
    def test_passing_the_expire_time_after_a_doubt_is_not_expired(self, make_work: MakeWork, doubt: Reading) -> None:
        """
        What may have happened cannot be called off by the clock.
        """
        work = make_work()
        outcome = told(make_work(expire_ms=work.released_ms + 2_000), doubt, takes_ms=3_000)

        assert TABLE[doubt.meaning].ends is outcome.verdict

    def test_a_hangup_has_no_end_but_the_budget(self, make_work: MakeWork) -> None:
        """
        Without not_after and expire_time, however old, it is tried.
        """
        work = make_work(lane=Lane.URGENT, repeat=Repeat.ALWAYS, not_after_ms=None, expire_ms=None)

        assert Send(3_000) == Attempt(work, Limits(), lambda: 0).step(work.released_ms + 10_000_000)

    def test_a_fault_is_asked_again_at_once_and_then_slower(self, make_work: MakeWork) -> None:
        """
        The vendor's advice: at once on a 5xx, then exponentially; jitter takes up to half of it.
        """
        work = make_work()
        plan, now_ms = Attempt(work, Limits(), lambda: 1.0), work.released_ms
        for _ in range(2):
            assert isinstance(plan.step(now_ms), Send)
            plan.learn(FAULT, now_ms)
        for pause_ms in (200, 400, 800, 1_600, 2_000):
            assert plan.step(now_ms) == Sleep(pause_ms)
            now_ms += pause_ms
            assert isinstance(plan.step(now_ms), Send)
            plan.learn(FAULT, now_ms)

    def test_after_429_nothing_is_asked_before_the_reset(self, make_work: MakeWork) -> None:
        """
        The wait is the header's and a little more, never less.
        """
        for chance in (0.0, 1.0):
            work = make_work()
            plan = Attempt(work, Limits(), lambda chance=chance: chance)
            plan.step(work.released_ms)
            plan.learn(LIMITED, work.released_ms)

            assert Sleep(2_000 + round(400 * chance)) == plan.step(work.released_ms)

    def test_a_stopped_plan_tells_what_it_knows(self, make_work: MakeWork) -> None:
        """
        After a revocation nothing is resent; the doubt is reported as it is.
        """
        work = make_work()
        plan = Attempt(work, Limits(), lambda: 0)
        plan.step(work.released_ms)
        plan.learn(UNANSWERED, work.released_ms + 5)
        plan.stop()
        outcome = plan.step(work.released_ms + 5)

        assert isinstance(outcome, Outcome)
        assert Verdict.NO_ANSWER is outcome.verdict

    def test_a_plan_stopped_before_it_began_still_sends_once(self, make_work: MakeWork) -> None:
        """
        Its record is reserved, and nobody else will ever send it.
        """
        work = make_work()
        plan = Attempt(work, Limits(), lambda: 0)
        plan.stop()

        assert plan.step(work.released_ms) == Send(3_000)

    @pytest.mark.parametrize(
        "changes",
        [{"connect_ms": 3_000}, {"try_ms": 11_000}, {"connect_ms": 0}, {"backoff_ms": 0}, {"backoff_ms": 9_000}],
    )
    def test_limits_that_contradict_are_refused(self, changes: dict[str, int]) -> None:
        """
        A try must be able to connect, and a budget to hold a try.
        """
        with pytest.raises(ValueError, match="must be"):
            Limits(**changes)

    def test_waiting_is_addressed_like_its_work(self, make_work: MakeWork) -> None:
        """
        The page that hears of the waiting is the one that hears of the end.
        """
        outcome = waiting(make_work(attempt=2), "rate_limited", 7)

        assert (
            outcome.key,
            outcome.command_id,
            outcome.attempt,
            outcome.verdict,
            outcome.cause,
            outcome.finished_ms,
        ) == ("v3:call", "c1", 2, Verdict.WAITING, "rate_limited", 7)
