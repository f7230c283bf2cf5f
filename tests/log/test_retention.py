"""Retention: what goes, what stays, and what readers see of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.log.embedded import EmbeddedLog
from cordboard.log.group_commit import BatchEnded
from cordboard.log.port import NewRecord, TopicPartition, TopicSpec
from cordboard.log.store import Batch
from tests.log.kinds import COMMANDS, HandClock

SHORT, LONG, FOREVER = "t.short", "t.long", "t.forever"
SPECS = [
    TopicSpec(SHORT, 1, 1_000),
    TopicSpec(LONG, 1, 5_000),
    TopicSpec(FOREVER, 1, None),
    TopicSpec(COMMANDS, 1, 1_000),
]


class Shelf:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.batches: list[BatchEnded] = []
        self.log: EmbeddedLog

    async def open(self, path: Path, seconds: float = 1e6) -> None:
        self.log = await EmbeddedLog.open(
            path, SPECS, 1, self.clock, (COMMANDS,), retention_seconds=seconds, observe=self.batches.append
        )

    async def put(self, topic: str, count: int) -> None:
        await self.log.append([NewRecord(topic, b"", b"x")] * count)

    async def kept(self, topic: str) -> tuple[int, int]:
        at = TopicPartition(topic, 0)
        return await self.log.start(at), await self.log.end(at)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    shelf = Shelf()
    await shelf.open(tmp_path / "log.db")
    yield shelf
    await shelf.log.close()


async def test_what_is_older_than_its_topic_keeps_goes(shelf: Shelf, tmp_path: Path) -> None:
    """
    Each topic by its own time; offsets go on after it, also when everything is gone, and over a restart.
    """
    for topic in (SHORT, LONG, FOREVER):
        await shelf.put(topic, 3)
    shelf.clock.time_ms += 1_001
    await shelf.put(LONG, 1)
    await shelf.log.retain()
    assert [await shelf.kept(topic) for topic in (SHORT, LONG, FOREVER)] == [(3, 3), (0, 4), (0, 3)]

    await shelf.log.close()
    await shelf.open(tmp_path / "log.db")
    assert [await shelf.kept(topic) for topic in (SHORT, LONG, FOREVER)] == [(3, 3), (0, 4), (0, 3)]
    [place] = await shelf.log.append([NewRecord(SHORT, b"", b"y")])
    assert place.offset == 3


async def test_a_record_at_its_limit_stays(shelf: Shelf) -> None:
    """
    A record is kept for its topic's time, and goes a millisecond later.
    """
    await shelf.put(SHORT, 1)
    shelf.clock.time_ms += 1_000
    await shelf.log.retain()
    assert await shelf.kept(SHORT) == (0, 1)
    shelf.clock.time_ms += 1
    await shelf.log.retain()
    assert await shelf.kept(SHORT) == (1, 1)


async def test_what_an_owner_has_not_settled_stays(shelf: Shelf) -> None:
    """
    An input is kept until it is settled, however old; nobody need ever have owned it.
    """
    await shelf.put(COMMANDS, 4)
    shelf.clock.time_ms += 10_000
    await shelf.log.retain()
    assert await shelf.kept(COMMANDS) == (0, 4)

    await shelf.log.settle(await shelf.log.claim(0), [], [], {COMMANDS: 3})
    await shelf.log.retain()
    assert await shelf.kept(COMMANDS) == (3, 4)


async def test_much_goes_in_small_steps(shelf: Shelf) -> None:
    """
    A large backlog is removed in many transactions, between which others write.
    """
    await shelf.put(SHORT, 3_000)
    shelf.clock.time_ms += 1_001
    shelf.batches.clear()

    await shelf.log.retain()

    assert await shelf.kept(SHORT) == (3_000, 3_000)
    assert len(shelf.batches) >= 6


async def test_a_reader_overtaken_goes_on_at_the_oldest_record(shelf: Shelf) -> None:
    """
    What was removed is passed over, whether the reader looks in memory or in the file.
    """
    readers = [shelf.log.reader({TopicPartition(SHORT, 0): offset}) for offset in (0, 2)]
    await shelf.put(SHORT, 3)
    shelf.clock.time_ms += 1_001
    await shelf.put(SHORT, 2)
    await shelf.log.retain()

    for reader in readers:
        assert [record.offset for record in await reader.read(0)] == [3, 4]
        assert await reader.read_past(shelf.clock.time_ms)


async def test_old_records_are_looked_for_at_regular_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nobody needs to ask; and a disk that fails meanwhile does not end it.
    """
    shelf = Shelf()
    await shelf.open(tmp_path / "log.db", seconds=0.001)
    await shelf.put(SHORT, 1)
    tried: list[Batch] = []
    gone = asyncio.Event()
    write = shelf.log._store.write

    def fail_once(batch: Batch) -> None:
        tried.append(batch)
        if len(tried) == 1:
            raise sqlite3.OperationalError("disk I/O error")
        gone.set()
        write(batch)

    monkeypatch.setattr(shelf.log._store, "write", fail_once)
    shelf.clock.time_ms += 1_001
    await asyncio.wait_for(gone.wait(), 30)
    await shelf.log.append([NewRecord(FOREVER, b"", b"behind it")])

    assert await shelf.kept(SHORT) == (1, 1)
    await shelf.log.close()
