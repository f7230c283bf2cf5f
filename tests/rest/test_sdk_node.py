"""The official SDK for Node, unchanged but for its base URL: 28 of 28, with the effects that it has without us.

It is installed from its registry at the first run, into `build/`. Without Node, or without a registry to be reached,
these tests are skipped.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.samples import MINIMAL, Sample
from tests.contract.test_sdk import METHODS
from tests.promises.stage import ANSWERS_AT_ONCE, OWN_NUMBER, Stage, until
from tests.rest.sdk import Send, World
from tests.rest.test_sdk_python import FAULTS, direct, through_cordboard

VERSION = "7.24.0"
PLACE = Path(__file__).parents[2] / "build" / "node"
SCRIPT = Path(__file__).with_name("sdk.mjs")
DIAL = {"connection_id": "c", "from": OWN_NUMBER, "to": ANSWERS_AT_ONCE}


@pytest.fixture(scope="session")
def installed() -> Path:
    """Where the SDK is; one process at a time looks, and installs it where it is missing."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node is not on this machine")
    PLACE.mkdir(parents=True, exist_ok=True)
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        package = PLACE / "node_modules" / "telnyx" / "package.json"
        if not package.exists() or json.loads(package.read_text())["version"] != VERSION:
            quiet = ["--no-audit", "--no-fund", "--no-save", "--no-package-lock"]
            command = [npm, "install", *quiet, "--prefix", str(PLACE), f"telnyx@{VERSION}"]
            ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
            if ended.returncode:
                pytest.skip(f"npm could not install the SDK: {ended.stderr.strip().splitlines()[-1:]}")
    return PLACE


class Node:
    """A process of Node's that makes calls, one at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, base_url: str, method: str, *args: Any, **options: Any) -> dict[str, Any]:
        """Call a method of the SDK; gives its data, or the error."""
        asked = {"base_url": base_url, "options": options, "method": method, "args": args}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        line = await self._process.stdout.readline()
        assert line, "node has ended"
        told: dict[str, Any] = json.loads(line)
        return told

    def sdk(self, world: World) -> Send:
        """Sends samples."""

        async def send(sample: Sample, call: str, body: dict[str, Any]) -> Any:
            if sample.name == "dial":
                return (await self.ask(world.base_url, "dial", body))["data"]
            given = dict(body)
            if sample.name == "bridge":  # Two call ids: the SDK names that of the body otherwise.
                given["call_control_id_to_bridge_with"] = given.pop("call_control_id")
            return (await self.ask(world.base_url, method_of(sample.name), call, given))["data"]

        return send


def method_of(action: str) -> str:
    """What the SDK calls an action: as the one for Python does, in its own spelling."""
    name = METHODS.get(action, action)
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


@asynccontextmanager
async def node(place: Path) -> AsyncIterator[Node]:
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), str(place), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Node(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def test_all_twenty_eight_have_the_same_effects(installed: Path, tmp_path: Path):
    """
    Command by command: what the caller is told, what Telnyx was asked, and what it did.
    """
    async with node(installed) as sdk:
        async with direct() as world:
            expected = await world.run(sdk.sdk(world))
        async with through_cordboard(tmp_path) as world:
            found = await world.run(sdk.sdk(world))
            call = world.call()
            status = await sdk.ask(world.base_url, "retrieveStatus", call)

    assert len(found) == len(MINIMAL) == 28
    for name, came in expected.items():
        assert found[name] == came, name
    assert all(one[3] for came in found.values() for one in came.requests)  # Each one happened.
    assert status["data"]["call_control_id"] == call


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_where_the_bare_sdk_dials_three_times_it_dials_once(
    installed: Path, tmp_path: Path, fault: dict[str, Any]
):
    """
    Every answer to a dial is lost, and the call is there each time.
    """
    calls = []
    async with node(installed) as sdk:
        for world_of in (direct(), through_cordboard(tmp_path)):
            async with world_of as world:
                world.sandbox.station.faults.set([{"match": {"action": "dial"}, **fault}])
                told = await sdk.ask(world.base_url, "dial", DIAL)
                dials = [one for one in world.sandbox.station.truth.effects if one.action == "dial" and one.happened]
                calls.append(len(dials))

    assert told["status"] == 504
    assert calls[1] == 1
    assert calls[0] == (1 if "answer" in fault else 3)  # Half an answer is an error at once to this SDK.


async def test_the_sdks_own_retry_is_known(installed: Path, tmp_path: Path):
    """
    The SDK loses patience before it said that it would, and asks again by itself: it is told of the first call.
    """
    async with node(installed) as sdk, Stage(tmp_path) as stage:
        stage.faults({"match": {"action": "dial"}, "answer_latency_ms": 1_500, "times": 1})
        hidden = {"x-stainless-timeout": "30"}
        told = await sdk.ask(f"{stage.rest_url}/v2", "dial", DIAL, timeout=700, defaultHeaders=hidden)
        (effect,) = (one for one in stage.effects() if one.action == "dial")

    assert told["data"]["call_control_id"] == effect.call_control_id


async def test_the_sdk_can_be_told_to_give_each_request_a_key(installed: Path, tmp_path: Path):
    """
    By the line in docs/rest.md: then any process knows the retry.
    """
    async with node(installed) as sdk, Stage(tmp_path) as stage:
        for _ in range(2):
            await sdk.ask(f"{stage.rest_url}/v2", "dial", DIAL, idempotencyHeader="Idempotency-Key")
        assert await until(lambda: len(stage.heard.told) == 2)
        names = {one.command_id for one in stage.heard.told}

    assert len(names) == 2
    assert all(name.startswith("key:stainless-node-retry-") for name in names)
