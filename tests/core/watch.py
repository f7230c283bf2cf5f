"""Pages under watch: every input is applied twice and every output is held against the promises."""

from __future__ import annotations

from collections import defaultdict

from cordboard.work import Outcome, TelnyxError, Verdict, Work
from dispatcher.core.advance import advance
from dispatcher.core.asking import QUESTION
from dispatcher.core.commands import Ask
from dispatcher.core.decision import Completed, Decision, HandOn, Output, PassOn, Release, Result
from dispatcher.core.inputs import Asked, Due, Input, Poisoned, Told
from dispatcher.core.limits import Limits
from dispatcher.core.page import Life, Page, decode, encode
from dispatcher.core.verdicts import CERTAIN_NO
from dispatcher.core.words import Reason, State
from tests.core.story import START_MS

RESULT_WITHIN_MS = 90_000
NOT_SENT = (Verdict.UNSENT, Verdict.EXPIRED, Verdict.LATE, Verdict.WAITING)
PAGE_BYTES_MAX = 200_000  # Of lines with small bodies.


class Watched:
    """One page, its time, and what was promised about it so far."""

    def __init__(self, key: str, limits: Limits, page_bytes_max: int = PAGE_BYTES_MAX) -> None:
        self.page_bytes_max = page_bytes_max
        self.key, self.limits, self.now = key, limits, START_MS
        self.value: bytes | None = None
        self.wake_ms: int | None = None
        self.forget()

    def forget(self) -> None:
        """A page that is gone has promised nothing."""
        self.pending: dict[str, Ask] = {}
        self.since: dict[str, int] = {}  # When what is pending was put: the same input may come again long after.
        self.released: dict[str, list[Work]] = defaultdict(list)
        self.outcomes: dict[tuple[str, int], set[Verdict]] = defaultdict(set)
        self.results: dict[str, Result] = {}
        self.settled: set[str] = set()
        self.asked: list[Work] = []
        self.handed_on: set[str] = set()
        self.completed: set[str] = set()

    def put(self, given: Input) -> list[Output]:
        """Apply an input and hold what comes of it against the promises."""
        if isinstance(given, Told):
            self.outcomes[given.outcome.command_id, given.outcome.attempt].add(given.outcome.verdict)
        if isinstance(given, Asked | Poisoned) and given.ask.command_id not in self.results:
            self.pending.setdefault(given.ask.command_id, given.ask)
            self.since.setdefault(given.ask.command_id, self.now)
        decision = self.decide(given)
        for output in decision.outputs:
            self.check(output)
        self.keep(decision)
        return decision.outputs

    def decide(self, given: Input) -> Decision:
        """Equal arguments, equal decisions; and a page that was not changed is still the one that is written."""
        decision, again = (
            advance(None if self.value is None else decode(self.value), self.key, given, self.now, self.limits)
            for _ in range(2)
        )
        assert decision == again
        if not decision.changed:
            assert (None if decision.page is None else encode(decision.page)) == self.value
        if isinstance(given, Due) and decision.wake_ms is not None and self.wake_ms == given.at_ms:
            assert decision.wake_ms > given.at_ms, "the same time is asked for again"
        return decision

    def keep(self, decision: Decision) -> None:
        if decision.page is None:
            if decision.changed:
                assert not self.pending, "forgotten with commands that have no result"
                self.forget()
            self.value = self.wake_ms = None
            return
        self.value = encode(decision.page)
        assert decode(self.value) == decision.page
        assert len(self.value) < self.page_bytes_max
        self.wake_ms = decision.wake_ms
        assert sum(not flight.passing for flight in decision.page.flights) <= 1, "two in flight"

    def check(self, output: Output) -> None:  # noqa: C901 - a case for each output
        match output:
            case Release(work=work) if work.command_id == QUESTION:
                self.check_question(work)
            case Release(work=work):
                self.check_release(work)
            case Result(kind="result"):
                self.check_result(output)
            case Result(kind="settled"):
                assert self.results[output.command_id].state is State.UNKNOWN
                assert output.command_id not in self.settled
                self.settled.add(output.command_id)
                self.check_certainty(output)
            case Result(kind="replayed"):
                assert output.command_id in self.results
            case Result(kind="refused", reason=reason):
                if reason is not Reason.COMMAND_ID_REUSED:
                    # Each who asked is told; only a command that waits for its number can have been asked for twice.
                    known = self.pending.pop(output.command_id, None)
                    assert known is not None or reason is Reason.SEQUENCE_GAP
            case HandOn(heard=heard, command_id=command_id):
                assert heard.event_id not in self.handed_on, "handed on twice"
                self.handed_on.add(heard.event_id)
                assert not command_id or command_id in self.released, "tied to what was never sent"
            case Completed(command_id=command_id):
                assert command_id in self.results, "completed before its result"
                assert command_id not in self.completed, "completed twice"
                self.completed.add(command_id)
            case PassOn(raw=raw):
                assert raw.headers[0][0] not in self.handed_on, "written on twice, or handed on as well"
                self.handed_on.add(raw.headers[0][0])

    def check_release(self, work: Work) -> None:
        before = self.released[work.command_id]
        assert work.attempt == len(before) + 1
        assert work.expire_ms is None or work.expire_ms > self.now, "released past its expiry"
        assert work.action != "dial" or not before, "dialled twice"
        if before:
            assert before[0].body == work.body
            assert work.not_after_ms is None or self.now < work.not_after_ms == before[0].not_after_ms
        before.append(work)

    def check_question(self, work: Work) -> None:
        """One at a time, a minute apart, of a call that is not known to be over; it is no command."""
        page = self.page()
        assert page is not None
        assert page.life is not Life.ENDED
        assert not page.is_dial
        assert (work.method, work.body, work.expire_ms) == ("GET", b"", None)
        if self.asked:
            assert work.attempt == self.asked[-1].attempt + 1
            assert self.now - self.asked[-1].released_ms >= min(60_000, self.limits.ask_again_ms)
        self.asked.append(work)

    def check_result(self, result: Result) -> None:
        name = result.command_id
        assert name not in self.results, "two results"
        self.results[name] = result
        ask, released = self.pending.pop(name), self.released[name]
        if ask.expire_ms is not None and not released and not ask.ends_call:
            assert self.now - max(ask.expire_ms, self.since.get(name, ask.accept_ms)) <= RESULT_WITHIN_MS
        if released:
            assert self.now - released[0].released_ms <= RESULT_WITHIN_MS
        self.check_certainty(result)

    def check_certainty(self, result: Result) -> None:
        """What is said to have failed certainly did, in every attempt."""
        name = result.command_id
        for work in self.released[name]:
            if result.state in (State.FAILED, State.EXPIRED):
                assert self.outcomes[name, work.attempt] & CERTAIN_NO
            assert result.state not in (State.REJECTED, State.CANCELLED)

    def pass_time(self, by_ms: int) -> None:
        """Fire what is due, at its time."""
        until, fired = self.now + by_ms, 0
        while self.wake_ms is not None and self.wake_ms <= until:
            self.now = max(self.now, self.wake_ms)
            self.put(Due(self.wake_ms))
            fired += 1
            assert fired < 20_000, "busy without end"
        self.now = until

    def page(self) -> Page | None:
        return None if self.value is None else decode(self.value)


def outcome(work: Work, verdict: Verdict, now: int, *, attempt: int = 0, status: int = 0, code: str = "") -> Outcome:
    """A worker's report about a release, or about another attempt of it."""
    return Outcome(
        key=work.key,
        command_id=work.command_id,
        attempt=attempt or work.attempt,
        verdict=verdict,
        http_status=status,
        errors=(TelnyxError(code),) if code else (),
        tries=int(verdict not in NOT_SENT),
        sent_ms=now if verdict not in NOT_SENT else 0,
    )
