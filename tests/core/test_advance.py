"""What stories do not show: the details of what is released and told, the limits, and the size of a page."""

from __future__ import annotations

import msgspec
import pytest

from cordboard.work import Lane, Repeat, TelnyxError, Verdict
from dispatcher.core.completion import CLUES_MAX, OPEN_MAX
from dispatcher.core.decision import Completed, Output, Release, Result
from dispatcher.core.events import EVENTS_MAX, event_is_known, note_event
from dispatcher.core.inputs import Asked, Due, Heard, Opened, Told
from dispatcher.core.limits import DEFAULT_LIMITS, Limits
from dispatcher.core.line import OUTCOME_WAIT_MS, WINDOW_MS
from dispatcher.core.page import Leg, decode
from dispatcher.core.words import Completion, Reason
from tests.core.story import ACCOUNT, START_MS, make_ask
from tests.core.watch import Watched, outcome


def submitted(watched: Watched, action: str, command_id: str, **options: str) -> list[Output]:
    ask = make_ask(action, command_id, watched.now, options)
    return watched.put(Asked(ask, "commands-0-7"))


def the(kind: type, outputs: list[Output]) -> Output:
    (one,) = [output for output in outputs if isinstance(output, kind)]
    return one


def kinds(outputs: list[Output]) -> list[str]:
    return [type(output).__name__ for output in outputs]


class TestWhatIsReleased:
    def test_work_carries_the_request_and_its_last_moment(self):
        """
        The request's bytes, the lane, the class, and 50 s as the time after which no try starts.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        work = the(Release, submitted(watched, "speak", "a", body='{"payload":"x"}')).work
        assert (work.key, work.command_id, work.attempt, work.account) == ("A", "a", 1, ACCOUNT)
        assert (work.method, work.body) == ("POST", b'{"payload":"x"}')
        assert (work.lane, work.repeat) == (Lane.ACTION, Repeat.WINDOW)
        assert (work.released_ms, work.not_after_ms, work.expire_ms) == (START_MS, START_MS + 50_000, START_MS + 30_000)

    def test_a_repeat_has_the_first_ones_last_moment(self):
        """
        not_after counts from the first release: Telnyx remembers a command_id from there.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        submitted(watched, "speak", "a", expire="10m")
        watched.pass_time(OUTCOME_WAIT_MS)
        again = watched.released["a"][1]
        assert (again.attempt, again.not_after_ms) == (2, START_MS + WINDOW_MS)

    def test_a_hangup_has_none(self):
        """
        Hangup and reject are worth sending for as long as the call may live.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        work = the(Release, submitted(watched, "hangup", "a", expire="5s")).work
        assert (work.not_after_ms, work.expire_ms) == (None, None)


class TestWhatIsTold:
    def test_a_result_shows_what_the_worker_learned(self):
        """
        Status, errors, times and the sender's own words go into the result.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        work = the(Release, submitted(watched, "speak", "a", group="g")).work
        watched.now += 40
        refused = outcome(work, Verdict.REFUSED, watched.now, status=422, code="10015")
        result = the(Result, watched.put(Told(refused)))
        assert (result.http_status, result.errors, result.attempts) == (422, (TelnyxError("10015"),), 1)
        assert (result.accept_ms, result.send_ms, result.finish_ms) == (START_MS, START_MS + 40, START_MS + 40)
        assert (result.group, result.call, result.page) == ("g", "A", "A")

    def test_a_result_counts_the_requests(self):
        """
        Those that the workers counted, and one for each attempt of which nothing was heard.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        submitted(watched, "speak", "a", expire="10m")
        watched.pass_time(2 * OUTCOME_WAIT_MS)
        first, _, third = watched.released["a"]
        watched.put(Told(outcome(first, Verdict.EXPIRED, watched.now)))
        done = msgspec.structs.replace(outcome(third, Verdict.DONE, watched.now, status=200), tries=3)
        assert the(Result, watched.put(Told(done))).attempts == 0 + 1 + 3

    def test_a_reused_id_is_told_when_the_first_came(self):
        """
        The sentence names the moment, so that people can look for the other command.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        submitted(watched, "speak", "a")
        watched.now += 5_000
        refused = the(Result, submitted(watched, "speak", "a", body="other"))
        assert refused.reason is Reason.COMMAND_ID_REUSED
        assert refused.origin == "commands-0-7"
        assert "2027-01-15T08:00:00.000Z" in refused.message

    def test_a_completion_shows_its_event(self):
        """
        Which event, when by Telnyx's clock, and with what status.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        work = the(Release, submitted(watched, "gather", "a")).work
        watched.put(Told(outcome(work, Verdict.DONE, watched.now, status=200)))
        heard = Heard(ACCOUNT, "e1", "call.gather.ended", START_MS + 9, call="A", status="timeout")
        completed = the(Completed, watched.put(heard))
        assert (completed.event_id, completed.event_type, completed.status) == ("e1", "call.gather.ended", "timeout")
        assert (completed.state, completed.occur_ms) == (Completion.COMPLETED, START_MS + 9)


class TestLimits:
    def test_the_times_stand_in_their_order(self):
        """
        A hold, a gap and a silence are all shorter than what remembers them.
        """
        limits = DEFAULT_LIMITS
        assert limits.sequence_wait_ms < limits.answer_hold_ms < OUTCOME_WAIT_MS < WINDOW_MS
        assert limits.call_memory_ms < limits.silence_ms <= limits.dial_memory_ms

    def test_a_line_holds_64_commands(self):
        """
        The 65th that would wait is refused; the one in flight does not count.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        told = [submitted(watched, "speak", f"c{number}") for number in range(66)]
        assert [output.reason for output in told[-1]] == [Reason.LINE_FULL]
        assert [output for outputs in told[1:-1] for output in outputs] == []

    def test_a_line_holds_256_kib(self):
        """
        Two commands of the greatest size wait, a third does not.
        """
        watched = Watched("A", DEFAULT_LIMITS, page_bytes_max=512 * 1024)
        body = "x" * (127 * 1024)
        told = [submitted(watched, "speak", f"c{number}", body=body) for number in range(4)]
        assert [kinds(outputs) for outputs in told] == [["Release"], [], [], ["Result"]]

    def test_hangups_have_as_many_bytes_of_their_own(self):
        """
        However full of other commands the line is, and no more.
        """
        watched = Watched("A", DEFAULT_LIMITS, page_bytes_max=1024 * 1024)
        body = "x" * (127 * 1024)
        for number in range(3):
            submitted(watched, "speak", f"c{number}", body=body)
        told = [submitted(watched, "hangup", f"h{number}", body=body) for number in range(3)]
        assert [kinds(outputs) for outputs in told] == [[], [], ["Result"]]

    @pytest.mark.parametrize("action", ["hangup", "reject"])
    def test_even_hangups_have_a_last_one(self, action: str):
        """
        A page has a greatest size: what passes at once stays on it too, until it is answered.
        """
        watched = Watched("A", Limits(line_commands_max=4))
        told = [submitted(watched, action, f"c{number}", placement="NOW") for number in range(5)]
        assert [kinds(outputs) for outputs in told] == [["Release"]] * 4 + [["Result"]]


class TestTheSizeOfAPage:
    def test_what_is_open_is_bounded(self):
        """
        Beyond 256 commands whose event is awaited, the oldest is given up like one whose time is over.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        given_up = []
        for number in range(OPEN_MAX + 3):
            work = the(Release, submitted(watched, "speak", f"c{number}")).work
            told = watched.put(Told(outcome(work, Verdict.DONE, watched.now, status=200)))
            given_up += [output.command_id for output in told if isinstance(output, Completed)]
        assert given_up == ["c0", "c1", "c2"]
        page = watched.page()
        assert page is not None
        assert len(page.open) == OPEN_MAX

    def test_clues_are_bounded(self):
        """
        However many events come while a command is on its way, a page keeps the last few.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        submitted(watched, "speak", "a")
        for number in range(30):
            watched.put(Heard(ACCOUNT, f"s{number}", "call.speak.ended", START_MS, call="A"))
            watched.put(Heard(ACCOUNT, f"a{number}", "call.answered", START_MS, call="A"))
        page = watched.page()
        assert page is not None
        assert len(page.flights[0].clues) == len(page.untold) == CLUES_MAX

    def test_event_ids_are_bounded(self):
        """
        The last 512 are known again.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        watched.put(Heard(ACCOUNT, "first", "call.initiated", START_MS, call="A"))
        assert watched.value is not None
        page = decode(watched.value)
        for number in range(EVENTS_MAX):
            note_event(page, f"e{number}")
        assert len(page.events) == EVENTS_MAX * 8
        assert not event_is_known(page, "first")
        assert event_is_known(page, "e0")
        assert event_is_known(page, f"e{EVENTS_MAX - 1}")

    def test_an_answer_is_not_kept(self):
        """
        What Telnyx answered goes into the result; while a repeat is awaited, the page does not keep it.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        work = the(Release, submitted(watched, "speak", "a", expire="10m")).work
        watched.pass_time(OUTCOME_WAIT_MS)
        done = outcome(work, Verdict.DONE, watched.now, attempt=1, status=200)
        result = the(Result, watched.put(Told(msgspec.structs.replace(done, response=b"{}" * 30_000))))
        assert len(result.response) == 60_000
        assert watched.value is not None
        assert len(watched.value) < 1_000


class TestTimers:
    def test_a_timer_of_a_page_that_is_gone_does_nothing(self):
        """
        Its page was forgotten meanwhile.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        assert watched.put(Due(START_MS)) == []
        assert watched.value is None


class TestWhatIsToldTwice:
    def test_a_late_call_is_hung_up_by_one_decision(self):
        """
        What pages tell each other comes at least once; the hangup of a late dial is decided the first time.
        """
        watched = Watched("A", DEFAULT_LIMITS)
        opened = Opened(ACCOUNT, f"dial:{ACCOUNT}/d", Leg("A", "leg-A", "s"), given_up=True)
        assert "HangUp" in kinds(watched.put(opened))
        assert "HangUp" not in kinds(watched.put(opened))
