"""`python -m bench.load PLACE`: a load process. Reads cells from its standard input, and writes what came of each.

One process for each system, alive for the whole run and idle while others are measured: so its interpreter, its
connections and its caches are warm, and its CPU time is its own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import uvloop

from bench.cells import Cell, Measured, Place, command_id
from bench.senders import SENDERS, Sender

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_FAILURES_SHOWN = 5


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used, user and system (seconds, in steps of 10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND


class Run:
    """One cell under way."""

    def __init__(self, cell: Cell, place: Place, sender: Sender) -> None:
        self._cell = cell
        self._pids = place.pids
        self._sender = sender
        self._taken = 0
        self._deadline = float("inf")
        self._sent = [0] * len(cell.calls)
        self._seconds: list[float] = []
        self._failures: list[str] = []

    async def measure(self) -> Measured:
        """Warm up, then measure until the count or the time is used up. Returns when nothing is in flight."""
        await self._send_all(self._cell.warm_up)
        self._seconds.clear()
        before, started = self._cpu(), time.perf_counter()
        self._deadline = started + self._cell.seconds_max
        await self._send_all(self._cell.count_max)
        seconds, after = time.perf_counter() - started, self._cpu()
        took = sorted(self._seconds)
        return Measured(
            sent=self._sent,
            count=len(took),
            seconds=seconds,
            p50_ms=took[len(took) // 2] * 1000,
            p99_ms=took[len(took) * 99 // 100] * 1000,
            cpu_seconds={name: after[name] - before[name] for name in after},
            failures=self._failures[:_FAILURES_SHOWN],
        )

    async def _send_all(self, count: int) -> None:
        self._left = count
        shared = itertools.cycle(range(len(self._cell.calls)))
        async with asyncio.TaskGroup() as group:
            for number in range(self._cell.in_flight):
                # Who must wait for an answer before it sends the next command of a call has its calls for itself.
                own = itertools.cycle(range(number, len(self._cell.calls), self._cell.in_flight))
                group.create_task(self._send_some(shared if self._sender.keeps_order else own))

    async def _send_some(self, calls: Iterator[int]) -> None:
        while self._left > 0 and time.perf_counter() < self._deadline:
            self._left -= 1
            call = next(calls)
            sequence = self._sent[call]
            self._sent[call] += 1
            started = time.perf_counter()
            wrong = await self._sender.send(self._cell.calls[call], command_id(self._cell.number, call, sequence))
            self._seconds.append(time.perf_counter() - started)
            if wrong:
                self._failures.append(wrong)

    def _cpu(self) -> dict[str, float]:
        own = resource.getrusage(resource.RUSAGE_SELF)
        every = {name: cpu_seconds(pid) for name, pid in self._pids.items()}
        return {**every, "load": own.ru_utime + own.ru_stime}


async def serve(place: Place) -> None:
    """Measure cell after cell, until there are no more."""
    loop = asyncio.get_running_loop()
    senders: dict[str, Sender] = {}
    async with AsyncExitStack() as stack:
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            cell = msgspec.json.decode(line, type=Cell)
            if cell.system not in senders:
                senders[cell.system] = await stack.enter_async_context(SENDERS[cell.system](place))
            measured = await Run(cell, place, senders[cell.system]).measure()
            print(msgspec.json.encode(measured).decode(), flush=True)


if __name__ == "__main__":
    uvloop.run(serve(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Place)))
