"""docs/kafka-clients.md, done by its text: its kcat commands as a shell takes them, its Python as it stands."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.cli.processes import block_of
from tests.clients.desk import KafkaDesk, note
from tests.clients.foreign import PATIENCE_SECONDS, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = Path(__file__).parents[2] / "docs" / "kafka-clients.md"
ROOT = PAGE.parents[1]
SPEAK, HANGUP, RESULTS, EVENTS, LETTERS = range(5)

needs_kcat = pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed (apt-get install kcat)")


def of_the_page(desk: KafkaDesk, language: str, number: int = 0) -> str:
    """A block of the page, with the broker and the topics of this test."""
    text = block_of(PAGE.read_text(), language, number).replace("localhost:9092", desk.servers)
    return re.sub(r"\bcordboard\.(commands|now|results|events|dead-letters)\b", rf"{desk.prefix}.\1", text)


async def run(*words: str, **environment: str) -> str:
    """Run to the end; what it wrote."""
    process = await asyncio.create_subprocess_exec(
        *words,
        cwd=ROOT,
        env=os.environ | environment,
        start_new_session=True,  # So that whatever it starts ends with it.
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, errors.decode()
    return output.decode(errors="replace")


async def kcat(desk: KafkaDesk, number: int, call: str = "") -> str:
    """What the page's so manieth command writes."""
    return await run("sh", "-c", of_the_page(desk, "sh", number), CALL=call)


async def test_its_python_prints_what_it_says(desk: KafkaDesk) -> None:
    """
    A program that knows librdkafka and the messages, and nothing else of ours.
    """
    printed = await run(sys.executable, "-c", of_the_page(desk, "python"), CALL=desk.call(), PYTHONPATH=str(ROOT))

    assert printed == "cordboard.command.result.v1 STATE_SUCCEEDED\n"
    assert f"`{printed.strip()}`" in PAGE.read_text()


@needs_kcat
async def test_its_commands_reach_a_call_by_kcat(desk: KafkaDesk) -> None:
    """
    Said, then hung up at once; both without a detour.
    """
    call, before = desk.call(), (desk.routed(), desk.routed(desk.topics.now))
    await kcat(desk, SPEAK, call)
    assert await desk.ended("greeting-1") == ["SUCCEEDED"]
    await kcat(desk, HANGUP, call)
    assert await desk.ended("bye-1") == ["SUCCEEDED"]

    assert [effect.action for effect in desk.effects(call)] == ["speak", "hangup"]
    assert (desk.routed(), desk.routed(desk.topics.now)) == before


@needs_kcat
async def test_by_kcats_own_partitioner_commands_are_done_too(desk: KafkaDesk) -> None:
    """
    Left as it is, it places some keys elsewhere; nothing is lost by that.
    """
    text = of_the_page(desk, "sh", SPEAK).replace(" -X topic.partitioner=murmur2_random", "")
    names = [f"greeting-by-crc-{number}" for number in range(8)]
    for name in names:
        await run("sh", "-c", text.replace("greeting-1", name), CALL=desk.call())

    assert await desk.ended(*names) == ["SUCCEEDED"] * len(names)


@needs_kcat
async def test_its_listeners_hear_by_kcat(desk: KafkaDesk) -> None:
    """
    Results and events with their headers, dead letters with their reasons.
    """
    call, sender = desk.call(), desk.sender()
    command = note(call)
    await sender.send(desk.topics.commands, b"{}", call.encode(), headers={"mark": call.encode()})
    await sender.send(desk.topics.commands, command.SerializeToString(), call.encode())
    await desk.letter(call)
    await desk.ended(command.command_id)
    await until(lambda: desk.ear.of(desk.topics.events), "an event")

    assert "ce_type=cordboard.command.result.v1" in await kcat(desk, RESULTS)
    assert "ce_type=com.telnyx.call." in await kcat(desk, EVENTS)
    assert "dlq.errors.reason=the value is no command in protobuf" in await kcat(desk, LETTERS)
