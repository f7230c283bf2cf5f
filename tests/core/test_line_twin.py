"""The line agrees with its dumb twin: the same releases and the same results, in the same order."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cordboard.work import Verdict
from dispatcher.core.asking import QUESTION
from dispatcher.core.decision import Output, Release, Result
from dispatcher.core.inputs import Asked, CancelAsked, Due, Input, Told
from dispatcher.core.limits import Limits
from tests.core.story import START_MS, make_ask
from tests.core.twin import Twin
from tests.core.watch import Watched, outcome

NAMES = [f"c{number}" for number in range(30)]
HOW = {
    "done": (Verdict.DONE, 200, ""),
    "refused": (Verdict.REFUSED, 422, "10015"),
    "ended": (Verdict.REFUSED, 422, "90018"),
    "unsent": (Verdict.UNSENT, 0, ""),
    "no_answer": (Verdict.NO_ANSWER, 0, ""),
}


class Core(Watched):
    """The real one, remembering what it said."""

    def __init__(self) -> None:
        super().__init__("A", Limits(line_commands_max=1_000))
        self.said: list[str] = []

    def check(self, output: Output) -> None:
        super().check(output)
        match output:
            case Release(work=work) if work.command_id != QUESTION:
                self.said.append(f"release {work.command_id}#{work.attempt}")
            case Result(kind="result"):
                reason = "" if output.reason == "NONE" else f" {output.reason}"
                self.said.append(f"result {output.command_id} {output.state}{reason}")


class LineAgainstAList(RuleBasedStateMachine):
    """One call, told to both."""

    def __init__(self) -> None:
        super().__init__()
        self.core, self.twin = Core(), Twin(START_MS)

    def put(self, given: Input) -> None:
        self.core.put(given)

    @rule(
        action=st.sampled_from(["speak", "record_pause", "send_dtmf", "bridge", "speak", "hangup"]),
        command_id=st.sampled_from(NAMES),
        placement=st.sampled_from(["LAST", "LAST", "LAST", "NEXT", "NOW"]),
        expire=st.sampled_from(["", "", "0s", "3s", "20s", "40s", "2m"]),
        requires=st.sampled_from(["", "", *NAMES[:4]]),
    )
    def submit(self, action: str, command_id: str, placement: str, expire: str, requires: str) -> None:
        said = {"placement": placement, "body": command_id}
        said |= {"expire": expire} if expire else {}
        said |= {"requires": requires} if requires and action != "hangup" else {}
        ask = make_ask(action, command_id, self.core.now, said)
        self.put(Asked(ask, "commands-0-1"))
        self.twin.submit(ask)

    @precondition(lambda self: self.twin.sent or self.twin.passed)
    @rule(data=st.data(), how=st.sampled_from(["done", *HOW]))
    def hear(self, data: st.DataObject, how: str) -> None:
        sent = data.draw(st.sampled_from([one for one in (self.twin.sent, *self.twin.passed) if one is not None]))
        verdict, status, code = HOW[how]
        if (sent.ask.action, how) in (("bridge", "ended"), ("hangup", "unsent"), ("hangup", "no_answer")):
            return  # Where these are no end, a story tells.
        work = self.core.released[sent.ask.command_id][-1]
        self.put(Told(outcome(work, verdict, self.core.now, status=status, code=code)))
        self.twin.hear(sent.ask.command_id, how)

    @rule(names=st.lists(st.sampled_from(NAMES), max_size=3))
    def cancel(self, names: list[str]) -> None:
        self.put(CancelAsked("cancel", tuple(names)))
        self.twin.cancel(names)

    @rule(by=st.sampled_from([1, 2, 5, 14, 15, 16, 31, 61, 80]))
    def pass_time(self, by: int) -> None:
        self.core.pass_time(by * 1_000)
        self.twin.pass_time(by * 1_000)

    @rule()
    def look_too_early(self) -> None:
        """A timer that fires before its time changes nothing."""
        if self.core.value is not None:
            self.put(Due(self.core.now - 1))

    @invariant()
    def both_say_the_same(self) -> None:
        assert self.core.said == self.twin.said


TestTheLine = LineAgainstAList.TestCase
TestTheLine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
