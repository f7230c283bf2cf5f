"""A process that writes to an embedded log until it is killed, and says on stdout what was acknowledged.

Usage: killed_writer.py PATH. Lines: `ready`, `append <partition> <offset> <value>`, `settle <n>`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import NewRecord
from tests.log.kinds import COMMANDS, INPUTS, PARTITIONS, RESULTS, TOPICS


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def append(log: EmbeddedLog, name: int) -> None:
    for n in range(1_000_000):
        value = f"{name}-{n}"
        [place] = await log.append([NewRecord(COMMANDS, value.encode(), value.encode() * 20)])
        say(f"append {place.partition} {place.offset} {value}")


async def settle(log: EmbeddedLog) -> None:
    claim = await log.claim(0)
    for n in range(claim.positions[COMMANDS] + 1, 1_000_000):
        value = str(n).encode()
        await log.settle(
            claim, [("a", value), (f"b-{n % 50}", value * 100)], [NewRecord(RESULTS, b"a", value, (), 0)], {COMMANDS: n}
        )
        say(f"settle {n}")


async def main(path: Path) -> None:
    log = await EmbeddedLog.open(path, TOPICS, PARTITIONS, SystemClock(), INPUTS)
    say("ready")
    await asyncio.gather(settle(log), *(append(log, name) for name in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
