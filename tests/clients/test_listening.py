"""Results and events as another client's consumer finds them: CloudEvents by the Kafka binding, keyed by the call."""

from __future__ import annotations

import base64
import json

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cordboard.v1 import Command, CommandCompletion, CompletionState
from tests.clients.desk import ACCOUNT, KafkaDesk, note, result_of, words
from tests.clients.foreign import Heard, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def event_of(heard: Heard) -> CloudEvent:
    """The record as the official SDK reads it."""
    return from_binary(KafkaMessage(dict(heard.headers), heard.key, heard.value), JSONFormat())


async def spoken(desk: KafkaDesk) -> tuple[str, Command]:
    """A call to which something was said, from the command to its completion."""
    call = desk.call()
    command = note(call)
    command.speak.payload, command.speak.voice = "Good morning.", "female"
    await desk.sender().send(desk.topics.commands, command.SerializeToString(), call.encode())
    await desk.ended(command.command_id)
    await until(lambda: len(desk.said(command.command_id)) == 2, "the completion")
    return call, command


async def test_a_result_is_an_event_about_its_call(desk: KafkaDesk) -> None:
    """
    What the headers say is what the value says.
    """
    call, command = await spoken(desk)
    heard = desk.said(command.command_id)[0]
    event, result = event_of(heard), result_of(heard)

    assert (event.get_type(), event.get_source()) == ("cordboard.command.result.v1", f"/cordboard/{ACCOUNT}")
    assert (event.get_subject(), event.get_extension("commandid")) == (call, command.command_id)
    assert event.get_datacontenttype() == "application/protobuf"
    assert event.get_data() == heard.value
    assert event.get_time() == result.finish_time.ToDatetime(event.get_time().tzinfo)
    assert (heard.key, words(result), result.call_control_id) == (call.encode(), "SUCCEEDED", call)


async def test_a_completion_follows_its_result(desk: KafkaDesk) -> None:
    """
    On the same partition, behind it.
    """
    call, command = await spoken(desk)
    result, completed = desk.said(command.command_id)
    event, completion = event_of(completed), CommandCompletion.FromString(completed.value or b"")

    assert event.get_type() == "cordboard.command.completed.v1"
    assert (event.get_subject(), event.get_extension("commandid")) == (call, command.command_id)
    assert (completed.key, completed.partition) == (call.encode(), result.partition)
    assert completion.state == CompletionState.COMPLETION_STATE_COMPLETED
    assert completion.event_type == "call.speak.ended"


async def test_an_event_is_telnyxs_body_with_telnyxs_signature(desk: KafkaDesk) -> None:
    """
    Whoever does not trust us checks it; the event that completed a command names it.
    """
    call, command = await spoken(desk)

    def ended() -> list[Heard]:
        events = [one for one in desk.ear.of(desk.topics.events) if one.key == call.encode()]
        return [one for one in events if one.header("ce_type") == "com.telnyx.call.speak.ended"]

    await until(ended, "call.speak.ended")
    [heard] = ended()
    event, body = event_of(heard), json.loads(heard.value or b"")["data"]
    signed = heard.header("telnyx-timestamp").encode() + b"|" + (heard.value or b"")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(desk.sandbox.public_key))

    key.verify(base64.b64decode(heard.header("telnyx-signature-ed25519")), signed)
    assert (event.get_id(), event.get_source(), event.get_subject()) == (body["id"], f"/telnyx/{ACCOUNT}", call)
    assert (event.get_datacontenttype(), event.get_data()) == ("application/json", {"data": body} | rest(heard))
    assert event.get_extension("commandid") == command.command_id


def rest(heard: Heard) -> dict[str, object]:
    """What a webhook's body has beside its data."""
    return {name: value for name, value in json.loads(heard.value or b"").items() if name != "data"}


async def test_a_refusal_is_an_event_too(desk: KafkaDesk) -> None:
    """
    Also of a command that has no id by which it could be named.
    """
    call = desk.call()
    nameless = note(call)
    nameless.command_id = ""
    await desk.sender().send(desk.topics.commands, nameless.SerializeToString(), call.encode())

    def refused() -> list[Heard]:
        said = [one for one in desk.ear.of(desk.topics.results) if one.key == call.encode()]
        return [one for one in said if one.header("ce_type") == "cordboard.command.result.refused.v1"]

    await until(refused, "the refusal")
    event = event_of(refused()[0])
    assert (event.get_subject(), event.get_extension("commandid")) == (call, None)
    assert words(result_of(refused()[0])) == "REJECTED INVALID_COMMAND"
