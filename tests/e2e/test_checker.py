"""The checker sees each kind of broken promise when one is planted, and allows what the promises allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.e2e.checker import Evidence, Sent, Told, check

A = Sent("a", "call", "speak", "mark-a")
B = Sent("b", "call", "send_dtmf", "mark-b")


def told(sent: Sent, state: str = "SUCCEEDED", kind: str = "result", **facts: Any) -> Told:
    return Told(kind, sent.command_id, state, content=f"{kind} {state} {facts}".encode(), **facts)


def request(n: int, sent: Sent, **facts: Any) -> dict[str, Any]:
    return {
        "n": n,
        "call_control_id": sent.call or "new",
        "action": sent.action,
        "command_id": sent.command_id,
        "body": {"client_state": sent.mark},
        "happened": True,
        "time": 0.0,
        **facts,
    }


HANGUP = Sent("h", "call", "hangup", "mark-h")
UPDATE = Sent("u", "call", "client_state_update", "mark-u")


def repeat(n: int, sent: Sent, **facts: Any) -> dict[str, Any]:
    return request(n, sent, happened=False, **facts)


def delivery(event_id: str, status: int | None = 200) -> dict[str, Any]:
    return {"event_id": event_id, "event_type": "call.answered", "status": status}


KEPT = Evidence(
    sent=[A, B],
    told=[told(A), told(B)],
    answers=[told(A)],
    completions=[("a", b"ended"), ("b", b"ended")],
    events=[("e1", b"rang"), ("e2", b"spoke")],
    effects=[request(1, A), request(2, B)],
    deliveries=[delivery("e1", 503), delivery("e1"), delivery("e2"), delivery("e3", None)],
)


def kinds(evidence: Evidence) -> list[str]:
    return [violation.kind for violation in check(evidence)]


def test_kept_promises_show_nothing() -> None:
    """
    Evidence in which all is well yields no violation.
    """
    assert check(KEPT) == []


BROKEN = {
    "lost": replace(KEPT, told=[told(A)]),
    "two results": replace(KEPT, told=[told(A), told(B), told(B, finish_ms=7)]),
    "two settleds": replace(
        KEPT, told=[told(A), told(B, "UNKNOWN"), told(B, kind="settled"), told(B, kind="settled", finish_ms=7)]
    ),
    "result of nothing": replace(KEPT, told=[*KEPT.told, Told("result", "c", "FAILED")]),
    "late": replace(KEPT, told=[told(A, accept_ms=1_000, finish_ms=121_001), told(B)]),
    "settled what was known": replace(KEPT, told=[told(A), told(B), told(B, kind="settled")]),
    "said done, was not": replace(KEPT, effects=[request(1, A), repeat(2, B)]),
    "said not done, was": replace(KEPT, told=[told(A), told(B, "EXPIRED")]),
    "happened twice": replace(KEPT, effects=[request(1, A), request(2, B), request(3, B)]),
    "nobody asked for it": replace(KEPT, effects=[*KEPT.effects, request(3, Sent("c", "call", "speak", "m"))]),
    "another request": replace(KEPT, effects=[request(1, A, call_control_id="other"), request(2, B)]),
    "another content": replace(KEPT, effects=[request(1, A, body={"client_state": "other"}), request(2, B)]),
    "out of order": replace(KEPT, effects=[request(1, B), request(2, A)]),
    "completed twice": replace(KEPT, completions=[("a", b"ended"), ("a", b"failed")]),
    "webhook lost": replace(KEPT, events=KEPT.events[:1]),
    "handed on twice": replace(KEPT, events=[*KEPT.events, KEPT.events[1]]),
    "event of nothing": replace(KEPT, events=[*KEPT.events, ("e4", b"?")]),
    "set aside": replace(KEPT, set_aside=["the value is no command"]),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_promise_is_named(kind: str) -> None:
    """
    One planted violation is found as what it is, and as nothing else.
    """
    assert kinds(BROKEN[kind]) == [kind]


def test_an_event_that_changed_is_named_even_where_the_log_may_say_it_again() -> None:
    """
    A log that redelivers gives the same bytes again; other bytes under one id are another event.
    """
    again = replace(KEPT, events=[*KEPT.events, KEPT.events[1]], redelivers=True)

    assert kinds(again) == []
    assert kinds(replace(again, events=[*again.events, ("e2", b"sang")])) == ["handed on twice"]


THAWED_AT = 1_000.0
# A's first request was answered; its repeat comes behind B's.
LATE = replace(KEPT, thaws=[THAWED_AT])
OTHERS_LATE = {
    "it changed something": [request(1, A, happened=False), request(2, B), request(3, A, time=THAWED_AT + 1)],
    "it came before the thaw": [request(1, A), request(2, B), repeat(3, A, time=THAWED_AT - 1)],
    "it came long after the thaw": [request(1, A), request(2, B), repeat(3, A, time=THAWED_AT + 11)],
    "it was the first": [request(1, B), request(2, A, time=THAWED_AT + 1)],
}


def test_a_thawed_worker_may_repeat_what_changes_nothing() -> None:
    """
    A request that Telnyx knows already, right after a worker's thaw, is excused; so is the same client_state once more.
    """
    late = [request(1, A), request(2, B), repeat(3, A, time=THAWED_AT + 1)]
    update = {"command_id": None, "time": THAWED_AT + 1}
    updates = [request(1, UPDATE, command_id=None), request(2, A), request(3, B), request(4, UPDATE, **update)]

    assert kinds(replace(LATE, effects=late)) == []
    assert kinds(replace(LATE, sent=[UPDATE, A, B], told=[told(UPDATE), told(A), told(B)], effects=updates)) == []


@pytest.mark.parametrize("why", OTHERS_LATE)
def test_a_thaw_excuses_nothing_else(why: str) -> None:
    """
    What changes something, comes at another time, or is a command's first request must be in order.
    """
    assert kinds(replace(LATE, effects=OTHERS_LATE[why])) == ["out of order"]


@pytest.mark.parametrize("where", ["told", "answers"])
def test_a_repeat_that_says_otherwise_is_named(where: str) -> None:
    """
    Whoever sends a command again, or waits for it, hears its result or what settled it.
    """
    assert kinds(replace(KEPT, **{where: [told(A), told(B), told(B, "FAILED", "replayed")]})) == ["told otherwise"]


def test_a_settlement_must_be_true() -> None:
    """
    What settles an UNKNOWN command is held against the truth as a result is.
    """
    lie = [told(A), told(B, "UNKNOWN"), told(B, "FAILED", "settled")]
    assert kinds(replace(KEPT, told=lie)) == ["said not done, was"]


def test_a_repeated_request_keeps_its_place_too() -> None:
    """
    A request that is ignored as a repeat, but comes behind the next command's, broke the order.
    """
    assert kinds(replace(KEPT, effects=[request(1, A), request(2, B), repeat(3, A)])) == ["out of order"]


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param(replace(KEPT, told=[told(A), told(A), told(B), told(B)]), id="told again in the same words"),
        pytest.param(
            replace(KEPT, told=[told(A, "UNKNOWN"), told(B)], answers=[], effects=[request(1, B), request(2, A)]),
            id="unknown and late",
        ),
        pytest.param(
            replace(KEPT, told=[told(A), told(B, "UNKNOWN")], effects=[request(1, A)]), id="unknown and not done"
        ),
        pytest.param(
            replace(KEPT, told=[told(A), told(B, "UNKNOWN"), told(B, kind="settled")]), id="unknown and settled"
        ),
        pytest.param(
            replace(KEPT, sent=[A, replace(B, passes=True)], effects=[request(1, B), request(2, A)]), id="passes"
        ),
        pytest.param(
            replace(KEPT, effects=[*KEPT.effects, repeat(3, Sent("", "call", "retrieve", ""), command_id=None)]),
            id="asked for",
        ),
        pytest.param(
            replace(KEPT, told=[told(A), told(B, reason="ALREADY_ENDED")], effects=[request(1, A)]), id="already ended"
        ),
        pytest.param(
            replace(KEPT, sent=[A, replace(B, acknowledged=False)], told=[told(A)], effects=[request(1, A)]),
            id="never acknowledged",
        ),
        pytest.param(
            replace(KEPT, told=[told(A), told(B, "REJECTED", "refused", reason="LINE_FULL")], effects=[request(1, A)]),
            id="refused",
        ),
        pytest.param(
            replace(
                KEPT,
                told=[told(A), told(B, "REJECTED", "refused", reason="LINE_FULL"), told(B)],
                answers=[told(B, "REJECTED", reason="LINE_FULL"), told(B)],
            ),
            id="one copy refused, another one taken",
        ),
        pytest.param(
            replace(
                KEPT,
                sent=[*KEPT.sent, HANGUP],
                told=[*KEPT.told, told(HANGUP, "UNKNOWN"), told(HANGUP, kind="settled")],
            ),
            id="a hangup in doubt, and the call ended",
        ),
        pytest.param(
            replace(
                KEPT,
                sent=[*KEPT.sent, UPDATE],
                told=[*KEPT.told, told(UPDATE)],
                effects=[*KEPT.effects, request(3, UPDATE, command_id=None), request(4, UPDATE, command_id=None)],
            ),
            id="again where Telnyx has no command_id",
        ),
    ],
)
def test_what_the_promises_allow_is_no_violation(evidence: Evidence) -> None:
    """
    Doubt, what settles it, what passes the line and what is told twice are no violations.
    """
    assert check(evidence) == []


def test_an_id_used_again_is_no_end_of_the_first_command() -> None:
    """
    COMMAND_ID_REUSED speaks of the second command; the first one still needs its result.
    """
    refused = told(B, "REJECTED", "refused", reason="COMMAND_ID_REUSED")
    assert kinds(replace(KEPT, told=[told(A), refused])) == ["lost"]
