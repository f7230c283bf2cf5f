"""What no command can be made of: whoever wrote it, the partition goes on behind it, and somebody learns why."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from cordboard.v1 import Command
from tests.clients.desk import ANOTHER, OWN_NUMBER, KafkaDesk, note, words

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIKE_JAVA = {"partitioner": "murmur2_random"}
OF_THE_BROKER = 4 * 1024 * 1024  # As the topics of the inputs are made.
NO_LIMIT = {"message.max.bytes": 256 * 1024 * 1024, "queue.buffering.max.kbytes": 1024 * 1024}
IN_JSON = ("content-type", b"application/json")


async def goes_on(desk: KafkaDesk, call: str) -> None:
    """The next command of the call, by the same partition, is done."""
    command = note(call)
    await desk.sender(**LIKE_JAVA).send(desk.topics.commands, command.SerializeToString(), call.encode())
    assert await desk.ended(command.command_id) == ["SUCCEEDED"]


class TestDeadLetters:
    @pytest.mark.parametrize(
        ("value", "headers", "why"),
        [
            (b"\x0anope", [], "no command in protobuf"),
            (b'{"commandId": "a"}', [], "JSON is read where the header content-type says application/json"),
            (b"{", [IN_JSON], "no command in JSON"),
            (b'{"commandID": "a"}', [IN_JSON], "no command in JSON"),
            (b'{"commandId": "\xff"}', [IN_JSON], "no command in JSON"),
            (b"[" * 100_000, [IN_JSON], "no command in JSON"),
            (b"", [], "no value"),
            (None, [], "no value"),
            (b"\x0anope", [("null", None), ("bytes", b"\xff")], "no command in protobuf"),
        ],
        ids=["protobuf", "unsaid JSON", "broken JSON", "odd field", "no text", "deep", "empty", "tombstone", "headers"],
    )
    async def test_what_cannot_be_read_is_set_aside_with_the_reason(
        self, desk: KafkaDesk, value: bytes | None, headers: list[tuple[str, bytes | None]], why: str
    ) -> None:
        """
        Its key, value and headers are kept; where it stood is said.
        """
        call = desk.call()
        marked = [*headers, ("mark", call.encode())]
        message = await desk.sender(**LIKE_JAVA).send(desk.topics.commands, value, call.encode(), headers=marked)

        letter = await desk.letter(call)
        assert why in letter.header("dlq.errors.reason")
        assert (letter.key, letter.value) == (call.encode(), value or b"")
        assert letter.headers[: len(marked)] == [(name, one or b"") for name, one in marked]
        stood = [letter.header(f"dlq.errors.{name}") for name in ("topic", "partition", "offset")]
        assert stood == [message.topic(), str(message.partition()), str(message.offset())]
        await goes_on(desk, call)

    async def test_what_json_did_not_like_is_said_beside_it(self, desk: KafkaDesk) -> None:
        """
        The field that is not known, by its name.
        """
        call = desk.call()
        value, headers = b'{"commandId": "a", "speek": {}}', [IN_JSON, ("mark", call.encode())]
        await desk.sender().send(desk.topics.commands, value, headers=headers)

        assert '"speek"' in (await desk.letter(call)).header("dlq.errors.detail")

    @pytest.mark.parametrize(
        ("value_bytes", "header_bytes", "settings"),
        [
            (1024 * 1024, 0, {}),
            (OF_THE_BROKER - 1024, 0, {}),
            (10, OF_THE_BROKER - 1024, {}),
            (64 * 1024 * 1024, 0, {"compression.type": "lz4"}),
        ],
        ids=["just", "the broker's limit", "headers", "compressed"],
    )
    async def test_what_is_too_large_is_set_aside_in_part(
        self, desk: KafkaDesk, value_bytes: int, header_bytes: int, settings: dict[str, Any]
    ) -> None:
        """
        However large a broker lets it be, and however small it was on the way.
        """
        call = desk.call()
        headers = [("mark", call.encode()), ("large", b"x" * header_bytes)]
        sender = desk.sender(**LIKE_JAVA, **NO_LIMIT, **settings)
        await sender.send(desk.topics.commands, b"\x0a" * value_bytes, call.encode(), headers=headers)

        letter = await desk.letter(call)
        assert "commands are read up to 1048576" in letter.header("dlq.errors.reason")
        whole = value_bytes + header_bytes < 2 * 1024 * 1024
        assert bool(letter.header("dlq.errors.cut")) is not whole
        assert len(letter.value or b"") == (value_bytes if whole else min(value_bytes, 64 * 1024))
        await goes_on(desk, call)

    async def test_a_header_whose_name_is_no_text_stops_nobody_else(self, desk: KafkaDesk) -> None:
        """
        Kafka lets it be written, and aiokafka cannot read the batch that it is in: what stands there is passed over.
        """
        call = desk.call()
        before, odd = note(call), note(call)
        value, key = odd.SerializeToString(), call.encode()
        async with AIOKafkaProducer(bootstrap_servers=desk.servers, linger_ms=500) as producer:
            batch = producer.create_batch()
            batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 1024 * 1024)  # The strict one is in C.
            for headers, command in ([], before.SerializeToString()), ([(NoText("name"), b"1")], value), ([], value):
                batch.append(key=key, value=command, timestamp=None, headers=headers)
            partition = desk.place_of(call)
            await (await producer.send_batch(batch, desk.topics.commands, partition=partition))

        assert await desk.ended(before.command_id) == ["SUCCEEDED"]
        await goes_on(desk, call)
        assert desk.results(odd.command_id) == []


class TestRefusals:
    async def test_a_command_that_is_wrong_is_refused_by_the_field(self, desk: KafkaDesk) -> None:
        """
        To whoever sent it, under its id and its call.
        """
        call, sender = desk.call(), desk.sender(**LIKE_JAVA)
        stranger, idle = note(call, account="nobody"), Command(command_id=f"idle-{call[3:20]}", call_control_id=call)
        for command in (stranger, idle):
            await sender.send(desk.topics.commands, command.SerializeToString(), call.encode())

        refusals = [await desk.refused(command.command_id) for command in (stranger, idle)]
        assert [words(one) for one in refusals] == ["REJECTED INVALID_COMMAND"] * 2
        assert [one.violations[0].field for one in refusals] == ["account", "action"]
        assert {desk.said(stranger.command_id)[0].key} == {call.encode()}
        await goes_on(desk, call)

    async def test_a_command_without_an_id_is_refused_to_its_call(self, desk: KafkaDesk) -> None:
        """
        Neither in the value nor in ce_id: there is only the call by which its sender can know it.
        """
        call, sender = desk.call(), desk.sender(**LIKE_JAVA)
        command = note(call)
        command.command_id = ""
        await sender.send(desk.topics.commands, command.SerializeToString(), call.encode())
        await goes_on(desk, call)

        [refusal] = [one for one in desk.refusals() if one.call_control_id == call]
        assert [violation.field for violation in refusal.violations] == ["command_id"]

    @pytest.mark.parametrize(
        ("count", "said"),
        [
            (200, "and 300 violations more"),
            (50_000, "dial.custom_headers must have at most 256 items, but has 50000"),
            (70_000, "the command has more than 131072 bytes"),
        ],
    )
    async def test_a_command_that_is_wrong_in_very_many_ways_is_told_some(
        self, desk: KafkaDesk, count: int, said: str
    ) -> None:
        """
        A refusal fits into the log, and takes nobody's time.
        """
        call = desk.call()
        dial = Command(command_id=f"wrong-{call[3:20]}")
        dial.dial.to, dial.dial.from_number, dial.dial.connection_id = ANOTHER, OWN_NUMBER, "c"
        for _ in range(count):
            dial.dial.custom_headers.add()
        await desk.sender(**LIKE_JAVA).send(desk.topics.commands, dial.SerializeToString(), call.encode())

        refusal = await desk.refused(dial.command_id)
        assert refusal.violations[-1].description == said
        assert len(refusal.violations) in (1, 101)
        await goes_on(desk, call)


class NoText(str):
    """A header's name as a client writes it that cares nothing for UTF-8."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"
