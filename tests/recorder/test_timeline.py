"""A story made of entries: what had to wait and for what, what was said twice, and what only the page knows."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from cordboard.v1 import TimelineEntry, TimelineKind
from cordboard.work import Lane, Outcome, Repeat, Verdict
from dispatcher.core.asking import QUESTION
from dispatcher.core.commands import Ask
from dispatcher.core.page import Flight, Held, Life, Page
from dispatcher.recorder.story import Entry, Kind
from dispatcher.rpc.knowing import known_to
from dispatcher.rpc.timeline import timeline
from tests.recorder.samples import T0


def entry(at_ms: int, kind: Kind, command_id: str = "c-1", content: dict[str, Any] | None = None, **told: Any) -> Entry:
    """One record, so long after the story's start."""
    text = orjson.dumps(content or {}).decode()
    outline: dict[str, Any] = {"action": "speak", **told}
    return Entry(
        topic="t",
        part=0,
        place=at_ms,
        call="A",
        time_ms=T0 + at_ms,
        kind=kind,
        command_id=command_id,
        content=text,
        **outline,
    )


def accepted(at_ms: int, command_id: str = "c-1", **content: Any) -> Entry:
    return entry(at_ms, Kind.COMMAND, command_id, content)


def released(at_ms: int, command_id: str = "c-1", **told: Any) -> Entry:
    return entry(at_ms, Kind.RELEASE, command_id, attempt=1, **told)


def said(lines: list[TimelineEntry]) -> list[str]:
    """Kind and command of each line."""
    kinds = [TimelineKind.Name(line.kind).removeprefix("TIMELINE_KIND_") for line in lines]
    return [f"{kind} {line.command_id}".strip() for kind, line in zip(kinds, lines, strict=True)]


def held(*entries: Entry) -> list[str]:
    """Why something had to wait."""
    return [line.detail for line in timeline(entries, ()) if TimelineKind.Name(line.kind).endswith("HELD")]


class TestWaiting:
    """What is on no topic, and is seen all the same."""

    def test_behind_another_command(self):
        """
        Whose result came between acceptance and release.
        """
        other = [accepted(0, "c-0"), released(1, "c-0"), entry(900, Kind.RESULT, "c-0", state="SUCCEEDED")]

        assert held(*other, accepted(10), released(1000)) == ["0.990 s: behind speak c-0, until its result"]

    def test_until_another_was_complete(self):
        """
        Where its sender had asked for that.
        """
        other = [entry(900, Kind.COMPLETION, "c-0", state="COMPLETED"), entry(500, Kind.RESULT, "c-0")]
        waiting = accepted(10, start_after="PREVIOUS_COMPLETED")

        assert held(*other, waiting, released(1000)) == ["0.990 s: until speak c-0 was complete"]

    def test_for_the_number_before_it(self):
        """
        Which came later.
        """
        late = [accepted(400, "c-0", sequence=1), released(400, "c-0")]

        assert held(accepted(10, sequence=2), *late, released(410)) == ["0.400 s: until number 1 came"]

    def test_until_the_call_was_answered(self):
        """
        After a successful answer, nothing goes out before its event.
        """
        answered = entry(300, Kind.EVENT, "", action="call.answered")

        assert held(accepted(10), answered, released(310)) == ["0.300 s: until the call was answered"]

    def test_for_room_in_the_lane(self):
        """
        A dial that had nobody before it, and went long after.
        """
        dial = {"action": "dial"}

        assert held(entry(0, Kind.COMMAND, **dial), released(5000, **dial)) == ["5.000 s: for room in its lane"]

    def test_in_the_lane_behind_the_workers_pace(self):
        """
        A worker says that it has it, and waits.
        """
        waiting = entry(5000, Kind.OUTCOME, state="waiting", reason="rate_limited", attempt=1)

        assert held(accepted(0), released(1), waiting) == ["in its lane: rate_limited"]

    def test_what_went_at_once_waited_for_nothing(self):
        """
        No line says so.
        """
        assert held(accepted(0), released(1)) == []


class TestOrder:
    """What came of what."""

    def test_what_a_crash_said_twice_is_told_once(self):
        """
        The dispatcher's own words, byte for byte; what a sender sends twice is told twice.
        """
        twice = [entry(3 + nth, Kind.RESULT, state="SUCCEEDED") for nth in (0, 1)]
        lines = timeline([accepted(0), accepted(1), released(2), released(2), *twice], ())

        assert said(lines) == ["ACCEPTED c-1", "ACCEPTED c-1", "RELEASED c-1", "RESULT c-1"]

    def test_a_worker_tells_when_it_sent_and_was_answered(self):
        """
        By its own clock; its report came later.
        """
        content = {"sent_ms": T0 + 5, "finished_ms": T0 + 90, "http_status": 200, "tries": 2}
        lines = timeline([accepted(0), released(2), entry(99, Kind.OUTCOME, content=content, action="", attempt=1)], ())

        assert said(lines) == ["ACCEPTED c-1", "RELEASED c-1", "SENT c-1", "ANSWERED c-1"]
        assert (lines[-1].detail, lines[-1].action) == ("HTTP 200, 2 tries", "speak")

    def test_an_event_comes_before_what_it_completes(self):
        """
        In the same millisecond.
        """
        done, event = entry(5, Kind.COMPLETION), entry(5, Kind.EVENT, action="call.speak.ended")

        assert said(timeline([done, event], ())) == ["EVENT c-1", "COMPLETED c-1"]

    def test_what_one_decision_says_is_in_order_too(self):
        """
        All of it has one time: the result of one command, and the release of the next.
        """
        first = [accepted(0), released(1), entry(5, Kind.RESULT, state="SUCCEEDED"), entry(5, Kind.COMPLETION)]
        lines = timeline([released(5, "c-2"), accepted(2, "c-2"), *first, released(5, "c-2")], ())

        assert said(lines)[-3:] == ["RESULT c-1", "COMPLETED c-1", "RELEASED c-2"]

    def test_all_in_one_millisecond_is_told_as_it_came(self):
        """
        A provider on the same machine is that fast.
        """
        sent = {"sent_ms": T0 + 1, "finished_ms": T0 + 1}
        every = [entry(1, Kind.RESULT), entry(1, Kind.OUTCOME, content=sent, attempt=1), released(1), accepted(1)]

        assert [line.split()[0] for line in said(timeline(every, ()))] == [
            "ACCEPTED",
            "RELEASED",
            "SENT",
            "ANSWERED",
            "RESULT",
        ]

    def test_that_telnyx_was_asked_is_nobodys_command(self):
        """
        It has no id that anybody knows.
        """
        asked = released(0, QUESTION, action="call_status")

        assert said(timeline([asked], ())) == ["ASKED"]


@pytest.fixture
def page() -> Page:
    """A call with one command under way, and one that waits."""

    def ask(command_id: str, accept_ms: int) -> Ask:
        return Ask(
            command_id=command_id,
            account="main",
            action="speak",
            lane=Lane.ACTION,
            repeat=Repeat.WINDOW,
            method="POST",
            path="/",
            body=b"",
            fingerprint=b"",
            accept_ms=T0 + accept_ms,
            source="ivr",
        )

    outcome = Outcome(
        key="A", command_id="c-1", attempt=1, verdict=Verdict.NO_ANSWER, sent_ms=T0 + 12, finished_ms=T0 + 40
    )
    flight = Flight(
        ask=ask("c-1", 10),
        attempt=2,
        first_ms=T0 + 11,
        released_ms=T0 + 50,
        deadline_ms=T0 + 99,
        outcomes=[outcome],
    )
    return Page(
        key="A",
        life=Life.ALIVE,
        opened_ms=T0,
        flights=[flight],
        line=[Held(ask=ask("c-2", 20), expire_ms=None, gate="c-1")],
    )


class TestPage:
    """What a page knows."""

    def test_alone_it_tells_what_is_under_way(self, page: Page):
        """
        And what waits, and for what.
        """
        lines = timeline([], known_to(page))

        assert said(lines) == [
            "CALL",
            "ACCEPTED c-1",
            "RELEASED c-1",
            "SENT c-1",
            "ACCEPTED c-2",
            "HELD c-2",
            "ANSWERED c-1",
            "RELEASED c-1",
        ]
        assert lines[5].detail == "it waits in place 1, until c-1 is complete"

    def test_beside_the_recorder_it_adds_what_is_not_recorded_yet(self, page: Page):
        """
        Nothing is told twice.
        """
        lines = timeline([accepted(10), released(11)], known_to(page))

        assert said(lines).count("ACCEPTED c-1") == said(lines).count("ACCEPTED c-2") == 1
        assert "CALL" not in said(lines)
