"""The line's dumb twin: the slowest thing that could be right. It knows no pages, bytes or digests, only lists.

It covers placement, expiry, requires, cancellation, silence and the call's end by 90018; no gates, events or numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.core.commands import Ask

ENDS_CALL = ("hangup", "reject")


@dataclass
class Sent:
    """A command in the workers' hands."""

    ask: Ask
    first: int
    due: int
    number: int
    attempt: int = 1
    answered: bool = False


class Twin:
    """One call. `said` is everything that was released and every result, in order."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.line: list[Ask] = []
        self.sent: Sent | None = None
        self.passed: list[Sent] = []
        self.ended: dict[str, str] = {}
        self.over = False
        self.said: list[str] = []

    def end(self, ask: Ask, how: str) -> None:
        self.ended[ask.command_id] = how
        self.said.append(f"result {ask.command_id} {how}")

    def knows(self, ask: Ask) -> bool:
        under_way = [sent.ask for sent in (self.sent, *self.passed) if sent is not None]
        return ask.command_id in self.ended or any(one.command_id == ask.command_id for one in self.line + under_way)

    def submit(self, ask: Ask) -> None:
        if self.knows(ask):
            return
        if self.over:
            self.end(ask, "SUCCEEDED ALREADY_ENDED" if ask.action in ENDS_CALL else "REJECTED CALL_ENDED")
        elif ask.placement == "LAST":
            self.line.append(ask)
        else:
            if ask.placement == "NOW":
                for waiting in self.line:
                    self.end(waiting, "CANCELLED SUPERSEDED")
                self.line = []
            placed = [one for one in self.line if one.placement != "LAST"]
            self.line = [*placed, ask, *self.line[len(placed) :]]
        self.go()

    def cancel(self, names: list[str]) -> None:
        for ask in [one for one in self.line if not names or one.command_id in names]:
            self.line.remove(ask)
            self.end(ask, "CANCELLED CANCEL_REQUESTED")
        self.go()

    def go(self) -> None:
        if self.line and self.line[0].placement == "NOW" and self.line[0].action in ENDS_CALL:
            self.passed.append(self.release(self.line.pop(0)))
        while self.line and self.sent is None:
            if any(one.ask.command_id == self.line[0].requires and not one.answered for one in self.passed):
                return  # What it requires is still on its way.
            ask = self.line.pop(0)
            if self.expiry(ask) <= self.now:
                self.end(ask, "EXPIRED IN_LINE")
            elif ask.requires and not self.ended.get(ask.requires, "").startswith("SUCCEEDED"):
                self.end(ask, "CANCELLED PREVIOUS_FAILED")
            else:
                self.sent = self.release(ask)

    def release(self, ask: Ask) -> Sent:
        self.said.append(f"release {ask.command_id}#1")
        return Sent(ask, self.now, self.now + 15_000, number=len(self.said))

    def expiry(self, ask: Ask) -> float:
        if ask.action in ENDS_CALL:
            return float("inf")
        return ask.expire_ms if ask.expire_ms is not None else ask.accept_ms + 30_000

    def hear(self, command_id: str, how: str) -> None:
        """An outcome of the latest attempt: done, refused, ended (90018), unsent or no_answer."""
        sent = next((one for one in (self.sent, *self.passed) if one and one.ask.command_id == command_id), None)
        if sent is None:
            return
        ends_call = sent.ask.action in ENDS_CALL
        self.sent = None if sent is self.sent else self.sent
        self.passed = [one for one in self.passed if one is not sent]
        if not sent.answered:
            self.end(sent.ask, self.meaning(how, first=sent.attempt == 1, ends_call=ends_call))
        elif how in ("done", "ended"):
            self.ended[command_id] = "SUCCEEDED, as it turned out"
        if how == "ended" and not self.over:
            self.end_call()
        self.go()

    def meaning(self, how: str, *, first: bool, ends_call: bool) -> str:
        if how == "done":
            return "SUCCEEDED"
        if how == "no_answer":
            return "UNKNOWN NO_ANSWER"
        if how == "ended" and ends_call:
            return "SUCCEEDED ALREADY_ENDED"
        if not first:
            return "UNKNOWN WORKER_LOST" if how == "unsent" else "UNKNOWN AMBIGUOUS_REFUSAL"
        return {
            "ended": "FAILED CALL_ENDED",
            "refused": "FAILED TELNYX_REFUSED",
            "unsent": "FAILED TELNYX_UNREACHABLE",
        }[how]

    def end_call(self) -> None:
        self.over = True
        for ask in self.line:
            self.end(ask, "SUCCEEDED ALREADY_ENDED" if ask.action in ENDS_CALL else "CANCELLED CALL_ENDED")
        self.line = []

    def pass_time(self, by: int) -> None:
        """One second at a time, which is as slow as it is sure: everything happens at whole seconds."""
        for _ in range(by // 1_000):
            self.now += 1_000
            for ask in [one for one in self.line if self.expiry(one) <= self.now]:
                self.line.remove(ask)
                self.end(ask, "EXPIRED IN_LINE")
            missed = [one for one in (self.sent, *self.passed) if one and one.due <= self.now]
            for sent in sorted(missed, key=lambda one: one.number):
                self.miss(sent)
            self.go()

    def miss(self, sent: Sent) -> None:
        """Nothing was heard of it for 15 s."""
        ask, ends_call = sent.ask, sent.ask.action in ENDS_CALL
        age = self.now - sent.first
        if ends_call and self.over:
            gone, result = True, "SUCCEEDED ALREADY_ENDED"
        elif ends_call:
            gone, result = False, "UNKNOWN" if age >= 75_000 else ""
        else:
            gone = self.over or age >= 50_000 or self.expiry(ask) <= self.now
            result = "UNKNOWN WORKER_LOST" if gone else ""
        if result and not sent.answered:
            self.end(ask, result if result != "UNKNOWN" else "UNKNOWN WORKER_LOST")
            sent.answered = True
            if sent is self.sent and not gone:
                self.sent, self.passed = None, [*self.passed, sent]
        if gone:
            self.sent = None if sent is self.sent else self.sent
            self.passed = [one for one in self.passed if one is not sent]
        else:
            sent.attempt, sent.due = sent.attempt + 1, self.now + 15_000
            self.said.append(f"release {ask.command_id}#{sent.attempt}")
