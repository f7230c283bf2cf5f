"""Measuring kinds in turns, round by round, and holding each measurement against what really happened."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec

from bench import processes, report
from bench.cells import Cell, Measured, Place
from bench.plan import Kind, cell_of, kinds
from bench.truth import Faulty, Sandbox, Truth


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, file=sys.stderr, flush=True)


class Measuring:
    """Measures on what is running, with a load process for each system. `truths` judge the systems of their name."""

    def __init__(self, place: Place, folder: Path, sandbox: Sandbox, truths: Mapping[str, Truth] | None = None) -> None:
        self._sandbox = sandbox
        self._truths = dict(truths or {})
        self._place = folder / "place.json"
        self._place.write_bytes(msgspec.json.encode(place))
        self._stack = AsyncExitStack()
        self._loads: dict[str, processes.Load] = {}
        self._cells = 0
        self.measured: dict[Kind, list[tuple[Measured, Faulty]]] = defaultdict(list)
        self.failures: list[str] = []

    async def __aenter__(self) -> Measuring:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def measure(self, every: Sequence[Kind], rounds: int) -> list[dict[str, Any]]:
        """Measure each kind so many times; a row for each."""
        await self._load(kind.system for kind in every)
        for number, kind in enumerate(kinds(every, rounds), 1):
            await self._measure(kind, f"{number:3}/{rounds * len(every)}")
        return [report.row(kind, self.measured[kind]) for kind in every]

    async def warm_up(self, kind: Kind, times: int) -> None:
        """Measure it so many times, and remember only what goes wrong."""
        await self._load([kind.system])
        for number in range(1, times + 1):
            await self._measure(kind, f"warming up {number}/{times}")
        self.measured.pop(kind, None)

    async def _load(self, systems: Iterable[str]) -> None:
        for system in systems:
            if system not in self._loads:
                self._loads[system] = await self._stack.enter_async_context(processes.load(self._place))

    async def _measure(self, kind: Kind, progress: str) -> None:
        self._cells += 1
        truth = self._truths.get(kind.system, self._sandbox)
        await self._sandbox.set_latency(0)
        cell = cell_of(self._cells, kind, await truth.make_calls(kind.calls))
        await self._sandbox.set_latency(kind.provider_ms)
        measured = await self._loads[kind.system].measure(cell)
        self._keep(kind, cell, measured, await truth.check(cell, measured))
        rate = measured.count / measured.seconds
        say(
            f"{progress}  {kind.system:29} {kind.in_flight:3} in flight, "
            f"{kind.provider_ms:2} ms, {kind.calls:3} calls: {rate:7.0f}/s, p50 {measured.p50_ms:6.1f} ms"
        )

    def _keep(self, kind: Kind, cell: Cell, measured: Measured, faulty: Faulty) -> None:
        self.measured[kind].append((measured, faulty))
        self.failures += [f"{kind.system}: {failure}" for failure in measured.failures]
        if faulty:
            self.failures.append(f"{kind.system}, measurement {cell.number}: {faulty}")
