"""`make bench`: the whole loop beside the official SDK, in one run. Exit status 0 only if every promise held."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from bench import processes, quiet, report
from bench.cells import SYSTEMS, Cell, Measured, Place
from bench.plan import KINDS, Kind, cell_of, kinds
from bench.truth import Faulty, Sandbox

_ROUNDS: Final = 3
_QUIET_CALLS: Final = 20_000


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Bench:
    """One run, in a folder of its own."""

    def __init__(self, folder: Path, rounds: int, quiet_calls: int) -> None:
        self._folder = folder
        self._rounds = rounds
        self._quiet_calls = quiet_calls
        self._measured: dict[Kind, list[tuple[Measured, Faulty]]] = defaultdict(list)
        self._failures: list[str] = []

    async def run(self) -> dict[str, Any]:
        """Measure everything."""
        machine = report.machine()
        await self._throughput()
        rows = [report.row(kind, self._measured[kind]) for kind in KINDS]
        told = {"rows": rows, "ratios": report.ratios(self._measured), "machine": machine}
        if self._quiet_calls:
            told["quiet_call"] = await self._quiet()
        return {**told, "failures": self._failures}

    async def _throughput(self) -> None:
        async with AsyncExitStack() as stack:
            url, sandbox_pid = await stack.enter_async_context(processes.sandbox())
            target, pid = await stack.enter_async_context(processes.cordboard(self._folder / "loop", url))
            sandbox = await stack.enter_async_context(Sandbox(url))
            place = self._place(url, target, {"cordboard": pid, "sandbox": sandbox_pid})
            loads = {system: await stack.enter_async_context(processes.load(place)) for system in SYSTEMS}
            for number, kind in kinds(self._rounds):
                await sandbox.set_latency(0)
                cell = cell_of(number, kind, await sandbox.make_calls(kind.calls))
                await sandbox.set_latency(kind.provider_ms)
                measured = await loads[kind.system].measure(cell)
                self._keep(kind, cell, measured, await sandbox.check(cell, measured))

    def _place(self, url: str, target: str, pids: dict[str, int]) -> Path:
        path = self._folder / "place.json"
        path.write_bytes(msgspec.json.encode(Place(f"{url}/v2", target, pids)))
        return path

    def _keep(self, kind: Kind, cell: Cell, measured: Measured, faulty: Faulty) -> None:
        self._measured[kind].append((measured, faulty))
        self._failures += [f"{kind.system}: {failure}" for failure in measured.failures]
        if faulty:
            self._failures.append(f"{kind.system}: {faulty}")
        rate = measured.count / measured.seconds
        _say(
            f"{cell.number:3}/{self._rounds * len(KINDS)}  {kind.system:24} {kind.in_flight:3} in flight, "
            f"{kind.provider_ms:2} ms, {kind.calls:3} calls: {rate:7.0f}/s, p50 {measured.p50_ms:6.1f} ms"
        )

    async def _quiet(self) -> dict[str, Any]:
        _say(f"{self._quiet_calls} quiet calls")
        async with processes.sandbox() as (url, _):
            samples = self._folder / "loop" / processes.LOG
            return await quiet.weigh(self._folder / "quiet", samples, url, self._quiet_calls)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="The whole loop beside the official SDK.")
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--quiet-calls", type=int, default=_QUIET_CALLS, help="0: none are weighed")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"))
    return parser.parse_args()


def _main() -> int:
    given = _arguments()
    given.json.parent.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    # Beside the result, on a real disk: a temporary folder may be memory, whose fsync costs nothing.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.json.parent.absolute()) as folder:
        told = asyncio.run(Bench(Path(folder), given.rounds, given.quiet_calls).run())
    given.json.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")
    print(report.table(told["rows"]))
    for name, value in {**told["ratios"], **told.get("quiet_call", {})}.items():
        print(f"{name}: {value}")
    _say(f"{time.perf_counter() - started:.0f} s; all of it is in {given.json}")
    for failure in told["failures"]:
        _say(f"FAILED: {failure}")
    return 1 if told["failures"] else 0


if __name__ == "__main__":
    sys.exit(_main())
