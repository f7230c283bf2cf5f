"""Gates, expiry and what is owed, on real Kafka, while every process between is killed and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import grpc.aio
import pytest
import pytest_asyncio

from cordboard.client import Client, CommandRefused
from cordboard.v1 import (
    PLACEMENT_NEXT,
    START_AFTER_PREVIOUS_COMPLETED,
    STATE_SUCCEEDED,
    WAIT_FOR_COMPLETION,
    Command,
    ExecuteResponse,
)
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.e2e.apart import Pieces, ready, until
from tests.e2e.trial import GRPC

pytestmark = pytest.mark.timeout(400)

NAMES = ("dispatcher-1", "worker-1", "ingress")
_TRY_SECONDS = 20.0


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Server]:
    """Calls live at their own pace here, so that something goes on while processes come back; webhooks wait long."""
    async with Server(SandboxSettings(port=0, webhook_attempts_max=12)) as server:
        yield server


@pytest_asyncio.fixture
async def pieces(tmp_path: Path, kafka_servers: str, kafka_prefix: str, sandbox: Server) -> AsyncIterator[Pieces]:
    every = Pieces(tmp_path, kafka_servers, kafka_prefix, sandbox.base_url, sandbox.public_key, NAMES)
    async with every:
        yield every


async def execute(door: Client, command: Command) -> ExecuteResponse:
    """Have it completed: asked again, under the same id, for as long as nobody says what became of it."""
    while True:
        try:
            answer = await door.execute(command, wait_for=WAIT_FOR_COMPLETION, timeout=_TRY_SECONDS)
        except (grpc.aio.AioRpcError, CommandRefused):
            await asyncio.sleep(0.2)
            continue
        if answer.HasField("completion"):
            return answer


def command(call: str = "", **fields: object) -> Command:
    return Command(command_id=str(uuid4()), call_control_id=call, **fields)


def sent(sandbox: Server, action: str) -> list[float]:
    """When the sandbox was asked for it, so that something happened (Unix seconds)."""
    return [effect.time for effect in sandbox.station.truth.effects if effect.action == action and effect.happened]


def told(sandbox: Server, event_type: str) -> list[float]:
    """When an event was accepted by the ingress for the first time."""
    deliveries = [one for one in sandbox.station.truth.deliveries if one.event_type == event_type]
    return [one.time for one in deliveries if one.status == 200]


async def restart(pieces: Pieces, name: str) -> None:
    """Killed on the spot, and back."""
    pieces[name].kill()
    pieces[name].start()
    await ready(pieces[name])


async def test_a_gate_holds_through_the_death_of_everything_between(pieces: Pieces, sandbox: Server) -> None:
    """
    Speak, then gather behind its gate, then a playback behind the gather: nothing is sent before what it waits for has
    ended, nothing is sent twice, and what passes the line passes it.
    """
    async with Client(pieces.target, options=GRPC) as door:
        dial = {"to": "+12025559908", "from_number": "+12025550199", "connection_id": "test"}
        [leg] = (await execute(door, command(dial=dial))).result.dialed
        call = leg.call_control_id
        speak = command(call, speak={"payload": "a sentence that takes a while to say " * 8, "voice": "female"})
        gather = command(
            call,
            gather={"maximum_digits": 2, "timeout_millis": 60_000},
            start_after=START_AFTER_PREVIOUS_COMPLETED,
        )
        play = command(
            call,
            playback_start={"audio_url": "https://example.test/tone-1s.wav"},
            start_after=START_AFTER_PREVIOUS_COMPLETED,
        )
        for one in (speak, gather, play):
            await door.submit(one)
        await until(lambda: len(sent(sandbox, "speak")) == 1, "the speech to begin")
        waiting = [asyncio.create_task(execute(door, one)) for one in (speak, gather, play)]
        dtmf = await execute(door, command(call, send_dtmf={"digits": "1"}, placement=PLACEMENT_NEXT))
        for name in NAMES:
            await restart(pieces, name)
        await until(lambda: len(sent(sandbox, "gather")) == 1, "the gather to begin")
        sandbox.station.tell(lambda exchange: exchange.far_digits(exchange.find(call), "12"))
        answers = await asyncio.gather(*waiting)

        assert dtmf.result.state == STATE_SUCCEEDED
        assert [answer.result.state for answer in answers] == [STATE_SUCCEEDED] * 3
        assert [len(sent(sandbox, action)) for action in ("speak", "gather", "playback_start")] == [1, 1, 1]
        assert sent(sandbox, "gather")[0] >= told(sandbox, "call.speak.ended")[0]
        assert sent(sandbox, "playback_start")[0] >= told(sandbox, "call.gather.ended")[0]
        assert sent(sandbox, "send_dtmf")[0] <= sent(sandbox, "gather")[0]
        assert (await execute(door, command(call, hangup={}))).result.state == STATE_SUCCEEDED
