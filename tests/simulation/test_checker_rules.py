"""The checker sees the rules behind the promises, too: of releases, of timers, of the line, of what events prove."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checker import check
from simulation.clock import BEGIN_MS
from simulation.history import Completion, Decision, Delivery, Event, History, Release, Report
from tests.simulation.whole import SPEAK, command, request, result, whole


def released(name: str, number: int, at: float, attempt: int = 1) -> Release:
    return Release(number, at, "A", name, attempt, name.encode(), None, None, BEGIN_MS + round(at * 1000))


def spoken_in_doubt(history: History) -> None:
    """The first command was released twice: at 1.1 s and at 16.1 s, of which nothing was heard."""
    history.releases[0] = replace(released(SPEAK, 2, 1.1), body=b"speak")
    history.releases.append(replace(released(SPEAK, 20, 16.1, attempt=2), body=b"speak"))
    history.events[1] = replace(history.events[1], number=60)  # The call's end.


def copy_sent(history: History) -> None:
    history.requests.append(request(2, SPEAK, 2.0, happened=False, repeat=True, worker="hand1"))


def judged_early(history: History) -> None:
    spoken_in_doubt(history)
    history.releases[-1] = replace(history.releases[-1], at=9.0)


def judged_unheard(history: History) -> None:
    spoken_in_doubt(history)
    history.reports.append(Report(19, 16.05, SPEAK, 1, "no_answer", BEGIN_MS + 16_050))


def a_lost_dial_judged_unheard(history: History) -> None:
    history.commands.append(replace(command("dial-1", 20, "dial"), call="", page="dial:main/dial-1"))
    history.releases.append(replace(released("dial-1", 21, 1.1), key="dial:main/dial-1"))
    lost = replace(result(SPEAK, 40, 17.0, state="UNKNOWN"), command_id="dial-1", event_id="dial", reason="WORKER_LOST")
    history.results.append(lost)
    history.reports.append(Report(39, 16.0, "dial-1", 1, "no_answer", BEGIN_MS + 16_000))


def expired_early(history: History) -> None:
    history.results[0] = replace(history.results[0], state="EXPIRED", reason="IN_LINE")


def made_to_wait(history: History) -> None:
    history.commands[1] = replace(history.commands[1], placement=3)
    history.releases[1] = replace(history.releases[1], number=40)
    history.decisions += [Decision(number, 0, ()) for number in range(11, 21)]


def not_superseded(history: History) -> None:
    history.commands[1] = replace(history.commands[1], placement=3)
    history.commands.append(command("speak-2", 9, at=4.0))
    history.releases.append(released("speak-2", 12, 5.3))


def repeat_not_waited_for(history: History) -> None:
    spoken_in_doubt(history)
    history.commands.append(command("speak-2", 9, at=4.0))
    history.releases.append(released("speak-2", 21, 17.0))


def sent_in_spite(history: History) -> None:
    history.commands[1] = replace(history.commands[1], requires=SPEAK)
    history.results[0] = replace(history.results[0], state="FAILED")


def hangup_refused(history: History) -> None:
    history.results[1] = replace(history.results[1], state="FAILED", reason="CALL_ENDED")


def released_after_the_end(history: History) -> None:
    history.results[0] = replace(history.results[0], state="FAILED", reason="CALL_ENDED")
    history.events.pop()
    history.commands.append(command("speak-9", 30, at=8.0))
    history.releases.append(released("speak-9", 31, 8.1))


def completed_by_the_past(history: History) -> None:
    history.requests[0].local_ms = BEGIN_MS + 12_000
    history.events[0] = replace(history.events[0], occurred_ms=BEGIN_MS + 2_900)


def not_proven(history: History) -> None:
    history.commands.append(replace(command("dial-1", 20, "dial"), call="", page="dial:main/dial-1"))
    history.requests.append(request(2, "dial-1", 1.2, "dial", call="B"))
    history.results.append(replace(result(SPEAK, 21, 20.0, state="UNKNOWN"), command_id="dial-1", event_id="dial"))
    history.deliveries.append(Delivery(1.4, "e9", "call.initiated", "B", 200))
    history.events.append(Event(22, 1.5, "e9", "call.initiated", "B", ""))


def played(history: History, name: str, number: int, cause: str) -> None:
    """A playback, and the event of its end, which names it; `cause` is what truly caused that."""
    history.commands.append(command(name, number, "playback_start"))
    history.releases.append(released(name, number, 1.45))
    history.requests.append(request(number, name, 1.5, "playback_start"))
    history.results.append(replace(result(SPEAK, number, 1.8), command_id=name, event_id=name))
    ended = Event(30 + number, 3.5, f"e-{name}", "call.playback.ended", "A", name, b"e", BEGIN_MS + 3_400)
    history.events.append(ended)
    history.deliveries.append(Delivery(3.4, ended.event_id, ended.event_type, "A", 200, cause=f"id-{cause}"))


def tied_to_another(history: History) -> None:
    played(history, "playback-1", 6, cause="playback-1")
    played(history, "playback-2", 7, cause="playback-1")


def given_up_in_spite(history: History) -> None:
    played(history, "playback-1", 6, cause="playback-1")
    gone = Completion(60, 9.0, "playback-1", "playback_start", "INCOMPLETE", "NO_EVENT", "", "", b"c")
    history.completions.append(gone)


def stopped_before_it_began(history: History) -> None:
    history.commands.append(command("stop-1", 4, "playback_stop"))
    history.releases.append(released("stop-1", 4, 1.35))
    history.requests.append(request(4, "stop-1", 1.4, "playback_stop"))
    history.results.append(replace(result(SPEAK, 5, 1.6), command_id="stop-1", event_id="stop-1"))
    played(history, "playback-1", 6, cause="playback-1")
    by = ("e-playback-1", "call.playback.ended")
    history.completions.append(Completion(35, 3.5, "stop-1", "playback_stop", "COMPLETED", "UNSPECIFIED", *by, b"c"))


PLANTED: list[Callable[[History], None]] = [
    copy_sent,
    judged_early,
    judged_unheard,
    a_lost_dial_judged_unheard,
    expired_early,
    made_to_wait,
    not_superseded,
    repeat_not_waited_for,
    sent_in_spite,
    hangup_refused,
    released_after_the_end,
    completed_by_the_past,
    not_proven,
    tied_to_another,
    given_up_in_spite,
    stopped_before_it_began,
]
KINDS = {"a_lost_dial_judged_unheard": "judged unheard"}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_is_planted_is_found(plant: Callable[[History], None]) -> None:
    """
    Each violation is found, under its own name.
    """
    history = whole()

    plant(history)

    name = plant.__name__
    assert KINDS.get(name, name.replace("_", " ")) in {violation.kind for violation in check(history)}


def test_a_release_that_was_heard_out_is_in_order() -> None:
    """
    A second release after 15 s of silence breaks nothing.
    """
    history = whole()

    spoken_in_doubt(history)

    assert check(history) == []


def test_what_is_decided_in_the_last_moment_need_not_be_said() -> None:
    """
    The history ends while the calls live on: between a decision and its saying as well as anywhere.
    """
    history = whole()

    history.decisions.append(Decision(50, 0, (".results|last",), at=history.ended.closed_at - 0.01))

    assert check(history) == []
