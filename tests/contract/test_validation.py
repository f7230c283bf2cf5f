"""Each rule refuses what it should and takes what it should, and says so in a sentence that helps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from cordboard import v1
from cordboard.validation import COMMAND_BYTES_MAX, contract_violations, too_large, violations
from tests.contract.newer import EVERY
from tests.contract.samples import CALL, STATE, UUID, Sample

NOW_MS = 1_700_000_000_000
HOUR = 3_600


def command(**fields: Any) -> v1.Command:
    """A hangup that may be taken, unless these fields say otherwise."""
    action = {} if set(fields) & {one.name for one in ACTIONS.fields} else {"hangup": v1.Hangup()}
    return v1.Command(**{"command_id": UUID, "call_control_id": CALL, **action, **fields})


ACTIONS = v1.Command.DESCRIPTOR.oneofs_by_name["action"]


def dial(**fields: Any) -> v1.Command:
    whole = {"to": "+18005550100", "from_number": "+18005550101", "connection_id": "7267", **fields}
    return command(call_control_id="", dial=v1.Dial(**{name: value for name, value in whole.items() if value}))


def at(seconds: float) -> dict[str, int]:
    """A time so many seconds from now."""
    ms = NOW_MS + int(seconds * 1000)
    return {"seconds": ms // 1000, "nanos": ms % 1000 * 1_000_000}


def speech(**fields: Any) -> v1.Speak:
    return v1.Speak(**{"payload": "Hi", "voice": "male", **fields})


def gathering(**fields: Any) -> v1.GatherUsingSpeak:
    return v1.GatherUsingSpeak(**{"payload": "Hi", "voice": "male", **fields})


BOTH_ON_HOLD = {"hold_audio_url": "https://a.example", "hold_media_name": "b"}

# The rule, the field that it names, what it refuses, and the nearest that it takes.
RULES = [
    ("required", "command_id", command(command_id=""), command(command_id="a")),
    ("string.max_len", "command_id", command(command_id="a" * 129), command(command_id="a" * 128)),
    ("id.characters", "command_id", command(command_id="a/b"), command(command_id="Az09._:~-")),
    ("id.characters", "group", command(group="spring sale"), command(group="spring-sale")),
    ("call_control_id.missing", "call_control_id", command(call_control_id=""), command()),
    ("call_control_id.dial", "call_control_id", command(dial=dial().dial), dial()),
    ("string.max_len", "call_control_id", command(call_control_id="a" * 513), command(call_control_id="a" * 512)),
    ("call.characters", "call_control_id", command(call_control_id="a b"), command(call_control_id="v2:a/b==")),
    ("call.characters", "call_control_id", command(call_control_id=".."), command(call_control_id="...")),
    ("call.alias", "call_control_id", command(call_control_id="dial:a/b"), command(call_control_id="dial-a")),
    ("call.alias", "call_control_id", command(call_control_id="leg:a"), command(call_control_id="v3:leg:a")),
    ("call.alias", "call_control_id", command(call_control_id="session:a"), command(call_control_id="session")),
    ("call.alias", "call_control_id", command(call_control_id="event:a"), command(call_control_id="event-a")),
    ("account.characters", "account", command(account="a/b"), command(account="Main-1.eu_west")),
    ("account.characters", "account", command(account="a" * 65), command(account="a" * 64)),
    ("expire_time.past", "expire_time", command(expire_time=at(0)), command(expire_time=at(0.001))),
    (
        "expire_time.ahead",
        "expire_time",
        command(expire_time=at(12 * HOUR + 0.001)),
        command(expire_time=at(12 * HOUR)),
    ),
    ("enum.defined_only", "start_after", command(start_after=7), command(start_after=2)),
    ("enum.defined_only", "placement", command(placement=7), command(placement=3)),
    ("sequence.dial", "sequence", v1.Command(dial=dial().dial, command_id="a", sequence=1), command(sequence=1)),
    (
        "requires_command_id.dial",
        "requires_command_id",
        v1.Command(dial=dial().dial, command_id="a", requires_command_id="b"),
        command(requires_command_id="b"),
    ),
    (
        "requires_command_id.self",
        "requires_command_id",
        command(requires_command_id=UUID),
        command(requires_command_id="another"),
    ),
    (
        "duration.gt_lte",
        "completion_timeout",
        command(completion_timeout={"seconds": 0}),
        command(completion_timeout={"nanos": 1}),
    ),
    (
        "client_state.missing",
        "client_state",
        command(client_state_update=v1.ClientStateUpdate()),
        command(client_state_update=v1.ClientStateUpdate(), client_state=STATE),
    ),
    ("base64", "client_state", command(client_state="not Base64"), command(client_state="aGk=")),
    ("base64", "client_state", command(client_state="aGk"), command(client_state="aGkh")),
    ("required", "action", v1.Command(command_id="a", call_control_id="b"), command()),
    (
        "extra.typed",
        "extra.voice",
        command(speak=speech(), extra={"voice": "x"}),
        command(speak=speech(), extra={"x": 1}),
    ),
    ("extra.typed", "extra.to", command(transfer={"to_list": ["+1"]}, extra={"to": "+2"}), command(extra={"to": "+2"})),
    ("body.own_field", "extra.command_id", command(extra={"command_id": "x"}), command(extra={"id": "x"})),
    ("body.own_field", "extra.client_state", command(extra={"client_state": STATE}), command(client_state=STATE)),
    ("body.finite", "extra.a", command(extra={"a": [{"b": float("nan")}]}), command(extra={"a": [{"b": 0.5}]})),
    ("required", "custom.name", command(custom=v1.Custom()), command(custom=v1.Custom(name="pay"))),
    ("custom.name", "custom.name", command(custom=v1.Custom(name="../x")), command(custom=v1.Custom(name="a1_b"))),
    (
        "enum.in",
        "custom.repeat",
        command(custom=v1.Custom(name="pay", repeat=v1.REPEAT_CLASS_WINDOW)),
        command(custom=v1.Custom(name="pay", repeat=v1.REPEAT_CLASS_ALWAYS)),
    ),
    *(
        ("custom.name", "custom.name", command(custom=v1.Custom(name=name)), command(custom=v1.Custom(name="a" * 64)))
        for name in ["a" * 65, "Pay", "1a", "a-b", "a/b", "a%2fb", "a.b", "a?b", "a#b", "a b", "a\n", "\u00e4"]
    ),
    ("custom.typed", "custom.name", command(custom=v1.Custom(name="dial")), command(custom=v1.Custom(name="dials"))),
    (
        "extra.typed",
        "extra.a",
        command(custom=v1.Custom(name="pay", body={"a": 1}), extra={"a": 1}),
        command(custom=v1.Custom(name="pay", body={"a": 1}), extra={"b": 1}),
    ),
    ("message.oneof", "dial", dial(to=None), dial()),
    ("message.oneof", "dial", dial(to_list=["+1"]), dial(to=None, to_list=["+1"])),
    ("string.min_len", "dial.to_list[0]", dial(to=None, to_list=[""]), dial(to=None, to_list=["+1", "sip:a@b"])),
    ("dial.record", "dial", dial(record_format="wav"), dial(record="record-from-answer", record_format="wav")),
    ("dial.link_to", "dial", dial(bridge_on_answer=True), dial(bridge_on_answer=True, link_to="a")),
    ("dial.link_to", "dial", dial(bridge_intent=True), dial(bridge_intent=True, link_to="a")),
    ("dial.link_to", "dial", dial(park_after_unbridge="self"), dial(park_after_unbridge="self", link_to="a")),
    (
        "digits_on_answer",
        "dial.send_digits_on_answer",
        dial(send_digits_on_answer="x"),
        dial(send_digits_on_answer="1"),
    ),
    (
        "int32.in",
        "dial.stream_bidirectional_sampling_rate",
        dial(stream_bidirectional_sampling_rate=1),
        dial(stream_bidirectional_sampling_rate=8000),
    ),
    ("message.oneof", "dial.conference_config", dial(conference_config=BOTH_ON_HOLD), dial(conference_config={})),
    ("e164", "dial.from_number", dial(from_number="8005550101"), dial(from_number="+8005550101")),
    ("required", "dial.custom_headers[0].value", dial(custom_headers=[{"name": "X"}]), dial()),
    ("string.in", "dial.sip_headers[0].name", dial(sip_headers=[{"name": "X", "value": ""}]), dial()),
    *(
        (
            f"{name}.record",
            name,
            command(**{name: {**fields, "record_channels": "dual"}}),
            command(**{name: {**fields, "record_track": "both"}}),
        )
        for name, fields in {"answer": {}, "bridge": {"queue": "a"}, "transfer": {"to": "+1"}}.items()
    ),
    (
        "webhook_urls",
        "answer.webhook_urls[a]",
        command(answer=v1.Answer(webhook_urls={"a": {"list_value": {}}})),
        command(answer=v1.Answer(webhook_urls={"a": {"string_value": "https://a.example"}})),
    ),
    (
        "retries_ms.sum",
        "answer.webhook_retries_policies[a]",
        command(answer=v1.Answer(webhook_retries_policies={"a": v1.WebhookRetriesPolicy(retries_ms=[60_001])})),
        command(answer=v1.Answer(webhook_retries_policies={"a": v1.WebhookRetriesPolicy(retries_ms=[60_000])})),
    ),
    (
        "hangup.reason",
        "hangup.reason",
        command(hangup=v1.Hangup(reason="\U0001f600")),
        command(hangup=v1.Hangup(reason="\uffff")),
    ),
    (
        "body.finite",
        "speak.voice_settings",
        command(speak=speech(voice_settings={"a": [{"b": float("nan")}]})),
        command(speak=speech(voice_settings={"a": [{"b": 0.5}]})),
    ),
    (
        "message.oneof",
        "speak",
        command(speak=speech(loop=1, loop_text="infinity")),
        command(speak=speech(loop_text="infinity")),
    ),
    ("message.oneof", "bridge", command(bridge=v1.Bridge()), command(bridge=v1.Bridge(queue="a"))),
    (
        "bridge.video_room_context",
        "bridge",
        command(bridge=v1.Bridge(queue="a", video_room_context="b")),
        command(bridge=v1.Bridge(video_room_id=UUID, video_room_context="b")),
    ),
    (
        "fork_start.destination",
        "fork_start",
        command(fork_start=v1.ForkStart(rx="udp:a:1")),
        command(fork_start=v1.ForkStart(rx="udp:a:1", tx="udp:a:2")),
    ),
    (
        "fork_start.decrypted",
        "fork_start",
        command(fork_start=v1.ForkStart(target="udp:a:1", stream_type="decrypted")),
        command(fork_start=v1.ForkStart(target="udp:a:1", stream_type="raw")),
    ),
    (
        "fork_start.udp",
        "fork_start.target",
        command(fork_start=v1.ForkStart(target="tcp:a:1")),
        command(fork_start=v1.ForkStart(target="udp:a:1")),
    ),
    (
        "playback_start.overlay",
        "playback_start",
        command(playback_start=v1.PlaybackStart(overlay=True, target_legs="both")),
        command(playback_start=v1.PlaybackStart(overlay=False, target_legs="both")),
    ),
    (
        "streaming_start.destination",
        "streaming_start",
        command(streaming_start=v1.StreamingStart(enable_dialogflow=False)),
        command(streaming_start=v1.StreamingStart(enable_dialogflow=True)),
    ),
    (
        "speech.basic",
        "speak",
        command(speak=speech(service_level="basic", language="de-DE")),
        command(speak=speech(service_level="basic", language="en-US")),
    ),
    (
        "speech.basic",
        "gather_using_speak",
        command(gather_using_speak=gathering(service_level="basic", payload_type="ssml")),
        command(gather_using_speak=gathering(service_level="premium", payload_type="ssml")),
    ),
    (
        "refer.sip_address",
        "refer.sip_address",
        command(refer=v1.Refer(sip_address="tel:+1")),
        command(refer=v1.Refer(sip_address="SIP:a@b")),
    ),
    (
        "send_dtmf.digits",
        "send_dtmf.digits",
        command(send_dtmf={"digits": "1 2"}),
        command(send_dtmf={"digits": "1w2"}),
    ),
]


def cel_rules(message: Descriptor, seen: set[str]) -> Iterator[str]:
    """The ids of the contract's own rules, wherever a command can hold them."""
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    yield from (rule.id for rule in message.GetOptions().Extensions[validate_pb2.message].cel)
    for field in message.fields:
        rules = field.GetOptions().Extensions[validate_pb2.field]
        yield from (rule.id for rule in [*rules.cel, *rules.map.values.cel])
        yield from shared_rules(rules.string, rules.int32)
        if field.message_type:
            yield from cel_rules(field.message_type, seen)


def shared_rules(*kinds: Message) -> Iterator[str]:
    """The ids of rules that fields share by name."""
    for kind in kinds:
        for extension in (field for field, _ in kind.ListFields() if field.is_extension):
            yield from (rule.id for rule in extension.GetOptions().Extensions[validate_pb2.predefined].cel)


@pytest.mark.parametrize(("rule", "field", "wrong", "right"), RULES, ids=[f"{rule[0]}-{rule[1]}" for rule in RULES])
def test_a_rule_refuses_and_takes(rule: str, field: str, wrong: v1.Command, right: v1.Command) -> None:
    """
    The field is named with the rule that it breaks, in a sentence of its own; the nearest right command is taken.
    """
    found = [violation for violation in violations(wrong, NOW_MS) if violation.rule == rule]

    assert [violation.field for violation in found] == [field]
    assert re.fullmatch(rf"{re.escape(field)}:? .+", found[0].description)
    assert violations(right, NOW_MS) == []


def test_every_rule_of_the_contract_is_tried() -> None:
    """
    A rule added to the contract without an example here fails this test.
    """
    assert set(cel_rules(v1.Command.DESCRIPTOR, set())) <= {rule for rule, *_ in RULES}


@pytest.mark.parametrize("sample", EVERY, ids=[sample.name for sample in EVERY])
def test_what_telnyx_documents_is_taken(sample: Sample) -> None:
    """
    No rule refuses a command that Telnyx's documents allow.
    """
    assert violations(sample.command(), NOW_MS) == []


def test_everything_wrong_is_said_at_once() -> None:
    """
    A sender mends a command in one go, not field by field.
    """
    wrong = dial(from_number="1", timeout_secs=601, billing_group_id="x", record_channels="triple")
    wrong.command_id = "a b"
    wrong.expire_time.seconds = 1
    wrong.extra.update({"to": "+1"})

    assert {violation.field for violation in violations(wrong, NOW_MS)} == {
        "command_id",
        "dial",
        "dial.from_number",
        "dial.timeout_secs",
        "dial.billing_group_id",
        "dial.record_channels",
        "expire_time",
        "extra.to",
    }


def test_a_sentence_repeats_no_secret() -> None:
    """
    Sentences are logged: digits, texts and numbers that people are called by never stand in them.
    """
    wrong = [
        command(send_dtmf=v1.SendDtmf(digits="4111x1111")),
        command(speak=speech(payload="top secret" * 400)),
        command(client_state="top secret"),
        dial(from_number="8005550101"),
    ]
    said = " ".join(violation.description for one in wrong for violation in violations(one, NOW_MS))

    assert said
    assert not re.search("4111|top secret|8005550101", said)


def test_a_number_that_is_out_of_range_is_repeated() -> None:
    """
    The sentence says what is allowed, and what came.
    """
    (found,) = violations(dial(timeout_secs=601), NOW_MS)

    assert (
        found.description
        == "dial.timeout_secs must be greater than or equal to 5 and less than or equal to 600, but is 601"
    )


def test_the_largest_command_is_taken() -> None:
    """
    128 KiB are taken, a byte more is not; the size is that of the message on the wire.
    """
    sized = command(playback_start=v1.PlaybackStart(playback_content="A" * (COMMAND_BYTES_MAX - 4096)))
    sized.playback_start.playback_content += "A" * (COMMAND_BYTES_MAX - sized.ByteSize())

    assert not too_large(sized)
    sized.playback_start.playback_content += "A"
    assert too_large(sized)


def test_other_requests_have_rules_too() -> None:
    """
    The service's other requests are checked by the same means, and told of in the same words.
    """
    (found,) = contract_violations(v1.CancelCommandsRequest(command_ids=["a", "b"]))

    assert found.field == "call_control_id"
    assert contract_violations(v1.CancelCommandsRequest(command_ids=["a"])) == []
    assert [one.field for one in contract_violations(v1.WatchRequest(kinds=["WATCH_KIND_EVENTS", 9]))] == ["kinds[1]"]
