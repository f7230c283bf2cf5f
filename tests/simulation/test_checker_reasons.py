"""The checker sees a no without its cause, a result that says what is not so, and what is not completed as it ought."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checker import check
from simulation.clock import BEGIN_MS
from simulation.history import Cancel, Command, Completion, Delivery, Event, History, Label, Release
from tests.simulation.whole import HANGUP, SPEAK, command, request, result, whole

NAME = "other-1"


def told(history: History, state: str, reason: str, number: int = 21, **facts: object) -> Command:
    """A command that came before the hangup, and was told no."""
    asked = replace(command(NAME, 9, at=1.0), **facts)
    history.commands.append(asked)
    history.results.append(
        replace(result(SPEAK, number, 2.0, state=state), command_id=NAME, event_id="o", reason=reason)
    )
    return asked


def superseded(history: History) -> None:
    told(history, "CANCELLED", "SUPERSEDED")


def cancel_requested(history: History) -> None:
    told(history, "CANCELLED", "CANCEL_REQUESTED")
    history.cancels += [
        Cancel(5, "A", frozenset({"another"})),
        Cancel(6, "B", frozenset()),
        Cancel(30, "A", frozenset()),
    ]


def previous_failed(history: History) -> None:
    told(history, "CANCELLED", "PREVIOUS_FAILED")


def previous_failed_that_succeeded(history: History) -> None:
    told(history, "CANCELLED", "PREVIOUS_FAILED", requires=SPEAK)


def line_full(history: History) -> None:
    told(history, "REJECTED", "LINE_FULL")


def sequence_gap(history: History) -> None:
    told(history, "REJECTED", "SEQUENCE_GAP", sequence=2)
    history.commands[0] = replace(history.commands[0], sequence=1)


def sequence_taken(history: History) -> None:
    told(history, "REJECTED", "SEQUENCE_TAKEN", sequence=2)


def refused(history: History) -> None:
    told(history, "FAILED", "TELNYX_REFUSED")
    history.requests.append(request(2, NAME, 1.5, happened=False, status=500, answer=500))


def internal(history: History) -> None:
    told(history, "FAILED", "INTERNAL")


NOES = [
    superseded,
    cancel_requested,
    previous_failed,
    previous_failed_that_succeeded,
    line_full,
    sequence_gap,
    sequence_taken,
    refused,
    internal,
]


@pytest.mark.parametrize("plant", NOES, ids=lambda plant: plant.__name__)
def test_a_no_without_its_cause_is_found(plant: Callable[[History], None]) -> None:
    """
    What its reason names has not happened.
    """
    history = whole()

    plant(history)

    assert "without cause" in kinds(history)


def superseded_by(history: History) -> None:
    superseded(history)
    history.commands[1] = replace(history.commands[1], placement=3)


def cancelled_by_group(history: History) -> None:
    cancelled = told(history, "CANCELLED", "CANCEL_REQUESTED", label=Label(group="g"))
    history.results[-1] = replace(history.results[-1], label=cancelled.label)
    history.cancels.append(Cancel(12, "A", frozenset(), "g"))


def required_in_vain(history: History) -> None:
    told(history, "CANCELLED", "PREVIOUS_FAILED", requires="nothing")


def full_of_others(history: History) -> None:
    line_full(history)
    for number in range(64):
        name = f"waiting-{number}"
        history.commands.append(command(name, 9, at=1.0))
        ended = result(SPEAK, 23, 5.6, state="CANCELLED")
        history.results.append(replace(ended, command_id=name, event_id=name, reason="CALL_ENDED"))


def gap(history: History) -> None:
    told(history, "REJECTED", "SEQUENCE_GAP", sequence=3)
    history.commands[0] = replace(history.commands[0], sequence=1)


def taken(history: History) -> None:
    told(history, "REJECTED", "SEQUENCE_TAKEN", sequence=1)
    history.commands[0] = replace(history.commands[0], sequence=1)


def truly_refused(history: History) -> None:
    told(history, "FAILED", "TELNYX_REFUSED")
    history.requests.append(request(2, NAME, 1.5, happened=False, status=422, answer=422))


CAUSED = [superseded_by, cancelled_by_group, required_in_vain, full_of_others, gap, taken, truly_refused]


@pytest.mark.parametrize("plant", CAUSED, ids=lambda plant: plant.__name__)
def test_a_no_with_its_cause_is_in_order(plant: Callable[[History], None]) -> None:
    """
    What its reason names has happened.
    """
    history = whole()

    plant(history)

    assert not kinds(history) & {"without cause", "failed unsent", "mislabelled"}


def failed_unsent(history: History) -> None:
    told(history, "FAILED", "TELNYX_REFUSED")
    history.requests.append(request(2, NAME, 1.5, happened=False, left=False, status=None))


def mislabelled(history: History) -> None:
    history.results[0] = replace(history.results[0], label=Label(group="another's"))


def status_made_up(history: History) -> None:
    history.results[0] = replace(history.results[0], http_status=201)


def a_dial(history: History, number: int = 20, **facts: object) -> None:
    """A dial that was answered, 200 after a legs' worth of ringing; its call is B."""
    history.commands.append(replace(command("dial-1", number, "dial"), call="", page="dial:main/dial-1"))
    history.requests.append(request(2, "dial-1", 1.2, "dial", call="B", made=("B",)))
    made = replace(result(SPEAK, number + 1, 1.5), command_id="dial-1", event_id="dial", dialed=frozenset({"B"}))
    history.results.append(replace(made, **facts))
    history.calls["B"] = 9.0


def leg_of_another(history: History) -> None:
    a_dial(history, dialed=frozenset({"A"}))


def heard(history: History, number: int, event_type: str) -> None:
    history.deliveries.append(Delivery(number / 10, f"e{number}", event_type, "B", 200))
    history.events.append(Event(number, number / 10, f"e{number}", event_type, "B", ""))


def dial_said(history: History, state: str, number: int, event_type: str) -> None:
    by = ("UNSPECIFIED", f"e{number}", event_type)
    history.completions.append(Completion(number, number / 10, "dial-1", "dial", state, *by, b"c"))


def dial_not_followed(history: History) -> None:
    a_dial(history)
    heard(history, 30, "call.hangup")
    dial_said(history, "COMPLETED", 30, "call.hangup")


def dial_not_followed_though_answered(history: History) -> None:
    a_dial(history)
    heard(history, 30, "call.answered")
    heard(history, 40, "call.hangup")
    dial_said(history, "FAILED", 40, "call.hangup")


def not_completed_at_once(history: History) -> None:
    history.commands[0] = replace(history.commands[0], action="send_dtmf")
    history.requests[0].action = "send_dtmf"
    history.completions[0] = replace(history.completions[0], state="INCOMPLETE", reason="NO_EVENT", event_id="")


def never_completed(history: History) -> None:
    del history.completions[0]


def gate_not_shut(history: History) -> None:
    history.commands.append(replace(command("gated-1", 2, at=1.1), is_gated=True))
    history.releases.append(Release(3, 1.5, "A", "gated-1", 1, b"g", None, None, BEGIN_MS + 1_500))
    history.completions[0] = replace(history.completions[0], finish_ms=BEGIN_MS + 9_000)


def gate_not_shut_before_a_result(history: History) -> None:
    gate_not_shut(history)
    history.results[0] = replace(history.results[0], state="UNKNOWN", finish_ms=BEGIN_MS + 9_000)


def completion_not_seen(history: History) -> None:
    history.watched_since = 0.0
    history.watched = frozenset({f"cordboard.command.completed.v1|{HANGUP}"})


PLANTED = {
    failed_unsent: "failed unsent",
    mislabelled: "mislabelled",
    status_made_up: "status made up",
    leg_of_another: "leg of another",
    dial_not_followed: "dial not followed",
    dial_not_followed_though_answered: "dial not followed",
    not_completed_at_once: "not completed at once",
    never_completed: "never completed",
    gate_not_shut: "gate not shut",
    gate_not_shut_before_a_result: "gate not shut",
    completion_not_seen: "completion not seen",
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_is_planted_is_found(plant: Callable[[History], None]) -> None:
    """
    Each violation is found, under its own name.
    """
    history = whole()

    plant(history)

    assert PLANTED[plant] in kinds(history)


def test_a_gate_that_opened_is_in_order() -> None:
    """
    What was completed before the release, by clocks that may differ a little, breaks nothing.
    """
    history = whole()
    gate_not_shut(history)

    history.completions[0] = replace(history.completions[0], finish_ms=BEGIN_MS + 1_600)

    assert "gate not shut" not in kinds(history)


def test_a_dial_that_came_to_what_its_call_did_is_in_order() -> None:
    """
    Answered and COMPLETED, whatever came of the call later.
    """
    history = whole()
    a_dial(history)
    heard(history, 30, "call.answered")
    heard(history, 40, "call.hangup")

    dial_said(history, "COMPLETED", 30, "call.answered")

    assert not kinds(history) & {"dial not followed", "leg of another", "never completed"}


def kinds(history: History) -> set[str]:
    """What the checker finds."""
    return {violation.kind for violation in check(history)}
