"""Which event is next, what an answer means, and how far a partition is done: the pure part of forwarding."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.log.port import Record
from workers.core.forwarding import (
    TOLERANCE_MS,
    Again,
    Answer,
    Backlog,
    GivenUp,
    Parcel,
    Patience,
    TryResult,
    judge,
    result_of,
)

NOW = 1_800_000_000_000


def parcel(offset: int = 0, call: str = "a", event_id: str = "", tries: int = 0, age_ms: int = 0) -> Parcel:
    record = Record("events", 0, offset, NOW - age_ms, call.encode(), b"{}")
    return Parcel(record, event_id or f"e{offset}", "call.answered", NOW - age_ms, tries)


class TestJudge:
    """What follows from an answer."""

    @pytest.mark.parametrize(
        ("status", "meant"),
        [
            (200, TryResult.DELIVERED),
            (204, TryResult.DELIVERED),
            (301, TryResult.REDIRECTED),
            (308, TryResult.REDIRECTED),
            (404, TryResult.REFUSED),
            (410, TryResult.REFUSED),
            (429, TryResult.REFUSED),
            (503, TryResult.FAILED),
            (0, TryResult.FAILED),
            (999, TryResult.FAILED),
        ],
    )
    def test_what_a_status_means(self, status: int, meant: TryResult):
        """
        Only 2xx is delivered; nobody is followed elsewhere.
        """
        assert result_of(status) is meant

    def test_pauses_double_up_to_a_minute_and_are_spread(self):
        """
        From 1 s to 60 s; chance takes away up to a half.
        """
        failed = Answer(TryResult.FAILED, 500)
        pauses = [judge(parcel(tries=tries), failed, NOW, Patience(), 1.0) for tries in range(1, 9)]

        assert pauses == [Again(1000 * seconds) for seconds in (1, 2, 4, 8, 16, 32, 60, 60)]
        assert judge(parcel(tries=10_000), failed, NOW, Patience(), 0.0) == Again(30_000)

    @pytest.mark.parametrize("result", [result for result in TryResult if result is not TryResult.DELIVERED])
    def test_what_is_not_taken_for_too_long_is_given_up(self, result: TryResult):
        """
        Counted from when the log took the event, so that a restart changes nothing.
        """
        patience = Patience(whole_ms=10_000)

        assert isinstance(judge(parcel(tries=1, age_ms=9_999), Answer(result), NOW, patience, 0.5), Again)
        assert judge(parcel(tries=1, age_ms=10_000), Answer(result), NOW, patience, 0.5) is GivenUp.TOO_LONG
        assert judge(parcel(tries=1, age_ms=10_000), Answer(TryResult.DELIVERED, 200), NOW, patience, 0.5) is None

    @pytest.mark.parametrize(
        ("status", "is_final"), [(400, True), (401, True), (403, True), (404, False), (500, False)]
    )
    def test_a_signature_that_is_too_old_is_refused_once(self, status: int, is_final: bool):
        """
        Who checks signatures says no to it for ever; who is not there, or fails, may come back.
        """
        answer = Answer(result_of(status), status)
        old, new = parcel(tries=1, age_ms=TOLERANCE_MS + 1), parcel(tries=1, age_ms=TOLERANCE_MS)

        assert (judge(old, answer, NOW, Patience(), 0.5) is GivenUp.STALE) is is_final
        assert isinstance(judge(new, answer, NOW, Patience(), 0.5), Again)

    def test_without_a_time_nothing_is_known_to_be_too_old(self):
        """
        An event that has no signature is tried like any other.
        """
        unsigned = Parcel(parcel(age_ms=TOLERANCE_MS + 1).record, "e", "t", 0, 1)

        assert isinstance(judge(unsigned, Answer(TryResult.REFUSED, 401), NOW, Patience(), 0.5), Again)


class TestBacklog:
    """What is in hand of a partition."""

    def test_the_second_event_of_a_call_waits_for_the_first(self):
        """
        Only the first one begins a line; the next is told when it is done.
        """
        backlog = Backlog(0)
        first, second, other = parcel(0, "a"), parcel(1, "a"), parcel(2, "b")

        assert [backlog.take(one) for one in (first, second, other)] == [True, False, True]
        assert backlog.done(first) is second
        assert backlog.done(second) is None
        assert backlog.take(parcel(3, "a"))

    def test_a_slow_call_holds_back_what_is_committed_and_nothing_else(self):
        """
        The offset to commit stays at the oldest event that is not done.
        """
        backlog = Backlog(7)
        slow, fast = parcel(7, "a"), parcel(8, "b")
        assert backlog.settled == 7
        backlog.take(slow)
        backlog.take(fast)
        backlog.pass_over(11)  # Somebody else's; offsets may have gaps.

        assert (backlog.settled, len(backlog), backlog.position) == (7, 2, 12)
        backlog.done(fast)
        assert backlog.settled == 7
        backlog.done(slow)
        assert (backlog.settled, len(backlog), backlog.oldest_ms) == (12, 0, None)

    def test_an_event_that_stands_twice_in_the_log_is_posted_once(self):
        """
        While it is in hand, and for a while afterwards.
        """
        backlog = Backlog(0)
        first = parcel(0, event_id="e")
        backlog.take(first)
        assert not backlog.take(parcel(1, event_id="e"))
        assert backlog.done(first) is None

        assert not backlog.take(parcel(2, event_id="e"))
        assert (len(backlog), backlog.settled) == (0, 3)

    def test_what_fails_is_counted_until_it_is_done(self):
        """
        Once, however often it was tried.
        """
        backlog = Backlog(0)
        one = parcel(0)
        backlog.take(one)
        for _ in range(3):
            backlog.failed(one)
        assert backlog.failing == 1
        backlog.done(one)
        assert backlog.failing == 0

    @given(st.lists(st.sampled_from("abcd-"), max_size=30), st.data())
    def test_against_a_list(self, calls: list[str], data: st.DataObject):
        """
        In whatever order calls get on: each in its order, and the commit at the first that is not done.
        """
        backlog, running, order = Backlog(0), {}, []
        undone = [offset for offset, call in enumerate(calls) if call != "-"]
        for offset, call in enumerate(calls):
            if call == "-":
                backlog.pass_over(offset)
            elif backlog.take(one := parcel(offset, call)):
                running[call] = one
        while running:
            call = data.draw(st.sampled_from(sorted(running)))
            one = running.pop(call)
            order.append((call, one.record.offset))
            undone.remove(one.record.offset)
            if (following := backlog.done(one)) is not None:
                running[call] = following
            assert backlog.settled == min(undone, default=len(calls))
            assert len(backlog) == len(undone)

        assert _by_call(order) == {
            call: [offset for offset, one in enumerate(calls) if one == call] for call in set(calls) - {"-"}
        }


def _by_call(order: list[tuple[str, int]]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for call, offset in order:
        found.setdefault(call, []).append(offset)
    return found
