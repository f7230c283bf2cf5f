"""Commands written to Kafka by librdkafka: by any key, with either partitioner, in either format, with any headers."""

from __future__ import annotations

import time

import pytest
from aiokafka import AIOKafkaProducer
from cloudevents.core.bindings.kafka import to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from google.protobuf.json_format import MessageToDict, MessageToJson
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.v1 import Command, CommandCompletion, Dial
from tests.clients.desk import ANOTHER, OWN_NUMBER, KafkaDesk, note, words
from tests.clients.foreign import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIKE_JAVA = {"partitioner": "murmur2_random"}
BY_ITSELF = {"partitioner": "consistent_random"}  # librdkafka's default: CRC32.
IN_JSON = {"content-type": b"application/json"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ORDERED = 200


async def placed_apart(desk: KafkaDesk) -> str:
    """A call whose key the two partitioners place differently."""
    one, other = desk.sender(**LIKE_JAVA), desk.sender(**BY_ITSELF)
    while True:
        call = desk.call()
        places = [(await sender.send(desk.topics.results, b"", call.encode())).partition() for sender in (one, other)]
        if places[0] != places[1]:
            return call


class TestKeys:
    async def test_with_javas_partitioner_a_key_lands_where_its_call_is_decided_about(self, desk: KafkaDesk) -> None:
        """
        librdkafka's murmur2_random and aiokafka's own place every call as Cordboard does: nothing is routed on.
        """
        before, theirs = desk.routed(), desk.sender(**LIKE_JAVA)
        calls = [desk.call() for _ in range(12)]
        notes = [note(call) for call in calls]
        async with AIOKafkaProducer(bootstrap_servers=desk.servers) as ours:
            for command in notes[:6]:
                key, value = command.call_control_id.encode(), command.SerializeToString()
                await ours.send_and_wait(desk.topics.commands, value, key)
        for command in notes[6:]:
            await theirs.send(desk.topics.commands, command.SerializeToString(), command.call_control_id.encode())

        assert await desk.ended(*(command.command_id for command in notes)) == ["SUCCEEDED"] * 12
        assert desk.routed() == before

    async def test_with_librdkafkas_own_it_is_routed_on_once_and_counted(self, desk: KafkaDesk) -> None:
        """
        CRC32 places keys elsewhere: the command is done all the same, and the way it took is counted.
        """
        call = await placed_apart(desk)
        before, command = desk.routed(), note(call)
        message = await desk.sender(**BY_ITSELF).send(desk.topics.commands, command.SerializeToString(), call.encode())

        assert await desk.ended(command.command_id) == ["SUCCEEDED"]
        assert desk.routed() == before + 1
        result = desk.said(command.command_id)[0]
        assert message.partition() != result.partition

    @pytest.mark.parametrize("key", [None, b"", b"another-call", b"\xff\xfe"])
    async def test_the_key_is_not_trusted(self, desk: KafkaDesk, key: bytes | None) -> None:
        """
        The value says which call is meant, wherever a missing, empty or wrong key has led.
        """
        call, sender = desk.call(), desk.sender(**LIKE_JAVA)
        notes = [note(call) for _ in range(4)]
        for partition, command in enumerate(notes):
            await sender.send(desk.topics.commands, command.SerializeToString(), key, partition=partition)

        assert await desk.ended(*(command.command_id for command in notes)) == ["SUCCEEDED"] * 4
        assert {desk.said(command.command_id)[0].key for command in notes} == {call.encode()}

    async def test_a_dial_needs_no_key(self, desk: KafkaDesk) -> None:
        """
        Nobody knows the call yet; the result is keyed by it.
        """
        dial = Command(command_id=f"dial-{desk.call()[3:20]}")
        dial.dial.CopyFrom(Dial(to=ANOTHER, from_number=OWN_NUMBER, connection_id="c"))
        await desk.sender().send(desk.topics.commands, MessageToJson(dial).encode(), headers=IN_JSON)

        assert await desk.ended(dial.command_id) == ["SUCCEEDED"]
        [result] = desk.results(dial.command_id)
        assert desk.said(dial.command_id)[0].key == result.dialed[0].call_control_id.encode()


class TestOrder:
    @pytest.mark.parametrize("settings", [LIKE_JAVA, BY_ITSELF], ids=lambda settings: settings["partitioner"])
    async def test_one_senders_commands_of_a_call_arrive_as_they_were_sent(
        self, desk: KafkaDesk, settings: dict[str, str]
    ) -> None:
        """
        On the call's own partition or routed on from another: the line is in the order of their writing.
        """
        call, sender = await placed_apart(desk), desk.sender(**settings)
        notes = [note(call, expire_time=soon()) for _ in range(ORDERED)]
        for command in notes:
            sender.put(desk.topics.commands, command.SerializeToString(), call.encode())
        await sender.sent()
        await desk.ended(*(command.command_id for command in notes))

        assert [effect.body["client_state"] for effect in desk.effects(call)] == [one.client_state for one in notes]

    async def test_all_goes_on_behind_what_went_astray(self, desk: KafkaDesk) -> None:
        """
        A record that says it was routed on, because its sender copied the header, is routed once more, not for ever.
        """
        call = await placed_apart(desk)
        stray = {"cordboard-first-address": b"somewhere/1/2"}
        once, lost, after = note(call), note(call), note(call)
        sender = desk.sender(**BY_ITSELF)
        await sender.send(desk.topics.commands, once.SerializeToString(), call.encode(), headers=stray)
        twice = [*stray.items(), *stray.items(), ("mark", b"astray")]
        await sender.send(desk.topics.commands, lost.SerializeToString(), call.encode(), headers=twice)
        await sender.send(desk.topics.commands, after.SerializeToString(), call.encode())

        assert await desk.ended(once.command_id, after.command_id) == ["SUCCEEDED"] * 2
        assert "routed on" in (await desk.letter("astray")).header("dlq.errors.reason")
        assert desk.results(lost.command_id) == []


class TestValues:
    @pytest.mark.parametrize(
        "content_type", [None, b"application/protobuf", b"application/json", b"Application/JSON; charset=utf-8"]
    )
    async def test_the_content_type_tells_json_from_protobuf(self, desk: KafkaDesk, content_type: bytes | None) -> None:
        """
        Without one it is protobuf.
        """
        command = note(desk.call())
        in_json = b"json" in (content_type or b"").lower()
        value = MessageToJson(command).encode() if in_json else command.SerializeToString()
        headers = {} if content_type is None else {"content-type": content_type}
        await desk.sender().send(desk.topics.commands, value, headers=headers)

        assert await desk.ended(command.command_id) == ["SUCCEEDED"]

    async def test_results_are_protobuf_whatever_the_command_was(self, desk: KafkaDesk) -> None:
        """
        The topic has many readers; each record says what it is.
        """
        command = note(desk.call())
        await desk.sender().send(desk.topics.commands, MessageToJson(command).encode(), headers=IN_JSON)
        await desk.ended(command.command_id)

        assert {one.header("content-type") for one in desk.said(command.command_id)} == {"application/protobuf"}

    @pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
    async def test_what_a_client_compresses_is_read(self, desk: KafkaDesk, codec: str) -> None:
        """
        Any of Kafka's codecs.
        """
        command = note(desk.call(), group="a" * 100)
        sender = desk.sender(**{"compression.type": codec})
        await sender.send(desk.topics.commands, command.SerializeToString())

        assert await desk.ended(command.command_id) == ["SUCCEEDED"]


class TestHeaders:
    async def test_the_events_id_is_the_commands_where_it_has_none(self, desk: KafkaDesk) -> None:
        """
        And only there.
        """
        call = desk.call()
        without, within = note(call), note(call)
        name, without.command_id = without.command_id, ""
        sender = desk.sender()
        await sender.send(desk.topics.commands, without.SerializeToString(), headers={"ce_id": name.encode()})
        await sender.send(desk.topics.commands, within.SerializeToString(), headers={"ce_id": b"another"})

        assert await desk.ended(name, within.command_id) == ["SUCCEEDED"] * 2
        assert desk.said("another") == []

    async def test_an_event_of_the_official_sdk_is_a_command(self, desk: KafkaDesk) -> None:
        """
        Its binary mode in JSON; the trace context is found again on result and completion.
        """
        command = note(desk.call())
        name, command.command_id = command.command_id, ""
        attributes = {"id": name, "source": "/shop", "type": "cordboard.command.v1"}
        attributes["datacontenttype"] = "application/json"
        message = to_binary(CloudEvent(attributes, MessageToDict(command)), JSONFormat())
        headers = {**message.headers, "traceparent": TRACE.encode()}
        await desk.sender().send(desk.topics.commands, json_bytes(message.value), headers=headers)

        assert await desk.ended(name) == ["SUCCEEDED"]
        await until(lambda: len(desk.said(name)) == 2, "the completion")
        assert {one.header("traceparent") for one in desk.said(name)} == {TRACE}
        [completed] = [one for one in desk.said(name) if one.header("ce_type") == "cordboard.command.completed.v1"]
        assert CommandCompletion.FromString(completed.value or b"").command_id == name

    async def test_headers_of_others_do_no_harm(self, desk: KafkaDesk) -> None:
        """
        Without a value, with bytes that are no text, twice; and a trace context that is none goes no further.
        """
        command = note(desk.call())
        odd = [("null", None), ("bytes", b"\xff\x00"), ("bytes", b""), ("ce_type", b"\xff"), ("traceparent", b"mine")]
        await desk.sender().send(desk.topics.commands, command.SerializeToString(), headers=odd)

        assert await desk.ended(command.command_id) == ["SUCCEEDED"]
        assert desk.said(command.command_id)[0].header("traceparent") == ""


class TestPlacementNow:
    @pytest.mark.parametrize("topic", ["now", "commands"])
    async def test_now_cancels_what_waits_on_whichever_topic_it_comes(self, desk: KafkaDesk, topic: str) -> None:
        """
        The topic `now` is only read first; what the command says decides.
        """
        call, sender = desk.call(), desk.sender()
        gather, waiting, hangup = (Command(command_id=f"{n}-{call[3:30]}", call_control_id=call) for n in "gwh")
        gather.gather.timeout_millis = 600_000
        waiting.speak.payload, waiting.speak.voice = "later", "female"
        waiting.start_after = Command(start_after=2).start_after
        hangup.hangup.SetInParent()
        hangup.placement = Command(placement=3).placement
        for command in (gather, waiting):
            await sender.send(desk.topics.commands, command.SerializeToString(), call.encode())
        assert await desk.ended(gather.command_id) == ["SUCCEEDED"]
        await sender.send(getattr(desk.topics, topic), hangup.SerializeToString(), call.encode())

        assert await desk.ended(hangup.command_id, waiting.command_id) == ["SUCCEEDED", "CANCELLED SUPERSEDED"]

    async def test_on_now_without_placement_now_it_is_routed_to_the_others(self, desk: KafkaDesk) -> None:
        """
        So that nobody's commands overtake those that were accepted before; its place is that of its arrival there.
        """
        before, command = desk.routed(desk.topics.now), note(desk.call())
        await desk.sender().send(desk.topics.now, command.SerializeToString(), command.call_control_id.encode())

        assert await desk.ended(command.command_id) == ["SUCCEEDED"]
        assert desk.routed(desk.topics.now) == before + 1


async def test_the_same_command_by_two_clients_is_one(desk: KafkaDesk) -> None:
    """
    In JSON and in protobuf, from either partitioner: the same id, the same content, one effect.
    """
    call = await placed_apart(desk)
    command = note(call)
    await desk.sender(**BY_ITSELF).send(desk.topics.commands, command.SerializeToString(), call.encode())
    assert await desk.ended(command.command_id) == ["SUCCEEDED"]
    value = MessageToJson(command).encode()
    await desk.sender(**LIKE_JAVA).send(desk.topics.commands, value, call.encode(), headers=IN_JSON)
    await until(lambda: desk.results(command.command_id, "replayed"), "the repeat's answer")

    assert words(desk.results(command.command_id, "replayed")[0]) == "SUCCEEDED"
    assert len(desk.effects(call)) == 1


def soon() -> Timestamp:
    """Late enough for a slow machine."""
    return Timestamp(seconds=int(time.time()) + 600)


def json_bytes(data: str | bytes | None) -> bytes:
    """What the SDK hands over as data, as a client sends it."""
    return data.encode() if isinstance(data, str) else data or b""
