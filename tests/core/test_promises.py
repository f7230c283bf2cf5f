"""Whatever comes, in whatever order and however often, the promises about one page hold (see watch.py)."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cordboard import marks
from cordboard.work import Verdict, Work
from dispatcher.core.commands import Ask
from dispatcher.core.inputs import Announced, Asked, CancelAsked, Credited, Heard, Input, Poisoned, Told
from dispatcher.core.limits import Limits
from dispatcher.core.page import Raw
from tests.core.story import ACCOUNT, dial_response, make_ask
from tests.core.watch import Watched, outcome

LIMITS = Limits(
    line_commands_max=6,
    silence_ms=4 * 3_600_000,
    dial_memory_ms=4 * 3_600_000,
    ask_after_ms=3_600_000,
    ask_again_ms=1_200_000,
    link_memory_ms=2 * 3_600_000,
)
ENDINGS_MS = 3_600_000  # Until what is on its way, one after another, is UNKNOWN.
# A day without any sign, a day of hangups that nobody answers, and a day for which what was said is remembered.
LONGEST_MS = 3 * LIMITS.silence_ms + 2 * ENDINGS_MS
ACTIONS = ["speak", "speak", "gather", "playback_stop", "record_pause", "bridge", "answer", "hangup", "reject"]
ACTIONS += ["playback_start", "gather_using_audio", "streaming_start", "transfer"]
EVENTS = ["call.speak.ended", "call.playback.ended", "call.gather.ended", "call.answered", "call.initiated"]
EVENTS += ["call.speak.started", "call.playback.started", "streaming.started", "streaming.stopped"]
NAMES = [f"c{number}" for number in range(12)]
ALIVE, DEAD = b'{"data":{"is_alive":true}}', b'{"data":{"is_alive":false}}'
OVER = b'{"data":{"is_alive":false,"end_time":"2027-01-15T08:00:00Z"}}'
seconds = st.sampled_from([0, 1, 2, 14, 15, 15, 15, 16, 30, 60, 3_600])


class APage(RuleBasedStateMachine):
    """What every page can be told, and told again."""

    key = "A"

    def __init__(self) -> None:
        super().__init__()
        self.watched = Watched(self.key, LIMITS)
        self.past: list[Input] = []

    def put(self, given: Input) -> None:
        self.past.append(given)
        self.watched.put(given)

    def ask(self, action: str, command_id: str, **options: object) -> Ask:
        said = {name: str(value) for name, value in options.items() if value is not False and value != ""}
        return make_ask(action, command_id, self.watched.now, said)

    def released(self) -> list[Work]:
        return [work for works in self.watched.released.values() for work in works]

    @rule(by=seconds)
    def pass_time(self, by: int) -> None:
        self.watched.pass_time(by * 1_000)

    @precondition(lambda self: self.released())
    @rule(
        data=st.data(),
        verdict=st.sampled_from([*Verdict, Verdict.DONE, Verdict.REFUSED, Verdict.UNSENT]),
        attempt=st.sampled_from([0, 0, 0, 1, 2, 9]),
        refusal=st.sampled_from([(401, ""), (404, ""), (422, "90018"), (422, "90034"), (422, "90015")]),
    )
    def hear_outcome(self, data: st.DataObject, verdict: Verdict, attempt: int, refusal: tuple[int, str]) -> None:
        work = data.draw(st.sampled_from(self.released()[-3:]))
        status, code = refusal if verdict in (Verdict.REFUSED, Verdict.AMBIGUOUS) else (0, "")
        self.put(Told(outcome(work, verdict, self.watched.now, attempt=attempt, status=status, code=code)))

    @precondition(lambda self: self.watched.asked)
    @rule(
        attempt=st.sampled_from([0, 0, 0, 1]),
        said=st.sampled_from([ALIVE, DEAD, OVER, b"{}", b""]),
        verdict=st.sampled_from([Verdict.DONE, Verdict.DONE, Verdict.REFUSED, Verdict.NO_ANSWER, Verdict.WAITING]),
        refusal=st.sampled_from([(401, ""), (404, ""), (404, "10005"), (422, "90018")]),
    )
    def hear_answer(self, attempt: int, said: bytes, verdict: Verdict, refusal: tuple[int, str]) -> None:
        """Telnyx says whether the call lives, or something else."""
        status, code = refusal if verdict is Verdict.REFUSED else (0, "")
        told = outcome(self.watched.asked[-1], verdict, self.watched.now, attempt=attempt, status=status, code=code)
        self.put(Told(msgspec.structs.replace(told, response=said if verdict is Verdict.DONE else b"")))

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def hear_again(self, data: st.DataObject) -> None:
        """Everything comes at least once; a second time it ends nothing and hands nothing on (Watched sees to it)."""
        self.watched.put(data.draw(st.sampled_from(self.past[-12:])))

    @rule(names=st.sets(st.sampled_from(NAMES), max_size=2))
    def cancel(self, names: set[str]) -> None:
        self.put(CancelAsked("cancel", tuple(sorted(names))))

    @invariant()
    def what_waits_is_bounded(self) -> None:
        page = self.watched.page()
        if page is not None:
            waiting = [held.ask for held in (*page.line, *page.early)]
            assert sum(not ask.ends_call for ask in waiting) <= LIMITS.line_commands_max
            assert len(waiting) + len(page.flights) <= 2 * LIMITS.line_commands_max + 1

    def teardown(self) -> None:
        """Whatever never comes any more: every accepted command gets its one result, and no page stays for ever."""
        self.watched.pass_time(LIMITS.silence_ms + ENDINGS_MS)
        assert not self.watched.pending
        self.watched.pass_time(LONGEST_MS - LIMITS.silence_ms - ENDINGS_MS)
        assert self.watched.value is None


class ACall(APage):
    """A call, its commands and its events."""

    @rule(
        action=st.sampled_from(ACTIONS),
        command_id=st.sampled_from(NAMES),
        placement=st.sampled_from(["", "", "", "LAST", "NEXT", "NOW"]),
        expire=st.sampled_from(["", "", "0s", "1s", "20s", "10m"]),
        requires=st.sampled_from(["", "", "", *NAMES[:3]]),
        after=st.sampled_from(["", "completed"]),
        completes=st.sampled_from(["", "", "24h"]),
        sequence=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5]),
        accepted=st.sampled_from(["", "", "-1s"]),
        body=st.sampled_from(["", "", "other"]),
        audio_url=st.sampled_from(["", "u", "v"]),
        stop=st.sampled_from(["", "", "all", "current"]),
        overlay=st.sampled_from(["", "", "true"]),
        endless=st.booleans(),
    )
    def submit(self, action: str, command_id: str, **options: object) -> None:
        if action not in ("speak", "playback_start"):
            options["endless"] = False
        self.put(Asked(self.ask(action, command_id, **options), f"commands-0-{len(self.past)}"))

    @rule(action=st.sampled_from(ACTIONS), command_id=st.sampled_from(NAMES))
    def poison(self, action: str, command_id: str) -> None:
        ask = self.ask(action, command_id)
        if command_id not in self.watched.results:
            self.watched.pending.setdefault(command_id, ask)
        self.put(Poisoned(ask))

    @rule(
        event_type=st.sampled_from([*EVENTS, *EVENTS, "call.hangup"]),
        ago=seconds,
        payload=st.sampled_from([{}, {"media_url": "u"}, {"media_url": "v", "overlay": True}]),
    )
    def hear_event(self, event_type: str, ago: int, payload: dict[str, object]) -> None:
        heard = Heard(
            account=ACCOUNT,
            event_id=f"e{len(self.past)}",
            event_type=event_type,
            occurred_ms=self.watched.now - ago * 1_000,
            call="A",
            leg="leg-A",
            session="s",
            marks=marks.of_event(event_type, payload),
        )
        self.put(heard)

    @rule(event_type=st.sampled_from(["call.bridged", "call.hangup"]), leg=st.sampled_from("BCD"), ago=seconds)
    def hear_of_a_new_leg(self, event_type: str, leg: str, ago: int) -> None:
        """Whatever it says, it is handed on by that leg's own page, and ends nothing here."""
        before = self.watched.page()
        began = self.watched.now - ago * 1_000
        heard = Heard(ACCOUNT, f"{event_type}-{leg}", event_type, self.watched.now, leg, copy=True, begun_ms=began)
        self.put(replace(heard, answered=ago % 2 == 0))
        after = self.watched.page()
        assert f"{event_type}-{leg}" not in self.watched.handed_on
        assert (before and before.ended_ms) == (after and after.ended_ms)


class ALeg(APage):
    """The alias of a call by its leg."""

    key = "leg:L"

    @rule(event_id=st.sampled_from([f"e{number}" for number in range(30)]), size=st.sampled_from([10, 10, 9_000]))
    def hear_recording(self, event_id: str, size: int) -> None:
        heard = Heard(ACCOUNT, event_id, "call.recording.saved", self.watched.now, leg="L")
        self.put(replace(heard, raw=Raw(b"leg:L", b"x" * size, ((event_id, b""),))))

    @rule(call=st.sampled_from("AAB"))
    def link(self, call: str) -> None:
        self.put(Announced(ACCOUNT, call))

    @invariant()
    def everything_goes_somewhere(self) -> None:
        page = self.watched.page()
        if page is None:
            return
        assert not (page.link and page.kept), "kept though the call is known"
        assert all(self.watched.now - kept.since_ms <= LIMITS.untied_wait_ms for kept in page.kept)
        assert not {kept.clue.event_id for kept in page.kept} & self.watched.handed_on, "handed on and kept"


class ADial(APage):
    """A dial, its credit and its own webhooks."""

    key = "dial:acme/c0"

    @rule(body=st.sampled_from(["", "", "", "other"]))
    def submit(self, body: str) -> None:
        self.put(Asked(self.ask("dial", "c0", body=body), f"commands-0-{len(self.past)}"))

    @rule()
    def credit(self) -> None:
        self.put(Credited("c0"))

    @precondition(lambda self: self.released())
    @rule(legs=st.sampled_from(["X", "X,Y"]))
    def done(self, legs: str) -> None:
        work = self.released()[-1]
        answered = outcome(work, Verdict.DONE, self.watched.now, status=200)
        self.put(Told(msgspec.structs.replace(answered, response=dial_response(legs, {}))))

    @rule(
        event_type=st.sampled_from(["call.initiated", "call.answered", "call.hangup", "call.bridged"]),
        call=st.sampled_from("XYZ"),
    )
    def hear_own(self, event_type: str, call: str) -> None:
        event_id = f"{event_type}-{call}"
        self.put(Heard(ACCOUNT, event_id, event_type, self.watched.now, call=call, leg=f"leg-{call}", copy=True))


MANY = settings(max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
TestACall = ACall.TestCase
TestACall.settings = MANY
TestALeg = ALeg.TestCase
TestALeg.settings = MANY
TestADial = ADial.TestCase
TestADial.settings = MANY
