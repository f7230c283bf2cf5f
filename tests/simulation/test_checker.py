"""The checker sees what it is there to see: every kind of violation, planted into a history that is whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from simulation.checker import check
from simulation.clock import BEGIN_MS
from simulation.faults import BadRoad, Road
from simulation.history import Decision, Delivery, Event, History, Release, Report
from simulation.postings import Posting
from simulation.senders import Told
from tests.simulation.whole import HANGUP, SPEAK, command, request, result, whole


def test_a_whole_history_breaks_nothing() -> None:
    """
    The history into which everything below is planted is in order.
    """
    assert check(whole()) == []


def no_result(history: History) -> None:
    del history.results[0]


def two_results(history: History) -> None:
    history.results.append(replace(history.results[0], event_id="another"))


def changed_result(history: History) -> None:
    history.results.append(replace(history.results[0], digest=b"x"))


def late_result(history: History) -> None:
    history.results[0] = replace(history.results[0], at=150.0)


def settled_needlessly(history: History) -> None:
    history.results.append(result(SPEAK, 9, 9.0, "settled"))


def lost(history: History) -> None:
    history.told.append(Told(1.0, "gone", "first", "accepted"))


def claimed(history: History) -> None:
    history.requests[0].happened = False


def denied(history: History) -> None:
    history.results[0] = replace(history.results[0], state="FAILED")
    history.completions.clear()


def done_twice(history: History) -> None:
    history.requests.append(request(2, SPEAK, 4.0))


def dialled_blindly(history: History) -> None:
    history.commands.append(replace(command("dial-1", 20, "dial"), call="", page="dial:main/dial-1"))
    history.results.append(replace(result(SPEAK, 21, 1.5), command_id="dial-1", event_id="dial"))
    history.requests += [
        request(2, "dial-1", 1.2, "dial", status=None, happened=False),
        request(3, "dial-1", 2.2, "dial"),
    ]


def window_missed(history: History) -> None:
    history.requests.append(request(2, SPEAK, 60.0, happened=False, repeat=True))


def out_of_order(history: History) -> None:
    history.requests[0].effect_at = 5.5


def side_by_side(history: History) -> None:
    history.commands.append(command("speak-2", 2, at=1.05))
    history.releases.append(Release(6, 1.1, "A", "speak-2", 1, b"2", None, None))
    history.requests.append(request(2, "speak-2", 1.25))
    history.results.append(replace(result(SPEAK, 7, 1.6), command_id="speak-2", event_id="2", accept_ms=0))


def sent_late(history: History) -> None:
    history.requests[0].local_ms = BEGIN_MS + 31_000


def hangup_expired(history: History) -> None:
    history.results[1] = replace(history.results[1], state="EXPIRED")


def still_alive(history: History) -> None:
    history.calls["A"] = None


def released_after_the_end(history: History) -> None:
    history.commands.append(command("speak-9", 30, at=8.0))
    history.releases.append(Release(31, 8.1, "A", "speak-9", 1, b"9", None, None))
    history.results.append(replace(result(SPEAK, 32, 8.2), command_id="speak-9", event_id="9", state="REJECTED"))


def unasked(history: History) -> None:
    history.requests.append(request(2, "nobody", 2.0))


def not_refused(history: History) -> None:
    history.commands.append(replace(command(SPEAK, 20, at=6.0), fingerprint=b"other"))


def two_bodies(history: History) -> None:
    history.releases.append(replace(history.releases[0], number=9, attempt=2, body=b"other"))


def replayed_wrongly(history: History) -> None:
    history.results.append(result(SPEAK, 20, 7.0, "replayed", state="UNKNOWN"))


def needless_doubt(history: History) -> None:
    history.results[0] = replace(history.results[0], state="UNKNOWN")
    history.completions.clear()
    history.struck.clear()


def not_settled(history: History) -> None:
    needless_doubt(history)
    history.struck[BadRoad(0, Road.SLOW)] += 1
    history.reports.append(Report(20, 8.0, SPEAK, 1, "done"))


def forgery_taken(history: History) -> None:
    history.deliveries[0] = replace(history.deliveries[0], is_forged=True)


def not_handed_on(history: History) -> None:
    history.deliveries.append(Delivery(7.0, "e3", "call.dtmf.received", "A", 200))


def handed_on_differently(history: History) -> None:
    history.events.append(replace(history.events[0], digest=b"x"))


def handed_on_otherwise(history: History) -> None:
    history.events[0] = replace(history.events[0], content=b"x")


def a_forgery_handed_on(history: History) -> None:
    history.deliveries[0] = replace(history.deliveries[0], is_forged=True, status=503)
    history.posted[0] = replace(history.posted[0], status=503)


def handed_on_as_anothers(history: History) -> None:
    history.events[0] = replace(history.events[0], subject="B")


def handed_on_by_another_key(history: History) -> None:
    history.events[0] = replace(history.events[0], key="B")


def turned_away(history: History) -> None:
    history.posted.append(Posting(34.0, "e3", b"w3", 401, is_served=True))


def not_answered(history: History) -> None:
    history.posted.append(Posting(34.0, "e3", b"w3", None, is_served=True))


def made_up(history: History) -> None:
    history.events.append(Event(40, 9.0, "e9", "call.dtmf.received", "A", ""))


def tied_wrongly(history: History) -> None:
    history.events[1] = replace(history.events[1], command_id=SPEAK)


def tied_to_what_did_not_happen(history: History) -> None:
    history.requests[0].happened = False
    history.results[0] = replace(history.results[0], state="UNKNOWN")
    history.completions.clear()


def completed_twice(history: History) -> None:
    history.completions.append(replace(history.completions[0], digest=b"x"))


def completed_by_nothing(history: History) -> None:
    history.completions[0] = replace(history.completions[0], event_id="e9")


def decided_twice(history: History) -> None:
    history.decisions.append(Decision(50, 0, (".events|e1",)))


def owed_for_ever(history: History) -> None:
    history.decisions.append(Decision(50, 0, ("work|lost",), at=history.ended.closed_at - 2))


def said_without_being_decided(history: History) -> None:
    history.spoken["work|zombie"] += 1


def dead_letter(history: History) -> None:
    history.dead_letters.append("commands: KeyError while it was decided about")


def exception(history: History) -> None:
    history.broken.append("Task exception was never retrieved")


def told_otherwise(history: History) -> None:
    history.told.append(Told(2.0, SPEAK, "first", "result", "FAILED"))


def not_cancelled(history: History) -> None:
    history.told.append(Told(2.0, SPEAK, "first", "cancelled"))


def accepted_after_all(history: History) -> None:
    history.told.append(Told(2.0, HANGUP, "first", "refused", reason="LOG_UNAVAILABLE"))


def not_seen(history: History) -> None:
    history.watched_since = 0.0


PLANTED: list[Callable[[History], None]] = [
    no_result,
    two_results,
    changed_result,
    late_result,
    settled_needlessly,
    lost,
    claimed,
    denied,
    done_twice,
    dialled_blindly,
    window_missed,
    out_of_order,
    side_by_side,
    sent_late,
    hangup_expired,
    still_alive,
    released_after_the_end,
    unasked,
    not_refused,
    two_bodies,
    replayed_wrongly,
    needless_doubt,
    not_settled,
    forgery_taken,
    not_handed_on,
    handed_on_differently,
    handed_on_otherwise,
    a_forgery_handed_on,
    handed_on_as_anothers,
    handed_on_by_another_key,
    turned_away,
    not_answered,
    made_up,
    tied_wrongly,
    tied_to_what_did_not_happen,
    completed_twice,
    completed_by_nothing,
    decided_twice,
    owed_for_ever,
    said_without_being_decided,
    dead_letter,
    exception,
    told_otherwise,
    not_cancelled,
    accepted_after_all,
    not_seen,
]
KINDS = {
    "two_results": "two results",
    "changed_result": "result changed",
    "a_forgery_handed_on": "handed on otherwise",
    "handed_on_as_anothers": "handed on as another's",
    "handed_on_by_another_key": "handed on as another's",
    "not_answered": "turned away",
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_what_is_planted_is_found(plant: Callable[[History], None]) -> None:
    """
    Each violation is found, under its own name.
    """
    history = whole()

    plant(history)

    name = plant.__name__
    assert KINDS.get(name, name.replace("_", " ")) in {violation.kind for violation in check(history)}
