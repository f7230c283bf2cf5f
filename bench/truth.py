"""What really happened, held against what was sent: as the sandbox tells it, which also has the calls to be used."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final, Protocol, Self

import aiohttp
import msgspec

from bench.cells import Cell, Measured, place_of

_AT_ONCE: Final = 32


class Faulty(msgspec.Struct, frozen=True):
    """How often a promise was broken: commands that did not happen, came behind a later one, happened twice."""

    lost: int = 0
    reordered: int = 0
    doubled: int = 0

    def __bool__(self) -> bool:
        return bool(self.lost or self.reordered or self.doubled)

    def __add__(self, other: Faulty) -> Faulty:
        return Faulty(self.lost + other.lost, self.reordered + other.reordered, self.doubled + other.doubled)


def judge(cell: Cell, sent: list[int], happened: Iterable[tuple[str, str]]) -> Faulty:
    """Compare what was sent, by call, with what happened: (call, command id) in the order of the effects."""
    seen: dict[int, list[int]] = defaultdict(list)
    for call_control_id, command_id in happened:
        number, call, sequence = place_of(command_id)
        assert number == cell.number, "a command of another measurement came late"
        assert cell.calls[call] == call_control_id, "a command reached another call"
        seen[call].append(sequence)
    every = [seen[call] for call in range(len(sent))]
    return Faulty(
        lost=sum(count - len(set(done)) for count, done in zip(sent, every, strict=True)),
        reordered=sum(sum(later < earlier for earlier, later in itertools.pairwise(done)) for done in every),
        doubled=sum(len(done) - len(set(done)) for done in every),
    )


class Truth(Protocol):
    """Knows what really happened."""

    async def make_calls(self, count: int) -> list[str]:
        """So many calls that nothing was done to; `check` will look at what happens from here on."""

    async def check(self, cell: Cell, measured: Measured) -> Faulty:
        """Say whether what a cell sent has happened, all of it, in order and once."""


class Sandbox:
    """A client of the sandbox's own routes."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._seen = 0
        self._session = aiohttp.ClientSession(headers={"authorization": "Bearer bench"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def make_calls(self, count: int) -> list[str]:
        """So many answered calls; `check` will look at what happens from here on."""
        slots = asyncio.Semaphore(_AT_ONCE)

        async def make() -> str:
            async with slots:
                made = await self._ask("POST", "/sandbox/calls", {"from": "+15550100000", "to": "+15550100001"})
                call: str = made["call_control_id"]
                await self._ask("POST", f"/v2/calls/{call}/actions/answer", {})
                return call

        calls = await asyncio.gather(*(make() for _ in range(count)))
        self._seen = (await self._ask("GET", f"/sandbox/effects?since={1 << 60}"))["seen"]
        return calls

    async def set_latency(self, milliseconds: int) -> None:
        """Let every command take so long."""
        await self._ask("PUT", "/sandbox/faults", [{"latency_ms": milliseconds}] if milliseconds else [])

    async def check(self, cell: Cell, measured: Measured) -> Faulty:
        """Say whether what a cell sent has happened, all of it, in order and once."""
        told = await self._ask("GET", f"/sandbox/effects?since={self._seen}")
        assert told["seen"] - self._seen == len(told["effects"]), "the sandbox has forgotten effects"
        self._seen = told["seen"]
        happened = [(one["call_control_id"], one["command_id"]) for one in told["effects"] if one["happened"]]
        return judge(cell, measured.sent, happened)

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        async with self._session.request(method, self._url + path, json=body) as answer:
            answer.raise_for_status()
            return msgspec.json.decode(await answer.read())
