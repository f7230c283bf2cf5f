"""The vendor's own client, given the same fields, makes the same request."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable
from typing import Any

import httpx
import protovalidate
import pytest
import telnyx
from google.protobuf.descriptor import FieldDescriptor

from cordboard.body import wire_name
from cordboard.request import build
from tests.contract.newer import EVERY, smallest, with_fields
from tests.contract.samples import CALL, MINIMAL, SAMPLES, STATE, UUID, Sample

METHODS = {  # Where the client's name is not the action's.
    "client_state_update": "update_client_state",
    "fork_start": "start_forking",
    "fork_stop": "stop_forking",
    "gather_stop": "stop_gather",
    "playback_start": "start_playback",
    "playback_stop": "stop_playback",
    "record_pause": "pause_recording",
    "record_resume": "resume_recording",
    "record_start": "start_recording",
    "record_stop": "stop_recording",
    "streaming_start": "start_streaming",
    "streaming_stop": "stop_streaming",
    "transcription_start": "start_transcription",
    "transcription_stop": "stop_transcription",
}
BASE = "https://api.example"


def sdk_request(call: Callable[[Any], object]) -> httpx.Request:
    """What the client sends, without a network."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"data": {"result": "ok"}})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        call(telnyx.Telnyx(api_key="none", base_url=BASE, http_client=http))
    return sent[0]


def sdk_call(sample: Sample, body: dict[str, Any], name: str = CALL) -> Callable[[Any], Any]:
    """The client's call for this body; what the client has no parameter for goes by its own way out, extra_body."""

    def call(client: Any) -> Any:
        actions = client.calls if sample.name == "dial" else client.calls.actions
        method = getattr(actions, METHODS.get(sample.name, sample.name))
        known = set(inspect.signature(method).parameters)
        fields = {"from_" if key == "from" else key: value for key, value in body.items()}
        path: tuple[str, ...] = () if sample.name == "dial" else (name,)
        if sample.name == "bridge":  # Two call ids: the client names that of the path and that of the body apart.
            path = ()
            other = fields.pop("call_control_id", None)
            fields |= {"call_control_id_to_bridge": name, "call_control_id_to_bridge_with": other or ""}
        typed = {key: value for key, value in fields.items() if key in known}
        return method(*path, **typed, extra_body={k: v for k, v in fields.items() if k not in known} or None)

    return call


@pytest.mark.parametrize("sample", EVERY, ids=[sample.name for sample in EVERY])
def test_our_request_is_the_sdks(sample: Sample) -> None:
    """
    Verb, path as encoded, and body are the same for all 28 actions, with all fields and with no more than needed.
    """
    ours = build(sample.command(client_state=STATE), UUID)
    given = {**sample.body, "client_state": STATE, **({"command_id": UUID} if b"command_id" in ours.body else {})}

    theirs = sdk_request(sdk_call(sample, given))

    expected = json.loads(theirs.content)
    if sample.name == "bridge" and "call_control_id" not in sample.body:
        expected.pop("call_control_id")  # The client insists on one, also where a queue or a room excludes it.
    assert (theirs.method, theirs.url.raw_path.decode()) == (ours.method, ours.path)
    assert json.dumps(expected, sort_keys=True) == json.dumps(json.loads(ours.body), sort_keys=True)


@pytest.mark.parametrize("call", ["v3:a_b-c", "v2:T02llQ==", "a/b", "a?b#c", "a b", "ü", "a%2Fb", "x+y&z;(1),'!$*@~"])
def test_our_path_is_the_sdks(call: str) -> None:
    """
    Whatever a call is named, its path is encoded as the client encodes it.
    """
    sample = next(sample for sample in SAMPLES if sample.name == "hangup")
    theirs = sdk_request(lambda client: client.calls.actions.hangup(call))

    ours = build(sample.command(call_control_id=call), UUID)
    assert theirs.url.raw_path.decode() == ours.path


# What the client has beside fields of the body, and what it calls otherwise.
NO_FIELDS = {"self", "extra_headers", "extra_query", "extra_body", "timeout", "client_state", "command_id"}
RENAMED = {"from_": "from", "call_control_id_to_bridge_with": "call_control_id"}
PATH_PARAMETERS = {"call_control_id", "call_control_id_to_bridge"}
# Lists that Telnyx extends, and the contract leaves open; of enormous ones a few values say as much.
TRIED_MAX = 50


def method_of(action: str) -> Callable[..., object]:
    actions = telnyx.resources.calls.CallsResource if action == "dial" else telnyx.resources.calls.ActionsResource
    method: Callable[..., object] = getattr(actions, METHODS.get(action, action))
    return inspect.unwrap(method)


def parameters(action: str) -> dict[str, Any]:
    """The client's parameters for an action's body, by Telnyx's name, each with its type."""
    hints = typing.get_type_hints(method_of(action))
    names = [name for name in inspect.signature(method_of(action)).parameters if name not in NO_FIELDS]
    return {RENAMED.get(name, name): hints[name] for name in names if name not in PATH_PARAMETERS}


def words(hint: Any) -> list[Any]:
    """The values of the lists in a type."""
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    return [word for part in typing.get_args(hint) for word in words(part) if typing.get_origin(hint) is typing.Union]


@pytest.mark.parametrize("action", sorted(one.name for one in MINIMAL))
def test_every_parameter_of_the_sdk_has_a_type(action: str) -> None:
    """
    Nothing that the vendor's client of the pinned version can send needs `extra`.
    """
    fields = {wire_name(field) for field in smallest(action).DESCRIPTOR.fields}

    assert set(parameters(action)) <= fields


@pytest.mark.parametrize("action", sorted(one.name for one in MINIMAL))
def test_every_word_of_the_sdk_is_taken(action: str) -> None:
    """
    No list of the contract is narrower than the client's; where Telnyx documents two, the wider holds.
    """
    for name, hint in parameters(action).items():
        for word in words(hint)[:TRIED_MAX]:
            message = with_fields(action, **{field_for(action, name, word): word})
            found = [one.proto for one in protovalidate.collect_violations(message)]
            assert [one.rule_id for one in found if one.field] == [], (name, word)


def field_for(action: str, name: str, word: object) -> str:
    """The contract's field of this name that takes such a value."""
    kind = FieldDescriptor.CPPTYPE_STRING if isinstance(word, str) else FieldDescriptor.CPPTYPE_INT32
    return next(
        field.name
        for field in smallest(action).DESCRIPTOR.fields
        if wire_name(field) == name and field.cpp_type == kind
    )
