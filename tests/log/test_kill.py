"""The embedded log under kill -9: what a writer was told is what the next process finds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import LogInUse, TopicPartition
from tests.log.kinds import COMMANDS, INPUTS, PARTITIONS, RESULTS, TOPICS

ROOT = Path(__file__).parents[2]


async def opened(path: Path) -> EmbeddedLog:
    return await EmbeddedLog.open(path, TOPICS, PARTITIONS, SystemClock(), INPUTS)


def writer(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.log.killed_writer", str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def acknowledged(process: subprocess.Popen[str], lines: int) -> Iterator[list[str]]:
    """What the process says up to a number of lines, when it is killed, and what it had said by then."""
    assert process.stdout is not None
    with process:
        for number, line in enumerate(process.stdout):
            if number == lines:
                process.kill()
            if line.endswith("\n"):  # The last one may have been cut off.
                yield line.split()


async def values(log: EmbeddedLog, at: TopicPartition) -> dict[int, bytes]:
    reader = log.reader({at: 0})
    found: dict[int, bytes] = {}
    while records := await reader.read(0):
        found |= {record.offset: record.value for record in records}
    await reader.close()
    return found


@pytest.mark.parametrize("seed", range(5))
async def test_everything_acknowledged_survives_kill_9(tmp_path: Path, seed: int) -> None:
    """
    Killed at a random moment, three times over: no acknowledged record or settle is missing, and none is half there.
    """
    random = Random(seed)
    told: dict[tuple[int, int], bytes] = {}
    settled = 0
    for _ in range(3):
        for verb, *facts in acknowledged(writer(tmp_path / "log.db"), random.randrange(1, 1_500)):
            if verb == "append":
                told[int(facts[0]), int(facts[1])] = facts[2].encode() * 20
            else:
                settled = int(facts[0])

    log = await opened(tmp_path / "log.db")
    found = {
        (partition, offset): value
        for partition in range(PARTITIONS)
        for offset, value in (await values(log, TopicPartition(COMMANDS, partition))).items()
    }
    assert told.items() <= found.items()
    claim = await log.claim(0)
    done = claim.positions[COMMANDS]
    assert settled <= done
    pages = {key: page async for key, page in log.pages(claim)}
    assert pages["a"] == str(done).encode()
    assert pages[f"b-{done % 50}"] == str(done).encode() * 100
    results = await values(log, TopicPartition(RESULTS, 0))
    assert list(results.values()) == [str(n).encode() for n in range(1, done + 1)]
    await log.close()


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    """
    While a process holds the log another is told so, with the path and the holder's number; its death sets it free.
    """
    path = tmp_path / "log.db"
    process = writer(path)
    with pytest.raises(LogInUse) as refused:
        await opened(path)
    assert str(path) in str(refused.value)
    assert str(process.pid) in str(refused.value)

    process.kill()
    process.communicate()

    log = await opened(path)
    with pytest.raises(LogInUse):
        await opened(path)
    await log.close()
    await (await opened(path)).close()
    assert os.listdir(tmp_path) == ["log.db"]
