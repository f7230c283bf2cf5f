"""The allowance and the breaker: what may go, told by a clock that the test moves."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.work import Lane, Repeat, TelnyxError, Work
from workers.core.outcome import Meaning, Reading
from workers.core.pacing import DIAL_WINDOW_MS, FAILURES_MAX, LIMITED_TO, Allowance, Breaker
from workers.events import Broke, Event
from workers.pace import AccountPace, Rates

MakeWork = Callable[..., Work]
ACCEPTED = Reading(Meaning.ACCEPTED, 200)
FAULT = Reading(Meaning.FAULT, 503)
DIALS_LIMITED = Reading(Meaning.LIMITED, 429, (TelnyxError("90103"),), reset_ms=2_000)
ALL_LIMITED = Reading(Meaning.LIMITED, 429, (TelnyxError("10011"),), reset_ms=2_000)


def sent_at(allowance: Allowance, start_ms: int, end_ms: int) -> list[int]:
    """When requests go, of somebody who always has one."""
    moments, now_ms = [], start_ms
    while now_ms < end_ms:
        if wait_ms := allowance.take(now_ms):
            now_ms += wait_ms
        else:
            moments.append(now_ms)
    return moments


def most_within(moments: list[int], window_ms: int) -> int:
    """The largest number of moments that one window holds."""
    moments = sorted(moments)
    return max((bisect_left(moments, first + window_ms) - n for n, first in enumerate(moments)), default=0)


def whole(per_second: float | None, window_ms: int = DIAL_WINDOW_MS) -> Allowance:
    allowance = Allowance(per_second, window_ms)
    allowance.share(1.0)
    return allowance


class TestAllowance:
    @pytest.mark.parametrize("rate", [1, 3, 30, 200])
    def test_it_is_used_and_not_exceeded(self, rate: float) -> None:
        """
        Never more in five seconds than Telnyx lets through; and nine tenths of it and more, in the long run.
        """
        moments = sent_at(whole(rate), 0, 60_000)

        assert most_within(moments, DIAL_WINDOW_MS) <= rate * 5
        assert len(moments) >= 0.9 * rate * 60

    def test_what_was_missed_is_made_up_for_a_moment_only(self) -> None:
        """
        After a minute's idleness it goes a third faster for a second or so, not five seconds' worth at once.
        """
        allowance = whole(30)
        sent_at(allowance, 0, 1_000)

        going = sent_at(allowance, 60_000, 61_000)
        assert 30 < len(going) <= 41
        assert most_within(going, 100) <= 5

    @settings(max_examples=30, deadline=None)
    @given(
        rate=st.sampled_from([20.0, 30.0, 100.0]),
        parts=st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=2, max_size=5),
        pause_ms=st.integers(0, 3_000),
    )
    def test_workers_that_come_and_go_share_one_rate(self, rate: float, parts: list[list[int]], pause_ms: int) -> None:
        """
        Three workers, four partitions that move between them: whoever has them, Telnyx's window is never overfull.
        """
        workers = [Allowance(rate, DIAL_WINDOW_MS) for _ in range(3)]
        moments, now_ms = [], 0
        for held in parts:
            for number, worker in enumerate(workers):
                worker.share(held.count(number) / 4)
            for worker in workers:
                moments += sent_at(worker, now_ms, now_ms + 4_000)
            now_ms += 4_000 + pause_ms

        assert most_within(moments, DIAL_WINDOW_MS) <= rate * 5 * 1.02

    def test_a_429_cuts_and_the_rate_grows_back(self) -> None:
        """
        By a fifth at once, however many answers come together; in some four seconds it is whole again.
        """
        allowance = whole(100)
        for late_ms in (0, 10, 20):
            allowance.slow(LIMITED_TO, 1_000 + late_ms)

        assert allowance.rate(1_000) == pytest.approx(80, abs=1)
        assert allowance.rate(3_000) == pytest.approx(90, abs=1)
        assert allowance.rate(6_000) == 100

    def test_it_stays_closed_until_the_reset(self) -> None:
        """
        The latest one that was named: a nearer one that comes later opens nothing early.
        """
        allowance = whole(None)
        allowance.close(5_000)
        allowance.close(3_000)

        assert (allowance.take(4_000), allowance.take(5_000)) == (1_000, 0)

    def test_where_no_rate_is_set_the_first_429_tells_it(self) -> None:
        """
        Four fifths of what Telnyx took until then; forgotten when there was none for a minute.
        """
        allowance = whole(None, 1_000)
        for moment in range(0, 1_000, 10):
            assert allowance.take(moment) == 0
            allowance.taken(moment)
        allowance.slow(LIMITED_TO, 999)

        assert allowance.rate(999) == pytest.approx(80, abs=2)
        assert allowance.rate(61_001) is None

    def test_who_sends_little_learns_little_of_the_limit(self) -> None:
        """
        A 429 that others have caused does not hold a worker to the one request that it had sent.
        """
        allowance = whole(None, 1_000)
        allowance.take(0)
        allowance.slow(LIMITED_TO, 0)

        assert allowance.rate(0) == pytest.approx(8)

    def test_who_holds_nothing_sends_nothing(self) -> None:
        """
        Its share is another's by now.
        """
        allowance = Allowance(30, DIAL_WINDOW_MS)

        assert allowance.take(0) > 0

    def test_what_asked_nobody_is_made_room_for(self) -> None:
        """
        Hangups go at once, and for each of them one of the others waits: all together they keep to the rate.
        """
        allowance, others = whole(100, 1_000), 0
        for moment in range(0, 10_000, 20):
            allowance.count(moment)
            others += len(sent_at(allowance, moment, moment + 20))

        assert 400 < others <= 510


class TestBreaker:
    def broken(self) -> Breaker:
        breaker = Breaker()
        for _ in range(FAILURES_MAX):
            breaker.heard(Meaning.UNREACHED, 0)
        return breaker

    def test_many_failures_in_a_row_open_it(self) -> None:
        """
        One answer between them, be it a refusal, shows that Telnyx is there.
        """
        breaker = Breaker()
        for _ in range(FAILURES_MAX - 1):
            breaker.heard(Meaning.FAULT, 0)
        breaker.heard(Meaning.REFUSED, 0)
        breaker.heard(Meaning.FAULT, 0)
        assert breaker.hold_ms(0) == 0

        assert self.broken().hold_ms(0) > 0

    def test_one_probe_goes_and_the_next_waits_longer(self) -> None:
        """
        1 s, 2 s, and so on, to 10 s; never none at all.
        """
        breaker, waits, now_ms = self.broken(), [], 0
        for _ in range(6):
            waits.append(breaker.hold_ms(now_ms))
            now_ms += waits[-1]
            breaker.probed(now_ms)
            breaker.heard(Meaning.UNREACHED, now_ms)

        assert waits == [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]

    def test_a_success_closes_it(self) -> None:
        """
        Such as a hangup's, which never asks.
        """
        breaker = self.broken()
        breaker.heard(Meaning.ACCEPTED, 10)

        assert breaker.hold_ms(10) == 0


class TestAccountPace:
    @pytest.fixture
    def pace(self) -> AccountPace:
        pace = AccountPace(Rates(requests_per_second=100, dials_per_second=10))
        pace.share(Lane.ACTION, 1.0)
        pace.share(Lane.DIAL, 1.0)
        return pace

    def test_a_limit_on_dials_holds_dials_only(self, pace: AccountPace, dial: Work, make_work: MakeWork) -> None:
        """
        90103 speaks of dials, whoever counts them.
        """
        pace.heard(dial, DIALS_LIMITED, 0)

        assert pace.hold(make_work(), 0) is None
        hold = pace.hold(dial, 0)
        assert hold is not None
        assert (hold.ms, hold.cause) == (2_000, "rate_limited")

    def test_a_limit_on_requests_holds_dials_and_actions(
        self, pace: AccountPace, dial: Work, make_work: MakeWork
    ) -> None:
        """
        10011 speaks of all requests; hangups go all the same.
        """
        pace.heard(dial, ALL_LIMITED, 0)

        assert pace.hold(make_work(), 0) is not None
        assert pace.hold(dial, 0) is not None
        assert pace.hold(make_work(lane=Lane.URGENT), 0) is None

    def test_a_limit_met_by_a_hangup_holds_the_others(self, pace: AccountPace, make_work: MakeWork) -> None:
        """
        It cannot slow down itself, so those who can make room.
        """
        pace.heard(make_work(lane=Lane.URGENT), ALL_LIMITED, 0)

        assert pace.hold(make_work(), 0) is not None

    def test_an_answer_that_says_that_nothing_remains_slows(self, pace: AccountPace, make_work: MakeWork) -> None:
        """
        Before the 429 comes, and gently.
        """
        pace.heard(make_work(), Reading(Meaning.ACCEPTED, 200, is_strained=True), 0)

        assert pace.hold(make_work(), 0) is None
        assert pace._requests.rate(0) == pytest.approx(95)

    def test_a_pause_holds_all_but_what_ends_calls(self, dial: Work, make_work: MakeWork) -> None:
        """
        An answer waits, a hangup does not.
        """
        pace = AccountPace(Rates(), paused=lambda: True)
        answer = make_work(lane=Lane.URGENT, action="answer")
        hangup = make_work(lane=Lane.URGENT, action="hangup", repeat=Repeat.ALWAYS, not_after_ms=None, expire_ms=None)

        holds = [pace.hold(work, 0) for work in (dial, make_work(), answer)]
        assert [hold.cause for hold in holds if hold] == ["paused"] * 3
        assert pace.hold(hangup, 0) is None

    def test_while_telnyx_is_away_only_hangups_go(self, dial: Work, make_work: MakeWork) -> None:
        """
        And the first of them that is answered opens the way for all. Both are told.
        """
        seen: list[Event] = []
        pace = AccountPace(Rates(), observe=seen.append)
        hangup = make_work(lane=Lane.URGENT, not_after_ms=None, expire_ms=None)
        for _ in range(FAILURES_MAX):
            pace.heard(make_work(), FAULT, 0)
        held = pace.hold(dial, 0)
        assert held is not None
        assert held.cause == "unreachable"
        assert pace.hold(hangup, 0) is None

        pace.heard(hangup, ACCEPTED, 0)
        assert pace.hold(dial, 0) is None
        assert seen == [Broke(True), Broke(False)]
