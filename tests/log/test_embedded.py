"""What is the embedded log's own: declarations, memory and file, a disk that is full."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cordboard.log.embedded import EmbeddedLog
from cordboard.log.partition import TAIL_BYTES_MAX, TAIL_RECORDS_MAX
from cordboard.log.port import LogError, LogUnavailable, NewRecord, PositionsLost, TopicPartition, TopicSpec
from tests.log.kinds import COMMANDS, INPUTS, LETTERS, PARTITIONS, TOPICS, HandClock

AT = TopicPartition(LETTERS, 0)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


async def opened(path: Path, clock: HandClock, **options: Any) -> EmbeddedLog:
    chosen: dict[str, Any] = {"topics": TOPICS, "ledger_partitions": PARTITIONS, "inputs": INPUTS} | options
    return await EmbeddedLog.open(path / "log.db", clock=clock, **chosen)


async def values(log: EmbeddedLog) -> list[bytes]:
    reader = log.reader({AT: 0})
    found: list[bytes] = []
    while records := await reader.read(0):
        found += [record.value for record in records]
    return found


async def test_a_new_topic_is_added(tmp_path: Path, clock: HandClock) -> None:
    """
    A log that is opened with one topic more has it, and what it had before.
    """
    log = await opened(tmp_path, clock)
    await log.append([NewRecord(LETTERS, b"", b"x")])
    await log.close()

    log = await opened(tmp_path, clock, topics=[*TOPICS, TopicSpec("t.new", 2, None)])
    await log.append([NewRecord("t.new", b"", b"y")])

    assert await values(log) == [b"x"]
    await log.close()


@pytest.mark.parametrize("topic", [COMMANDS, LETTERS])
async def test_another_partition_count_is_refused(tmp_path: Path, clock: HandClock, topic: str) -> None:
    """
    Counts are fixed at creation; the error names the topic, both counts, and what to do. The log is then free again.
    """
    await (await opened(tmp_path, clock)).close()
    other = [replace(spec, partitions=9) if spec.name == topic else spec for spec in TOPICS]

    with pytest.raises(LogError, match=rf"{topic} has \d partitions and 9 .*Set it back"):
        await opened(tmp_path, clock, topics=other, inputs=())

    await (await opened(tmp_path, clock)).close()


async def test_another_ledger_count_is_refused(tmp_path: Path, clock: HandClock) -> None:
    """
    So is the ledger's.
    """
    await (await opened(tmp_path, clock)).close()

    with pytest.raises(LogError, match=r"ledger has 4 partitions and 5"):
        await opened(tmp_path, clock, ledger_partitions=5, inputs=())


async def test_inputs_must_be_co_partitioned(tmp_path: Path, clock: HandClock) -> None:
    """
    An input with another count than the ledger is refused before anything is created in the file.
    """
    with pytest.raises(LogError, match=rf"{LETTERS} must have as many partitions as the ledger, 4"):
        await opened(tmp_path, clock, inputs=(COMMANDS, LETTERS))


async def test_lost_positions_stop_the_owner(tmp_path: Path, clock: HandClock) -> None:
    """
    A partition that was owned before and has no positions is not begun anew: that would repeat everything.
    """
    log = await opened(tmp_path, clock)
    await log.claim(2)
    await log.close()
    connection = sqlite3.connect(tmp_path / "log.db")
    connection.execute("DELETE FROM position WHERE partition = 2 AND topic = ?", (COMMANDS,))
    connection.commit()
    connection.close()

    log = await opened(tmp_path, clock)
    with pytest.raises(PositionsLost, match=rf"partition 2 .*{COMMANDS}"):
        await log.claim(2)
    await log.claim(1)
    await log.close()


async def test_a_clock_that_goes_back_does_not_take_the_log_with_it(tmp_path: Path, clock: HandClock) -> None:
    """
    Record times never go back, not over a restart, and not when all records have been removed in between.
    """
    log = await opened(tmp_path, clock, topics=[*TOPICS[:-1], TopicSpec(LETTERS, 1, 10)])
    [first] = await log.append([NewRecord(LETTERS, b"", b"")])
    clock.time_ms += 5_000
    [second] = await log.append([NewRecord(LETTERS, b"", b"")])
    clock.time_ms += 11
    await log.retain()
    assert await log.start(AT) == await log.end(AT)
    clock.time_ms -= 60_000
    [third] = await log.append([NewRecord(LETTERS, b"", b"")])
    await log.retain()
    await log.close()

    log = await opened(tmp_path, clock)
    [fourth] = await log.append([NewRecord(LETTERS, b"", b"")])

    assert first.time_ms < second.time_ms <= third.time_ms <= fourth.time_ms
    assert [place.offset for place in (first, second, third, fourth)] == [0, 1, 2, 3]
    await log.close()


@pytest.mark.parametrize(("count", "size"), [(TAIL_RECORDS_MAX * 3, 10), (40, TAIL_BYTES_MAX // 8)])
async def test_a_reader_that_falls_behind_reads_from_the_file(
    tmp_path: Path, clock: HandClock, count: int, size: int
) -> None:
    """
    More than memory keeps, by number or by size: a slow reader still gets every record once and in order.
    """
    log = await opened(tmp_path, clock)
    reader = log.reader({AT: 0})
    wanted = [b"%d" % n + b"." * size for n in range(count)]
    found: list[bytes] = []
    for first in range(0, count, count // 4):
        await log.append([NewRecord(LETTERS, b"", value) for value in wanted[first : first + count // 4]])
        found += [record.value for record in await reader.read(0, 3)]
    while records := await reader.read(0):
        found += [record.value for record in records]

    assert found == wanted
    await log.close()


async def test_a_reader_is_not_past_what_is_being_written(tmp_path: Path, clock: HandClock) -> None:
    """
    A record that has its time but is not durable yet is still to come.
    """
    log = await opened(tmp_path, clock)
    reader = log.reader({AT: 0})
    writing = asyncio.ensure_future(log.append([NewRecord(LETTERS, b"", b"x")]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # Now it is with the disk.
    clock.time_ms += 1_000
    assert not writing.done()

    assert not await reader.read_past(clock.time_ms)
    await writing
    assert not await reader.read_past(clock.time_ms)
    assert len(await reader.read(0)) == 1
    assert await reader.read_past(clock.time_ms)
    await log.close()


async def test_a_full_disk_is_told_and_survived(tmp_path: Path, clock: HandClock) -> None:
    """
    What does not fit is LogUnavailable and is not there; the log is unhealthy until there is room, then goes on.
    """
    log = await opened(tmp_path, clock)
    claim = await log.claim(0)
    await log.append([NewRecord(LETTERS, b"", b"before")])
    connection = log._store._writer
    [pages] = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(LogUnavailable, match="full"):
        await log.append([NewRecord(LETTERS, b"", b"too much" * 10_000)])
    assert not log.healthy
    with pytest.raises(LogUnavailable, match="full"):
        await log.settle(claim, [("a", b"too much" * 10_000)], [NewRecord(LETTERS, b"", b"never")], {COMMANDS: 1})
    assert not log.healthy

    connection.execute("PRAGMA max_page_count = 1000000")
    await log.append([NewRecord(LETTERS, b"", b"after")])
    assert log.healthy
    assert await values(log) == [b"before", b"after"]
    assert (await log.claim(0)).positions[COMMANDS] == 0
    await log.close()
    log = await opened(tmp_path, clock)
    assert await values(log) == [b"before", b"after"]
    await log.close()
