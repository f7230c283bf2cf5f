"""A rolling restart of everything under load: each dispatcher, worker, ingress and broker, as an operator would do it.

    python -m tests.e2e.rolling --seed 1 [--of COMMIT]

With `--of` everything begins as the program of that commit and is restarted as the present one: a rolling upgrade.
Each is asked to stop, started again, and waited for until it is ready, before the next one. The same checker judges;
and how long commands waited is said for each step, beside the same for a while without restarts.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from brokers.node import Node
from tests.e2e.apart import NAMES, ready
from tests.e2e.keeping import in_rounds, say
from tests.e2e.load import Traffic, zipf
from tests.e2e.process import Process
from tests.e2e.replicas import Replicas
from tests.e2e.stage import PARTITIONS, Stage
from tests.e2e.stalls import Wait, longest, median_ms, waits
from tests.e2e.striking import stopped
from tests.e2e.trial import Summary
from tests.releases.keep import tree_of

_TRAFFIC: Final = Traffic(8.0, zipf)
QUIET_SECONDS: Final = 20.0
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was restarted, or `nothing`; Unix milliseconds, until it was ready again."""

    name: str
    begin_ms: int
    end_ms: int

    def __str__(self) -> str:
        return f"restart of {self.name}, {(self.end_ms - self.begin_ms) / 1000:.1f} s"


async def rolling(
    folder: Path, seed: int, tell: Callable[[str], None], quiet_seconds: float = QUIET_SECONDS, of: str = ""
) -> Summary:
    """Restart all of it once, and conclude; says how long commands waited."""
    more = {"PYTHONPATH": str(tree_of(of, folder / "before"))} if of else {}
    async with Stage(folder, seed, _TRAFFIC, tell, more) as stage:
        replicas = Replicas(stage.cluster.bootstrap_servers)
        await asyncio.sleep(quiet_seconds / 2)  # Until everything is warm.
        restarts = [
            ("nothing", partial(asyncio.sleep, quiet_seconds)),
            *((name, partial(_restart, stage.pieces[name])) for name in NAMES),
            *((f"broker {node.number}", partial(_restart_broker, node, replicas)) for node in stage.cluster.nodes),
            ("nothing more", partial(asyncio.sleep, quiet_seconds / 2)),
        ]
        steps = [await _step(stage, name, restart) for name, restart in restarts]
        summary = await stage.conclude(steps)
        found = list(waits(stage.records.by_topic, stage.topics, PARTITIONS))
        for line in report(steps, found):
            tell(line)
        return summary


async def _step(stage: Stage, name: str, restart: Callable[[], Awaitable[None]]) -> Step:
    begin_ms = _now_ms()
    await restart()
    stage.trial.tell(f"restarted {name}")
    return Step(name, begin_ms, _now_ms())


async def _restart(piece: Process) -> None:
    await stopped(piece)
    piece.runs(None)
    piece.start()
    await ready(piece)


async def _restart_broker(node: Node, replicas: Replicas) -> None:
    await asyncio.to_thread(node.stop)
    await asyncio.to_thread(node.restart)
    await replicas.in_sync()


def report(steps: list[Step], found: list[Wait]) -> list[str]:
    """For each step the median and the longest waits of the commands that were accepted while it lasted."""
    told = []
    for step in steps:
        top = longest(found, step.begin_ms, step.end_ms, _SHOWN)
        median = median_ms(found, step.begin_ms, step.end_ms)
        told.append(f"{step}: median {median} ms, longest:")
        told += [f"    {wait}" for wait in top]
    return told


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def main() -> int:
    """One rolling restart. The exit status is 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description="Restart Cordboard's processes and brokers in turn, under load.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--of", default="", metavar="COMMIT")
    wanted = parser.parse_args()

    def one(folder: Path, seed: int, _: int) -> Summary:
        return asyncio.run(rolling(folder, seed, say, of=wanted.of))

    return in_rounds("rolling", one, wanted.seed, 1, 1)


if __name__ == "__main__":
    sys.exit(main())
