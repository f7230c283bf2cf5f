"""From Telnyx's JSON to a command and back: what Telnyx is sent is what the caller said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st

from cordboard.body import wire_name
from cordboard.request import build
from cordboard.v1 import Command
from cordboard.validation import violations
from dispatcher.rest.reading import Unreadable, command_of
from dispatcher.rest.routes import Route
from tests.contract.newer import EVERY
from tests.contract.samples import CALL, STATE, UUID, Sample

SPEAK = {"payload": "hello", "voice": "female"}


def read(body: dict[str, Any], action: str = "speak") -> Command:
    return command_of(Route(action, "" if action == "dial" else CALL), body, UUID, "main")


def sent(command: Command) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(build(command, UUID).body)
    return body


def problems(body: dict[str, Any], action: str = "speak") -> list[tuple[int, str, str]]:
    with pytest.raises(Unreadable) as caught:
        read(body, action)
    return [(one.status, one.code, one.pointer) for one in caught.value.problems]


@pytest.mark.parametrize("sample", EVERY, ids=[sample.name for sample in EVERY])
def test_a_body_is_typed_as_a_sender_would_have_typed_it(sample: Sample):
    """
    Every field of the 28 commands, with all of them and with no more than needed: nothing is left over as extra.
    """
    command = read({**sample.body, "client_state": STATE, "command_id": "ignored here"}, sample.name)

    assert MessageToDict(getattr(command, sample.name)) == MessageToDict(sample.action)
    assert not command.extra.fields
    assert (command.client_state, command.command_id, command.account) == (STATE, UUID, "main")
    assert sent(command) == sent(sample.command(client_state=STATE))
    assert violations(command, 0) == []


def test_what_is_not_known_passes():
    """
    As it stands, whatever it is.
    """
    novel = {"novel": {"a": [1, 2.5, None, {"b": True}]}, "other": None, "empty": []}

    assert sent(read({**SPEAK, **novel})) == {**SPEAK, **novel, "command_id": UUID}


def test_a_field_with_something_unknown_inside_passes_whole():
    """
    Its type has no room for that; nothing of it is lost, and nothing is sent twice.
    """
    headers = [{"name": "a", "value": "1", "novel": 1}]
    command = read({"custom_headers": headers}, "answer")

    assert not command.answer.custom_headers
    assert sent(command) == {"custom_headers": headers, "command_id": UUID}


def test_null_is_nothing():
    """
    Of what the contract knows; of the rest only Telnyx knows what it means.
    """
    assert sent(read({**SPEAK, "language": None})) == {**SPEAK, "command_id": UUID}


def test_an_empty_list_is_sent_as_one():
    """
    A typed field could not tell it from nothing.
    """
    assert sent(read({"custom_headers": []}, "answer")) == {"custom_headers": [], "command_id": UUID}


@pytest.mark.parametrize(("loop", "field"), [("infinity", "loop_text"), (3, "loop"), (3.0, "loop")])
def test_one_name_may_have_several_forms(loop: object, field: str):
    """
    The value says which is meant.
    """
    command = read({"audio_url": "https://a.example/a.mp3", "loop": loop}, "playback_start")

    assert command.playback_start.HasField(field)  # type: ignore[arg-type]  # one of its fields
    assert sent(command)["loop"] == loop


def test_a_custom_action_has_its_body():
    """
    But for what is the command's own.
    """
    body = {"connector_name": "c", "client_state": STATE, "command_id": "x"}
    command = command_of(Route("custom", CALL, "siprec_start"), body, UUID, "main")

    assert command.custom.name == "siprec_start"
    assert sent(command) == {"connector_name": "c", "client_state": STATE}  # It takes no command_id.


@pytest.mark.parametrize(
    ("action", "body", "pointer"),
    [
        ("speak", {**SPEAK, "payload": 3}, "/payload"),
        ("speak", {**SPEAK, "client_state": 3}, "/client_state"),
        ("gather", {"maximum_digits": "3"}, "/maximum_digits"),
        ("gather", {"maximum_digits": 3.5}, "/maximum_digits"),
        ("gather", {"maximum_digits": True}, "/maximum_digits"),
        ("gather", {"maximum_digits": 2**40}, "/maximum_digits"),
        ("answer", {"sound_modifications": {"pitch": "high"}}, "/sound_modifications/pitch"),
        ("answer", {"sound_modifications": 3}, "/sound_modifications"),
        ("answer", {"custom_headers": {}}, "/custom_headers"),
        ("answer", {"custom_headers": ["x"]}, "/custom_headers/0"),
        ("answer", {"custom_headers": [{"name": "a", "value": 1}]}, "/custom_headers/0/value"),
        ("answer", {"send_silence_when_idle": "yes"}, "/send_silence_when_idle"),
        ("answer", {"webhook_retries_policies": {"call.hangup": 3}}, "/webhook_retries_policies/call.hangup"),
        ("playback_start", {"loop": []}, "/loop"),
    ],
)
def test_a_value_of_another_type_is_a_bad_request(action: str, body: dict[str, Any], pointer: str):
    """
    Told by the place where it stands, as Telnyx names it.
    """
    assert problems(body, action) == [(400, "10015", pointer)]


def test_everything_wrong_is_said_at_once():
    """
    Not one after the other.
    """
    assert problems({"payload": 1, "voice": 2}) == [(400, "10015", "/payload"), (400, "10015", "/voice")]


@pytest.mark.parametrize("depth", [40, 2_000])
def test_what_is_nested_too_deeply_is_refused_here(depth: int):
    """
    It could be written to the log, and nobody could read it there.
    """
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}

    assert problems({**SPEAK, "novel": value}) == [(400, "10015", "")]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ACTIONS = [field for field in Command.DESCRIPTOR.oneofs_by_name["action"].fields if field.name != "custom"]


CONTRACT = {field.name: field.message_type for field in ACTIONS if field.message_type is not None}


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """An action, and a body with some of its names, whatever they hold, and some that nobody knows."""
    action = draw(st.sampled_from(ACTIONS))
    assert action.message_type is not None
    names = st.sampled_from([wire_name(field) for field in action.message_type.fields] or ["novel"])
    return action.name, draw(st.dictionaries(names | st.text(max_size=8), JSON, max_size=5))


@given(bodies())
def test_any_body_is_a_command_or_is_refused(given_body: tuple[str, dict[str, Any]]):
    """
    Nothing that comes from outside breaks the door; and what becomes a command says what the body said, but for nulls.
    """
    action, body = given_body
    try:
        command = read(body, action)
    except Unreadable:
        return
    violations(command, 0)
    own = {"command_id", "client_state"}
    said = {name: value for name, value in body.items() if name not in own}
    found = {name: value for name, value in sent(command).items() if name not in own}
    known = {wire_name(field) for field in CONTRACT[action].fields}
    for name, value in said.items():
        if name not in known:
            assert same(found.get(name), value)
        elif value is None or name not in found:
            assert value in (None, "", 0, False)  # What a field that is always there has when it is not set.
        else:
            assert same(found[name], _without_nulls(value)) or same(found[name], value)
    assert set(found) <= set(said)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: to a number it is all the same whether it has a point."""
    return bool(one == other)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
