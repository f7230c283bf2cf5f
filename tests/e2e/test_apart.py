"""Every role a process of its own, on a real Kafka: calls pass through all of them, and each leaves as it says."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from cordboard.client import Client
from cordboard.v1 import CALL_STATE_ACTIVE, WAIT_FOR_COMPLETION, Command, Dial, Hangup, Speak, State
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.e2e.apart import Pieces, until

CALLS = 6  # Enough that some are the other dispatcher's.


@pytest_asyncio.fixture
async def sandbox() -> AsyncIterator[Server]:
    """A stand-in for Telnyx whose calls live ten times as fast."""
    async with Server(SandboxSettings(port=0, speed=10.0)) as server:
        yield server


@pytest_asyncio.fixture
async def pieces(tmp_path: Path, kafka_servers: str, kafka_prefix: str, sandbox: Server) -> AsyncIterator[Pieces]:
    """Two dispatchers, two workers, one ingress."""
    every = Pieces(tmp_path, kafka_servers, kafka_prefix, sandbox.base_url, sandbox.public_key)
    sandbox.settings.webhook_url = every.webhook_url
    async with every:
        yield every


async def done(door: Client, call: str = "", **action: object) -> str:
    """Have something done, to its completion; the call it was done to."""
    command = Command(command_id=str(uuid4()), call_control_id=call, **action)
    answer = await door.execute(command, wait_for=WAIT_FOR_COMPLETION, timeout=60)
    assert answer.result.state == State.STATE_SUCCEEDED, answer
    assert answer.completion.event_type, answer
    return answer.result.dialed[0].call_control_id if answer.result.dialed else call


async def dialled(door: Client) -> str:
    """A call that was dialled and answered."""
    dial = Dial(to="+12025559908", from_number="+12025550199", connection_id="test")
    return await done(door, dial=dial)


def speaks() -> Speak:
    return Speak(payload="Good morning.", voice="female", language="en-US")


@pytest.mark.timeout(400)
async def test_calls_pass_through_all_roles_and_one_of_each_may_leave(pieces: Pieces, sandbox: Server) -> None:
    """
    Any door takes commands for any call and tells of any call; whoever leaves ends what it has begun, in its time.
    """
    one, other = (Client(pieces[f"dispatcher-{number}"].places["grpc"]) for number in (1, 2))
    async with one, other:
        calls = [await dialled(one) for _ in range(CALLS)]
        for call in calls:
            await done(one, call, speak=speaks())
            assert (await other.get_call(call)).state == (await one.get_call(call)).state == CALL_STATE_ACTIVE
        owned = [await pieces.metric(f"dispatcher-{number}", "cordboard_partitions_owned") for number in (1, 2)]
        assert min(owned) > 0, owned

        # Each call has a request out whose answer is still to come, and somebody at the first door waits for it.
        for name in ("worker-1", "dispatcher-1"):
            async with under_way(one, calls, sandbox):
                await leaves(pieces, name)
        for call in calls:
            await done(other, call, hangup=Hangup())
    for name in ("ingress", "dispatcher-2", "worker-2"):
        await leaves(pieces, name)

    assert happened(sandbox) == {"dial": CALLS, "speak": 3 * CALLS, "hangup": CALLS}


@asynccontextmanager
async def under_way(door: Client, calls: Sequence[str], sandbox: Server) -> AsyncIterator[None]:
    """A command of every call is at Telnyx while the block begins; each is answered, and was sent once."""
    sandbox.station.faults.set([{"on": "request", "match": {"action": "speak"}, "answer_latency_ms": 1_500}])
    before = happened(sandbox)["speak"]
    commands = [Command(command_id=str(uuid4()), call_control_id=call, speak=speaks()) for call in calls]
    waiting = [asyncio.create_task(door.execute(command, timeout=60)) for command in commands]
    await until(lambda: happened(sandbox)["speak"] == before + len(calls), "every request to be out")
    yield
    results = [answer.result for answer in await asyncio.gather(*waiting)]
    assert [(result.state, result.attempts) for result in results] == [(State.STATE_SUCCEEDED, 1)] * len(calls)
    sandbox.station.faults.set([])


def happened(sandbox: Server) -> Counter[str]:
    """How often what was done, in truth."""
    return Counter(effect.action for effect in sandbox.station.truth.effects if effect.action != "retrieve")


async def leaves(pieces: Pieces, name: str) -> None:
    """A process stops when it is asked to, as well and as soon as it says, and complains of nothing."""
    assert await pieces[name].stop() == 0, pieces[name].output
    stopping, stopped = pieces[name].said("stopping"), pieces[name].said("stopped")
    assert stopped["seconds"] <= stopping["stop_seconds"] == 15
    assert "Traceback" not in pieces[name].output
