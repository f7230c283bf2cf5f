"""The checker sees what goes wrong with recordings and with the new legs of transfers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checker import check
from simulation.clock import BEGIN_MS
from simulation.history import Completion, Delivery, Event, History
from simulation.indexed import Violation
from simulation.postings import Posting
from tests.simulation.whole import SPEAK, command, request, result, whole

STOP, TRANSFER = "stop-1", "transfer-1"


def happened(history: History, number: int, at: float, event_type: str, call: str = "A", cause: str = "") -> None:
    """A webhook was delivered and handed on at once."""
    event_id = f"e{number}"
    named = "" if "recording" in event_type else call
    history.deliveries.append(Delivery(at, event_id, event_type, call, 200, cause=cause))
    occurred_ms = BEGIN_MS + round(at * 1000)
    history.events.append(Event(number, at, event_id, event_type, named, "", b"e", occurred_ms, call, call, b"w"))
    history.posted.append(Posting(at, event_id, b"w", 200, is_served=True))


def said(history: History, name: str, action: str, event: Event, state: str = "COMPLETED") -> None:
    told = Completion(
        event.number, event.at, name, action, state, "UNSPECIFIED", event.event_id, event.event_type, b"c"
    )
    history.completions.append(told)


def story() -> History:
    """A call that lives on: its recording was stopped, and its transfer failed because the new leg was busy."""
    history = whole()
    history.calls = {"A": None, "B": 9.0}
    kept = {SPEAK}
    history.commands = [one for one in history.commands if one.command_id in kept]
    history.results = [one for one in history.results if one.command_id in kept]
    history.releases = [one for one in history.releases if one.command_id in kept]
    history.requests, history.events, history.deliveries = (
        history.requests[:1],
        history.events[:1],
        history.deliveries[:1],
    )
    history.commands += [command(STOP, 20, "record_stop", at=4.0), command(TRANSFER, 30, "transfer", at=7.0)]
    history.requests.append(request(1, STOP, 4.1, "record_stop"))
    history.requests.append(request(2, TRANSFER, 7.1, "transfer", made=("B",)))
    for name, number, at in ((STOP, 21, 4.3), (TRANSFER, 31, 7.3)):
        accept_ms = next(one.accept_ms for one in history.commands if one.command_id == name)
        history.results.append(replace(result(name, number, at), accept_ms=accept_ms))
    stop = next(one for one in history.commands if one.command_id == STOP)
    happened(history, 22, 5.0, "call.recording.saved", cause=stop.telnyx_id)
    said(history, STOP, "record_stop", history.events[-1])
    happened(history, 32, 7.5, "call.initiated", "B")
    happened(history, 33, 9.0, "call.hangup", "B")
    said(history, TRANSFER, "transfer", history.events[-1], "FAILED")
    return history


def found(history: History) -> list[Violation]:
    """What this file is about; the story leaves out what other checks look for."""
    return [one for one in check(history) if one.kind.replace(" ", "_").replace("'", "") in NAMES]


def handed_on_as_anothers(history: History) -> None:
    history.events[1] = replace(history.events[1], subject="B")


def handed_on_untied(history: History) -> None:
    history.events[1] = replace(history.events[1], subject="")


def recording_not_seen(history: History) -> None:
    history.completions = [one for one in history.completions if one.command_id != STOP]


def recording_of_anothers(history: History) -> None:
    history.deliveries = [
        replace(one, cause="another" if "recording" in one.event_type else "") for one in history.deliveries
    ]


def leg_not_followed(history: History) -> None:
    history.completions[-1] = replace(history.completions[-1], state="INCOMPLETE", reason="NO_EVENT", event_id="")


def ended_in_error(history: History) -> None:
    history.results[-1] = replace(history.results[-1], reason="CALL_ENDED", state="FAILED")


PLANTED = [
    handed_on_as_anothers,
    handed_on_untied,
    recording_not_seen,
    recording_of_anothers,
    leg_not_followed,
    ended_in_error,
]
NAMES = {plant.__name__ for plant in PLANTED}


def test_the_story_is_whole() -> None:
    """
    Nothing of what is looked for here is in it.
    """
    assert found(story()) == []


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_is_planted_is_found(plant: Callable[[History], None]) -> None:
    """
    Each violation is found, under its own name.
    """
    history = story()

    plant(history)

    assert plant.__name__ in {one.kind.replace(" ", "_").replace("'", "") for one in found(history)}


def test_a_leg_that_was_bridged_is_a_transfer_completed() -> None:
    """
    FAILED is untrue of it, unless its hangup was known before.
    """
    history = story()
    happened(history, 34, 8.5, "call.bridged", "B")
    bridged = history.events.pop()

    history.events.insert(-1, replace(bridged, number=32))
    assert [one.kind for one in found(history)] == ["leg not followed"]

    history.events[-2] = replace(bridged, number=40)
    assert found(history) == []
