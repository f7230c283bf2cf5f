"""A typed command becomes exactly the request that Telnyx documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from cordboard import v1
from cordboard.body import is_map, is_untyped, value_of
from cordboard.catalogue import CATALOGUE
from cordboard.request import build, sets
from tests.contract.newer import EVERY
from tests.contract.samples import CALL, MINIMAL, STATE, UUID, Sample


def named(samples: list[Sample]) -> dict[str, Any]:
    return {"argvalues": samples, "ids": [sample.name for sample in samples]}


def exactly(value: object) -> str:
    """JSON in which 1, 1.0 and true differ, and the order of fields does not."""
    return json.dumps(value, sort_keys=True)


def body_of(command: v1.Command) -> Any:
    return json.loads(build(command, UUID).body)


def speak(**fields: Any) -> v1.Command:
    return v1.Command(call_control_id=CALL, speak=v1.Speak(payload="Hi", voice="male"), **fields)


def fields_set(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        yield f"{message.DESCRIPTOR.name}.{field.name}"
        if value_of(field).message_type and not is_untyped(field):
            items = value.values() if is_map(field) else value if field.is_repeated else [value]
            for item in items:
                yield from fields_set(item)


def fields_of(message: Descriptor) -> Iterator[str]:
    for field in message.fields:
        yield f"{message.name}.{field.name}"
        if (inside := value_of(field).message_type) and not is_untyped(field):
            yield from fields_of(inside)


@pytest.mark.parametrize("sample", **named(EVERY))
def test_a_request_is_what_telnyx_documents(sample: Sample) -> None:
    """
    Verb, path and body are those of the document, number for number, and nothing that was not set is sent.
    """
    request = build(sample.command(client_state=STATE), UUID)

    path = "/calls" if sample.name == "dial" else f"/calls/{CALL}/actions/{sample.name}"
    ours = {"client_state": STATE} | ({} if sample.name == "client_state_update" else {"command_id": UUID})
    assert ("PUT" if sample.name == "client_state_update" else "POST", path) == (request.method, request.path)
    assert exactly({**sample.body, **ours}) == exactly(json.loads(request.body))


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - {"custom"}))
def test_the_samples_leave_no_field_out(name: str) -> None:
    """
    Every field of every action, nested ones too, is set by some sample; and every action has a smallest one.
    """
    shown = {field for sample in EVERY if sample.name == name for field in fields_set(sample.action)}

    message = next(sample.action for sample in MINIMAL if sample.name == name)
    assert set(fields_of(message.DESCRIPTOR)) == shown


def test_a_call_id_is_one_segment_of_the_path() -> None:
    """
    Slashes, spaces and question marks are encoded; the colons and equals signs of real ids stay.
    """
    command = v1.Command(call_control_id="v2:T02llQ==/../x?y#z%{name}", hangup=v1.Hangup())

    assert build(command, UUID).path == "/calls/v2:T02llQ==%2F..%2Fx%3Fy%23z%25%7Bname%7D/actions/hangup"


def test_extra_fields_are_sent_as_they_are() -> None:
    """
    What has no type yet joins the body; whole numbers stay whole, and null is sent as null.
    """
    extra = {"loop": 3, "rate": 1.5, "deep": {"list": [1, None, {"x": True}]}, "none": None, "text": "", "off": False}

    assert exactly({"payload": "Hi", "voice": "male", "command_id": UUID, **extra}) == exactly(
        body_of(speak(extra=extra))
    )


def test_a_custom_action_is_sent_under_its_name() -> None:
    """
    What Telnyx has added since is reached by name, with a body of its own, under the same command_id.
    """
    body = {"direction": "both", "level": 2}
    command = v1.Command(call_control_id=CALL, custom=v1.Custom(name="suppression_start", body=body))

    assert build(command, UUID).path == f"/calls/{CALL}/actions/suppression_start"
    assert exactly({**body, "command_id": UUID}) == exactly(body_of(command))


@pytest.mark.parametrize("custom", [v1.Custom(name="siprec_start"), v1.Custom(name="newest", without_command_id=True)])
def test_an_action_without_command_id_is_sent_none(custom: v1.Custom) -> None:
    """
    What Telnyx has no such field for gets none; its client_state goes along.
    """
    assert body_of(v1.Command(call_control_id=CALL, client_state=STATE, custom=custom)) == {"client_state": STATE}


def test_what_the_dispatcher_adds_stands_in_the_body() -> None:
    """
    A dial's own webhook address is added where the sender set none, which can be asked beforehand.
    """
    dial = MINIMAL[2].command()
    by_type = v1.Command(dial=v1.Dial(to="+1", webhook_url="https://a.example"))
    in_extra = v1.Command(dial=v1.Dial(to="+1"), extra={"webhook_url": "https://a.example"})

    assert not sets(dial, "webhook_url")
    assert sets(by_type, "webhook_url")
    assert sets(in_extra, "webhook_url")
    assert (
        json.loads(build(dial, UUID, {"webhook_url": "https://b.example"}).body)["webhook_url"] == "https://b.example"
    )


def test_a_command_without_an_action_has_no_request() -> None:
    """
    Such a command is refused before; should one come through all the same, nothing is made up for it.
    """
    with pytest.raises(KeyError):
        build(v1.Command(call_control_id=CALL), UUID)


def test_wire_names_are_snake_case() -> None:
    """
    No field reaches Telnyx in camelCase, whatever its name in proto3's JSON is.
    """
    for sample in EVERY:
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in body_of(sample.command()))
