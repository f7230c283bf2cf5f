"""Dials whose answers are lost: by Cordboard, and the same job by the official SDK straight to an equal Telnyx.

    python -m tests.e2e.lost_answers --dials 1000 --seed 1

Each dial has its effect, and then its answer is a 500, is cut off in its middle, comes too late, or the connection
breaks; which of them, the seed says. Both sides have a sandbox of their own with the same faults. What truly happened
is read from GET /sandbox/effects.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import structlog
from prometheus_client import CollectorRegistry
from telnyx import APIError, AsyncTelnyx

from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.settings import Account, Grpc, Ingress, Log, Operations, Rest, Settings, Worker
from cordboard.v1 import Command
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.promises.heard import Heard, Told
from tests.promises.stage import until

TRY_SECONDS: Final = 0.8  # So long either side waits for an answer.
_TOO_LATE_MS: Final = 1_500
_AT_ONCE: Final = 16
_RESULT_SECONDS: Final = 120.0
_SETTLED_SECONDS: Final = 60.0
_FROM, _TO, _CONNECTION = "+15550100000", "+15550100001", "c"


@dataclass(frozen=True, slots=True)
class Found:
    """What became of both sides: how many dials, calls made for each, and what Cordboard said of its own."""

    dials: int
    ours: Counter[str]  # By dial: calls that were made.
    sdk_calls: int
    told: list[Told]

    def violations(self) -> Iterator[str]:
        """What must not be."""
        results = Counter(one.command_id for one in self.told if one.kind == "result")
        settled = Counter(one.command_id for one in self.told if one.kind == "settled")
        unknown = {one.command_id for one in self.told if one.kind == "result" and one.state == "UNKNOWN"}
        for name in sorted(self.ours.keys() | results.keys()):
            if self.ours[name] > 1:
                yield f"{name} was dialled {self.ours[name]} times"
            if results[name] != 1:
                yield f"{name} has {results[name]} results"
            if name in unknown and self.ours[name] and settled[name] != 1:
                yield f"{name} was UNKNOWN and rang, and was settled {settled[name]} times"
        if len(results) != self.dials:
            yield f"{len(results)} of {self.dials} dials have a result"

    def lines(self) -> Iterator[str]:
        """The comparison, for people."""
        results = Counter(f"{one.state} {one.reason}" for one in self.told if one.kind == "result")
        settled = sum(one.kind == "settled" for one in self.told)
        calls = sum(self.ours.values())
        yield f"{self.dials} dials, every answer lost"
        yield f"  Cordboard     {calls} calls, {calls / self.dials:.2f} for each dial"
        yield f"  official SDK  {self.sdk_calls} calls, {self.sdk_calls / self.dials:.2f} for each dial"
        for name, count in sorted(results.items()):
            yield f"  {count:6d}  {name.removesuffix(' unspecified')}"
        yield f"  {settled:6d}  of them UNKNOWN first, and settled by their own webhooks"


def faults(seed: int) -> list[dict[str, Any]]:
    """Every answer to a dial is lost, in ways that are drawn by the seed; the call is there each time."""
    rng = random.Random(seed)
    ways: list[tuple[float, dict[str, Any]]] = [
        (0.35, {"status": 500, "happens": True}),
        (0.4, {"cut": "after"}),
        (0.4, {"answer": "truncated"}),
        (0.2, {"answer_latency_ms": _TOO_LATE_MS}),
        (1.0, {"status": 503, "happens": True}),
    ]
    dial = {"match": {"action": "dial"}}
    return [{**dial, **way, "probability": odds, "seed": rng.randrange(1 << 30)} for odds, way in ways]


@asynccontextmanager
async def telnyx(seed: int) -> AsyncIterator[Server]:
    """A sandbox that loses its answers; calls ring for a few seconds."""
    async with Server(SandboxSettings(port=0, speed=10.0, seed=seed)) as sandbox:
        async with httpx.AsyncClient() as http:
            answer = await http.put(f"{sandbox.root_url}/sandbox/faults", json=faults(seed))
            answer.raise_for_status()
        yield sandbox


async def calls_made(sandbox: Server) -> Counter[str]:
    """By command_id ("" for none), the calls that were truly made."""
    async with httpx.AsyncClient(timeout=60) as http:
        told = (await http.get(f"{sandbox.root_url}/sandbox/effects", params={"action": "dial"})).json()
    return Counter(one["command_id"] or "" for one in told["effects"] if one["happened"])


async def by_the_sdk(dials: int, seed: int) -> int:
    """The job done with the official SDK, as it comes; how many calls were made."""
    async with telnyx(seed) as sandbox, AsyncTelnyx(api_key="key", base_url=sandbox.base_url) as client:
        hurried = client.with_options(timeout=TRY_SECONDS)

        async def one(number: int) -> None:
            with suppress(APIError):
                await hurried.calls.dial(connection_id=_CONNECTION, from_=_FROM, to=_TO)

        await _side_by_side(dials, one)
        return sum((await calls_made(sandbox)).values())


async def by_cordboard(dials: int, seed: int, directory: Path) -> tuple[Counter[str], list[Told]]:
    """The job done by Cordboard: the calls made for each dial, and what was told."""
    rng, heard = random.Random(seed), Heard()
    names = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(dials)]
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(telnyx(seed))
        desk = Desk(_settings(sandbox, directory), SystemClock(), rng, CollectorRegistry(), telnyx_is_local=True)
        await stack.enter_async_context(desk)
        client = await stack.enter_async_context(Client(f"127.0.0.1:{desk.grpc_port}"))
        watch = client.watch()
        await watch.positioned()
        watching = asyncio.create_task(_hear(watch, heard))

        async def one(number: int) -> None:
            command = Command(command_id=names[number])
            command.dial.to, command.dial.from_number, command.dial.connection_id = _TO, _FROM, _CONNECTION
            await client.execute(command, timeout=_RESULT_SECONDS)

        await _side_by_side(dials, one)
        found = Found(dials, await calls_made(sandbox), 0, heard.told)
        await until(lambda: not any(found.violations()), _SETTLED_SECONDS)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return await calls_made(sandbox), heard.told


async def _hear(watch: Any, heard: Heard) -> None:
    async with watch:
        async for response in watch:
            heard.take(response)


async def _side_by_side(dials: int, one: Callable[[int], Awaitable[None]]) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def in_its_turn(number: int) -> None:
        async with room:
            await one(number)

    await asyncio.gather(*(in_its_turn(number) for number in range(dials)))


def _settings(sandbox: Server, directory: Path) -> Settings:
    account = Account(
        api_key="key",
        base_url=sandbox.base_url,
        webhook_public_key=sandbox.public_key,
        dial_url_secret="a-secret-of-this-comparison",
    )
    return Settings(
        accounts={"main": account},
        log=Log(path=directory / "log.sqlite3", partitions=2),
        grpc=Grpc(port=0, drain_seconds=0.1),
        ingress=Ingress(port=0),
        rest=Rest(port=0),
        operations=Operations(port=0),
        worker=Worker(
            connect_timeout_seconds=TRY_SECONDS / 2,
            try_timeout_seconds=TRY_SECONDS,
            breaker_failures_max=1_000_000,  # Telnyx is there, and does what it is asked: only its answers are lost.
        ),
    )


async def compare(dials: int, seed: int, directory: Path) -> Found:
    """Both sides, one after the other."""
    ours, told = await by_cordboard(dials, seed, directory)
    return Found(dials, ours, await by_the_sdk(dials, seed), told)


def main() -> int:
    """Run and print it; 1 where something was found that must not be."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.lost_answers", description=__doc__)
    parser.add_argument("--dials", type=int, default=1_000, help="how many calls are to be made (1000)")
    parser.add_argument("--seed", type=int, default=1, help="which answers are lost how (1)")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))  # What is lost is lost on purpose.
    with tempfile.TemporaryDirectory() as directory:
        found = asyncio.run(compare(asked.dials, asked.seed, Path(directory)))
    violations = list(found.violations())
    sys.stdout.write("\n".join([*found.lines(), *(f"! {one}" for one in violations), ""]))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
