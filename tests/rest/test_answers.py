"""What is answered for every result and refusal that there is, in Telnyx's shape."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from google.protobuf.json_format import ParseDict

from cordboard.v1 import Command, CommandResult, Dialed, Reason, State, TelnyxError
from cordboard.validation import Violation
from dispatcher.acceptance.refusals import Refused, invalid
from dispatcher.rest.answers import Answer, of_open, of_problems, of_refusal, of_result, of_uncertain, pointer_to
from dispatcher.rest.meanings import OF_REFUSALS, of_rule
from docs.generate import errors

COMMAND = Command(command_id="c1", call_control_id="A")
STATUSES = {"REJECTED": {403, 422, 429}, "EXPIRED": {422}, "CANCELLED": {409, 422}, "UNKNOWN": {504}}


def result(state: str, reason: str = "", **fields: Any) -> CommandResult:
    number = Reason.Value(f"REASON_{reason}") if reason else Reason.Value("REASON_UNSPECIFIED")
    return CommandResult(state=State.Value(f"STATE_{state}"), reason=number, message="Said so.", **fields)


def body(said: Answer) -> Any:
    return orjson.loads(said.body)


@pytest.mark.parametrize("saying", errors.of_results(), ids=lambda one: f"{one.place} {one.reason}")
def test_every_result_has_an_answer(saying):
    """
    In the shape of Telnyx's errors, with the state and reason in headers, and never to be sent again by an SDK.
    """
    said = of_result(result(saying.place, saying.reason), COMMAND)

    assert said.headers["x-should-retry"] == "false"
    assert said.headers["x-cordboard-command-id"] == "c1"
    assert (said.headers["x-cordboard-state"], said.headers["x-cordboard-reason"]) == (saying.place, saying.reason)
    if saying.place == "SUCCEEDED":
        assert (said.status, body(said)) == (200, {"data": {"result": "ok"}})
        return
    assert said.status in STATUSES.get(saying.place, range(400, 600))
    (error,) = body(said)["errors"]
    assert error["code"].isdecimal()
    assert error["title"]
    assert (error["detail"], error["meta"]["reason"]) == ("Said so.", saying.reason)


OF_OTHER_DOORS = {
    "CALL_NOT_FOUND",
    "COMMAND_NOT_FOUND",
    "CURSOR_EXPIRED",
    "LETTER_NOT_FOUND",
    "NOT_REPLAYABLE",
    "NO_RECORDER",
    "RECORDER_UNAVAILABLE",
}


@pytest.mark.parametrize("saying", errors.of_door(), ids=lambda one: one.reason)
def test_every_refusal_has_an_answer(saying):
    """
    Those of questions and of operators, which nobody asks here, are the only ones without.
    """
    if saying.reason not in OF_REFUSALS:
        assert saying.reason in OF_OTHER_DOORS
        return
    refused = Refused(Reason.Value(f"REASON_{saying.reason}"), "Said so.")
    said = of_refusal(refused)

    assert said.status >= 400
    assert body(said)["errors"][0]["meta"]["reason"] == saying.reason
    assert ("retry-after" in said.headers) == (refused.retry_seconds is not None)


def test_telnyxs_own_words_are_passed_on():
    """
    Its status, codes and pointers, of every error.
    """
    said = of_result(
        result(
            "FAILED",
            "TELNYX_REFUSED",
            http_status=403,
            errors=[
                TelnyxError(code="10038", title="No", detail="Not so.", pointer="/to"),
                TelnyxError(code="10039", title="Nor this"),
            ],
        ),
        COMMAND,
    )

    assert said.status == 403
    first, second = body(said)["errors"]
    assert (first["code"], first["title"], first["detail"], first["source"]) == (
        "10038",
        "No",
        "Not so.",
        {"pointer": "/to"},
    )
    assert "source" not in second


def test_the_last_status_of_what_is_unknown_is_not_the_answers():
    """
    A 422 to a repeat proves nothing: 504 whatever it was.
    """
    said = of_result(result("UNKNOWN", "AMBIGUOUS_REFUSAL", http_status=422, errors=[TelnyxError(code="1")]), COMMAND)

    assert said.status == 504
    assert body(said)["errors"][0]["code"] == "99062"


def test_a_success_is_what_telnyx_said():
    """
    All that stood under `data`.
    """
    told = result("SUCCEEDED")
    ParseDict({"result": "ok", "recording_id": "r", "count": 3}, told.response)

    assert body(of_result(told, COMMAND)) == {"data": {"result": "ok", "recording_id": "r", "count": 3}}


def test_a_dial_said_again_names_its_call():
    """
    Of an answer given again the outline is remembered, and that is enough for a caller to go on.
    """
    command = Command(command_id="c1", client_state="YQ==")
    command.dial.SetInParent()
    leg = Dialed(call_control_id="new", call_leg_id="leg", call_session_id="session")
    said = of_result(result("SUCCEEDED", dialed=[leg], replayed=True), command)

    assert said.headers["x-cordboard-replayed"] == "true"
    assert body(said)["data"] == {
        "record_type": "call",
        "call_control_id": "new",
        "call_leg_id": "leg",
        "call_session_id": "session",
        "is_alive": False,
        "client_state": "YQ==",
    }


def test_what_is_still_open_is_not_sent_again():
    """
    It was accepted; its id is told.
    """
    said = of_open(COMMAND)

    assert (said.status, said.headers["x-cordboard-state"], said.headers["x-should-retry"]) == (504, "OPEN", "false")


@pytest.mark.parametrize("has_own_id", [True, False])
def test_what_may_have_been_accepted_is_sent_again_only_under_an_id(has_own_id: bool):
    """
    Another process would know it by that, and by nothing else.
    """
    said = of_uncertain(COMMAND, has_own_id=has_own_id)

    assert said.status == 504
    assert ("x-should-retry" in said.headers) == (not has_own_id)


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [
        ("required", 422, "10004"),
        ("client_state.missing", 422, "10004"),
        ("message.oneof", 422, "10004"),
        ("string.in", 422, "10032"),
        ("int32.lte", 422, "10033"),
        ("string.max_len", 422, "10033"),
        ("e164", 422, "10016"),
        ("base64", 400, "10015"),
        ("send_dtmf.digits", 400, "10015"),
    ],
)
def test_a_broken_rule_has_telnyxs_code(rule: str, status: int, code: str):
    """
    By what kind of rule it is.
    """
    problem = of_rule(Violation("speak.payload", "speak.payload must be right", rule), "/payload")

    assert (problem.status, problem.code, problem.pointer) == (status, code, "/payload")


def test_all_that_is_wrong_is_in_one_answer():
    """
    Each with its place in the body.
    """
    said = of_refusal(invalid([Violation("dial.from_number", "a", "required"), Violation("dial.to", "b", "required")]))

    assert [one["source"]["pointer"] for one in body(said)["errors"]] == ["/from", "/to"]


@pytest.mark.parametrize(
    ("field", "pointer"),
    [
        ("dial.from_number", "/from"),
        ("answer.custom_headers[0].value", "/custom_headers/0/value"),
        ("bridge.call_control_id_to_bridge_with", "/call_control_id"),
        ('answer.webhook_urls["call.hangup"]', "/webhook_urls/call.hangup"),
        ("client_state", "/client_state"),
        ("bridge", ""),
        ("", ""),
    ],
)
def test_a_field_is_named_as_in_the_body(field: str, pointer: str):
    """
    Not as in the contract, which a caller of this door need not know.
    """
    assert pointer_to(field) == pointer


def test_an_answer_has_no_command_where_there_is_none():
    """
    What was turned away before anybody knew what it is.
    """
    said = of_problems([of_rule(Violation("", "x", "y"), "")], "INVALID_COMMAND")

    assert not any(name.startswith("x-") for name in said.headers)
