"""The official SDK for Python, unchanged but for its base URL: 28 of 28, with the effects that it has without us.

What does differ, does so on purpose: a request carries a command_id, a dial the address for its webhooks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import telnyx

from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.contract.samples import MINIMAL, Sample
from tests.contract.test_sdk import sdk_call
from tests.promises.stage import ANSWERS_AT_ONCE, OWN_NUMBER, Stage
from tests.rest.sdk import Came, Send, World

DIAL = {"connection_id": "c", "from_": OWN_NUMBER, "to": ANSWERS_AT_ONCE}


@asynccontextmanager
async def direct() -> AsyncIterator[World]:
    """The sandbox itself."""
    async with Server(SandboxSettings(port=0, speed=20.0, quiet=True)) as sandbox:
        yield World(sandbox.base_url, sandbox)


@asynccontextmanager
async def through_cordboard(directory: Path) -> AsyncIterator[World]:
    """Cordboard, and the sandbox behind it."""
    async with Stage(directory) as stage:
        yield World(f"{stage.rest_url}/v2", stage.sandbox)


def data_of(answer: Any) -> Any:
    return answer.data.model_dump(exclude_unset=True, mode="json")


def sync_sdk(world: World) -> Send:
    """The client that blocks, in a thread."""

    async def send(sample: Sample, call: str, body: dict[str, Any]) -> Any:
        def ask() -> Any:
            with telnyx.Telnyx(api_key="key", base_url=world.base_url) as client:
                return data_of(sdk_call(sample, body, call)(client))

        return await asyncio.to_thread(ask)

    return send


def async_sdk(world: World, **options: Any) -> Send:
    """The asynchronous client."""

    async def send(sample: Sample, call: str, body: dict[str, Any]) -> Any:
        made = {name: make() for name, make in options.items()}
        async with telnyx.AsyncTelnyx(api_key="key", base_url=world.base_url, **made) as client:
            return data_of(await sdk_call(sample, body, call)(client))

    return send


def aiohttp_sdk(world: World) -> Send:
    """The same on aiohttp, its extra."""
    return async_sdk(world, http_client=telnyx.DefaultAioHttpClient)


@pytest.mark.parametrize("sdk", [sync_sdk, async_sdk, aiohttp_sdk], ids=["sync", "async", "aiohttp"])
async def test_all_twenty_eight_have_the_same_effects(tmp_path: Path, sdk: Callable[[World], Send]):
    """
    Command by command: what the caller is told, what Telnyx was asked, and what it did.
    """
    async with direct() as world:
        expected = await world.run(sdk(world))
    async with through_cordboard(tmp_path) as world:
        found = await world.run(sdk(world))

    assert len(found) == len(MINIMAL) == 28
    for name, came in expected.items():
        assert found[name] == came, name
    assert all(one[3] for came in found.values() for one in came.requests)  # Each one happened.
    assert isinstance(found["dial"], Came)
    assert found["dial"].answer["call_control_id"] == "named"


async def test_a_call_can_be_retrieved(tmp_path: Path):
    """
    The one question of this API.
    """
    async with through_cordboard(tmp_path) as world:
        call = world.call()
        async with telnyx.AsyncTelnyx(api_key="key", base_url=world.base_url) as client:
            status = await client.calls.retrieve_status(call)

    assert status.data is not None
    assert (status.data.call_control_id, status.data.is_alive) == (call, True)


async def test_errors_are_the_sdks_own(tmp_path: Path):
    """
    By status, with Telnyx's body in them.
    """
    async with through_cordboard(tmp_path) as world:
        async with telnyx.AsyncTelnyx(api_key="key", base_url=world.base_url) as client:
            with pytest.raises(telnyx.UnprocessableEntityError) as unknown:
                await client.calls.actions.hangup("v3:nobody")
        async with telnyx.AsyncTelnyx(api_key="nobody's", base_url=world.base_url) as client:
            with pytest.raises(telnyx.AuthenticationError):
                await client.calls.actions.hangup("v3:nobody")

    body: Any = unknown.value.body
    assert body["errors"][0]["code"] == "90015"


FAULTS: dict[str, dict[str, Any]] = {
    "a 500 each time": {"status": 500, "happens": True},
    "a connection cut each time": {"cut": "after"},
    "half an answer each time": {"answer": "truncated"},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_where_the_bare_sdk_dials_three_times_it_dials_once(tmp_path: Path, fault: dict[str, Any]):
    """
    Every answer to a dial is lost, and the call is there each time.
    """
    calls = []
    for world_of in (direct(), through_cordboard(tmp_path)):
        async with world_of as world:
            world.sandbox.station.faults.set([{"match": {"action": "dial"}, **fault}])
            async with telnyx.AsyncTelnyx(api_key="key", base_url=world.base_url) as client:
                with pytest.raises(telnyx.APIError):
                    await client.calls.dial(**DIAL)
            dials = [one for one in world.sandbox.station.truth.effects if one.action == "dial" and one.happened]
            calls.append(len(dials))

    assert calls == [3, 1]


async def test_the_sdk_can_be_told_to_give_each_request_a_key(tmp_path: Path):
    """
    By the line in docs/rest.md: then any process knows the retry.
    """
    async with Stage(tmp_path) as stage, telnyx.AsyncTelnyx(api_key="key", base_url=f"{stage.rest_url}/v2") as client:
        client._idempotency_header = "Idempotency-Key"
        answers = [await client.calls.with_raw_response.dial(**DIAL) for _ in range(2)]

    names = [one.headers["x-cordboard-command-id"] for one in answers]
    assert all(name.startswith("key:stainless-python-retry-") for name in names)
    assert names[0] != names[1]


async def test_the_sdks_own_retry_is_known(tmp_path: Path):
    """
    Telnyx answers after the SDK has lost patience with us: it asks again by itself, and is told of the first call.
    """
    async with Stage(tmp_path) as stage:
        stage.faults({"match": {"action": "dial"}, "answer_latency_ms": 1_500, "times": 1})
        async with telnyx.AsyncTelnyx(api_key="key", base_url=f"{stage.rest_url}/v2", timeout=0.7) as sdk:
            # A patience that it does not tell: the door cannot answer in time.
            hidden = {"x-stainless-read-timeout": "30"}
            answer = await sdk.calls.dial(**DIAL, extra_headers=hidden)
        (effect,) = (one for one in stage.effects() if one.action == "dial")

    assert answer.data.call_control_id == effect.call_control_id
