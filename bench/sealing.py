"""What sealing costs: CPU of a value, and of what a dispatcher does with the log for a command, in pairs.

Run by `python -m bench.sealing`. CPU is counted, not time, because machines are shared; plain and sealed take turns, so
that both meet the same machine.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import Claim, Log, NewRecord, TopicPartition
from cordboard.log.sealed import SealedLog
from cordboard.log.sealing import Key, Sealing, place
from cordboard.topics import Topics
from cordboard.work import Lane

TOPICS = Topics()
SPECS = TOPICS.specs(["main"], 1)
WORK = TOPICS.work("main", Lane.ACTION)
ROUNDS, COMMANDS = 25, 400
PAGE, RECORD = os.urandom(700), os.urandom(400)


def of_a_value(size: int, count: int = 20_000) -> tuple[float, float]:
    """Microseconds of CPU to seal and to open one."""
    sealing, at, value = Sealing(lambda: [Key("k", os.urandom(32))]), place(WORK, b"v3:call"), os.urandom(size)
    sealed = sealing.seal(at, value)
    return _each(count, lambda: sealing.seal(at, value)), _each(count, lambda: sealing.open(at, sealed))


def _each(count: int, work: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - began) / count * 1e6


async def of_commands(log: Log, claim: Claim, offset: int) -> float:
    """Microseconds of CPU for a command's writes and reads: in, a page and work, an outcome, a page and a result."""
    at = TopicPartition(TOPICS.commands, 0)
    began = time.process_time()
    for first in range(0, COMMANDS, 20):  # So many share a settle.
        keys = [f"v3:{offset + first + n}" for n in range(20)]
        for topic, answer in ((TOPICS.commands, WORK), (TOPICS.outcomes, TOPICS.results)):
            await log.append([NewRecord(topic, key.encode(), RECORD, (), 0) for key in keys])
            outputs = [NewRecord(answer, key.encode(), RECORD, (), 0) for key in keys]
            await log.settle(claim, [(key, PAGE) for key in keys], outputs, {topic: 1})
    for topic in (TOPICS.commands, WORK, TOPICS.outcomes, TOPICS.results):
        at = TopicPartition(topic, 0)
        reader = log.reader({at: await log.end(at) - COMMANDS})
        left = COMMANDS
        while left:
            left -= len(await reader.read(5.0))
        await reader.close()
    return (time.process_time() - began) / COMMANDS * 1e6


async def pairs(folder: Path) -> list[tuple[float, float]]:
    """Plain and sealed, one after the other, each on a log of its own."""
    plain, inner = [
        await EmbeddedLog.open(folder / name, SPECS, 1, SystemClock(), TOPICS.inputs) for name in ("plain", "sealed")
    ]
    names = [spec.name for spec in SPECS]
    sealed = SealedLog(inner, Sealing(lambda: [Key("k", os.urandom(32))]), names, TOPICS.ledger)
    claims = [(log, await log.claim(0)) for log in (plain, sealed)]
    found = []
    for number in range(ROUNDS):
        one, other = [await of_commands(log, claim, number * COMMANDS) for log, claim in claims]
        found.append((one, other))
    for log, _ in claims:
        await log.close()
    return found


def main() -> None:
    """Measure, and say it."""
    for size in (300, 2_000, 20_000):
        seal, opened = of_a_value(size)
        print(f"a value of {size:>6} bytes: sealed in {seal:.1f} us, opened in {opened:.1f} us of CPU")
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(pairs(Path(folder)))
    plain, more = statistics.median(one for one, _ in found), statistics.median(other - one for one, other in found)
    print(f"a command's writes and reads of the embedded log: {plain:.0f} us of CPU plain, {more:+.0f} us sealed")
    print(f"(medians of {len(found)} pairs; differences from {min(b - a for a, b in found):+.0f} to ", end="")
    print(f"{max(b - a for a, b in found):+.0f} us)")


if __name__ == "__main__":
    main()
