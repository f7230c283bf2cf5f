"""Whatever comes, in whatever order and however often, the promises about one page hold (see watch.py)."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cordboard.work import Verdict, Work
from dispatcher.core.commands import Ask
from dispatcher.core.inputs import Asked, CancelAsked, Credited, Heard, Input, Poisoned, Told
from dispatcher.core.limits import Limits
from tests.core.story import ACCOUNT, dial_response, make_ask
from tests.core.watch import Watched, outcome

LIMITS = Limits(
    line_commands_max=6,
    silence_ms=4 * 3_600_000,
    dial_memory_ms=4 * 3_600_000,
    ask_after_ms=3_600_000,
    ask_again_ms=1_200_000,
)
ENDINGS_MS = 3_600_000  # Until what is on its way, one after another, is UNKNOWN.
# A day without any sign, a day of hangups that nobody answers, and a day for which what was said is remembered.
LONGEST_MS = 3 * LIMITS.silence_ms + 2 * ENDINGS_MS
ACTIONS = ["speak", "speak", "gather", "playback_stop", "record_pause", "bridge", "answer", "hangup", "reject"]
EVENTS = ["call.speak.ended", "call.playback.ended", "call.gather.ended", "call.answered", "call.initiated"]
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
        said = {name: str(value) for name, value in options.items() if value}
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
    )
    def submit(self, action: str, command_id: str, **options: object) -> None:
        self.put(Asked(self.ask(action, command_id, **options), f"commands-0-{len(self.past)}"))

    @rule(action=st.sampled_from(ACTIONS), command_id=st.sampled_from(NAMES))
    def poison(self, action: str, command_id: str) -> None:
        ask = self.ask(action, command_id)
        if command_id not in self.watched.results:
            self.watched.pending.setdefault(command_id, ask)
        self.put(Poisoned(ask))

    @rule(event_type=st.sampled_from([*EVENTS, *EVENTS, "call.hangup"]), ago=seconds)
    def hear_event(self, event_type: str, ago: int) -> None:
        occurred_ms = self.watched.now - ago * 1_000
        self.put(Heard(ACCOUNT, f"e{len(self.past)}", event_type, occurred_ms, call="A", leg="leg-A", session="s"))


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
        self.put(Told(msgspec.structs.replace(answered, response=dial_response(legs))))

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
TestADial = ADial.TestCase
TestADial.settings = MANY
