"""What is in the tables is what is in the log: each record once, whatever fails meanwhile; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.log.port import NewRecord, TopicPartition
from dispatcher.recorder import recorder as recorder_module
from dispatcher.recorder.database import MIGRATIONS, TablesUnavailable, TablesUnusable
from dispatcher.recorder.events import Behind, GoesOn, Missed, Trouble
from dispatcher.recorder.tables import Move, Overtaken, Search, Tables
from tests.promises.stage import until
from tests.recorder import samples
from tests.recorder.conftest import Opening
from tests.recorder.server import Server
from tests.recorder.world import PARTITIONS, RECORDED, TOPICS, World, entries, interpreter, records_of, select


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    one = await World.open(tmp_path)
    yield one
    await one.close()


async def settled(world: World, opening: Opening) -> Tables:
    """The tables, once they hold as much as the log."""
    database = opening()
    tables = Tables(database)
    assert await until(lambda: any(isinstance(event, GoesOn) for event in world.events)), "nobody has prepared them"
    wanted = await world.expected()
    for _ in range(1000):
        if len(await entries(database)) >= len(wanted):
            break
        await asyncio.sleep(0.01)
    assert await entries(database) == wanted
    return tables


async def test_every_record_becomes_one_entry(world: World, opening: Opening):
    """
    Of every kind, and what nobody can read.
    """
    await world.write(
        *samples.a_call("A", "d-1"),
        samples.failed_dial("d-2"),
        samples.refused("c-9"),
        samples.cancel(),
        samples.cancelled(),
        NewRecord(TOPICS.commands, b"A", b"\xff"),
        NewRecord(TOPICS.outcomes, None, b"\xff"),
        NewRecord(TOPICS.events, b"A", b"{"),
    )
    await world.recorder(opening())

    tables = await settled(world, opening)
    kinds = {entry.kind for entry in await world.expected()}
    assert kinds >= {"command", "release", "outcome", "result", "completion", "event", "cancel", "unreadable"}
    await tables.close()


async def test_it_goes_on_where_it_was_cut_off(world: World, opening: Opening):
    """
    A recorder whose tasks die between any two steps leaves nothing out and writes nothing twice.
    """
    for number in range(20):
        await world.write(*samples.a_call(f"call-{number}", f"d-{number}"))
        recorder = await world.recorder(opening(), records_max=1 + number)
        await until(lambda written=world.written: world.written > written)
        for task in recorder._tasks:
            task.cancel()
        await asyncio.wait(recorder._tasks)
        assert recorder._member is not None
        await recorder._member.leave()
    await world.recorder(opening())

    await (await settled(world, opening)).close()


async def test_two_that_record_the_same_write_it_once(world: World, opening: Opening):
    """
    The one that comes second finds the positions moved, and writes nothing.
    """
    await world.write(*samples.a_call("A", "d-1"))
    records = await records_of(world.log, RECORDED)
    readings = [interpreter().read(record) for record in records]
    first, second = Tables(opening()), Tables(opening())
    await first.prepare()
    places = {TopicPartition(topic, number): 0 for topic in RECORDED for number in range(PARTITIONS)}
    ends = {at: await world.log.end(at) for at in places}
    moves = [Move(at, 0, ends[at]) for at in places if ends[at]]
    assert await first.positions(places) == await second.positions(places) == places
    await first.write(readings, moves)

    with pytest.raises(Overtaken):
        await second.write(readings, moves)
    assert await second.positions(places) == ends
    assert len(await entries(opening())) == len(records)
    await first.close()
    await second.close()


async def test_recorders_share_the_partitions(world: World, opening: Opening):
    """
    Each takes its part, and what one leaves the other takes up.
    """
    one, other = await world.recorder(opening()), await world.recorder(opening())
    assert await until(lambda: one._held and other._held and not one._held & other._held)
    await world.write(*(record for number in range(8) for record in samples.a_call(f"c{number}", f"d{number}")))
    await (await settled(world, opening)).close()
    await one.stop()
    await world.write(*(record for number in range(8) for record in samples.a_call(f"e{number}", f"f{number}")))

    await (await settled(world, opening)).close()
    assert other._held == frozenset(range(PARTITIONS))


async def test_what_retention_took_is_counted(world: World, opening: Opening):
    """
    The log has forgotten some before they were recorded: how many is said, and stored.
    """
    tables = Tables(opening())
    await tables.prepare()
    at = TopicPartition(TOPICS.commands, world.log.partition_for(TOPICS.commands, b"A"))
    await world.write(*(samples.command(f"c-{number}") for number in range(9)))
    assert await tables.positions({at: 0}) == {at: 0}
    partition = world.log._partitions[at]
    await world.log.trim(partition, 4)
    await world.recorder(opening())

    assert await until(lambda: any(isinstance(event, Missed) for event in world.events))
    assert [event.offsets for event in world.events if isinstance(event, Missed)] == [4]
    await (await settled(world, opening)).close()
    assert [tuple(row) for row in await select(opening(), "SELECT missed FROM source WHERE missed > 0")] == [(4,)]


async def test_how_far_it_is_behind_is_told(world: World, opening: Opening, monkeypatch: pytest.MonkeyPatch):
    """
    By topic; and in the end there is nothing left.
    """
    monkeypatch.setattr(recorder_module, "LOOK_SECONDS", 0.01)
    await world.write(*samples.a_call("A", "d-1"))
    await world.recorder(opening())

    def told() -> list[int]:
        return [sum(event.records.values()) for event in world.events if isinstance(event, Behind)]

    assert await until(lambda: world.written == 13 and told()[-1:] == [0])
    assert set(next(event.records for event in world.events if isinstance(event, Behind))) == set(RECORDED)


async def test_another_log_is_not_recorded_into_the_same_tables(tmp_path: Path, opening: Opening):
    """
    Its offsets would pass for those of the first one: it is said, and nothing is written.
    """
    first, second = await World.open(tmp_path), await World.open(tmp_path / "new")
    await first.write(*samples.a_call("A", "d-1"))
    await first.recorder(opening())
    await (await settled(first, opening)).close()
    before = await entries(opening())
    await first.close()
    recorder = await second.recorder(opening())

    assert await until(lambda: "database of its own" in (recorder.check() or ""))
    assert await entries(opening()) == before
    await second.close()


async def test_tables_of_a_newer_version_are_left_alone(opening: Opening):
    """
    An older program does not guess what they mean.
    """
    tables = Tables(opening())
    await tables.prepare()
    await tables.prepare()
    database = opening()
    async with database.transaction() as session:
        await session.rows("note_migration", max(MIGRATIONS) + 1)
    await database.close()

    with pytest.raises(TablesUnusable, match="left untouched"):
        await tables.prepare()
    await tables.close()


async def test_a_database_that_was_away_misses_nothing(world: World, postgresql: Server):
    """
    It is killed under load and comes back: the recorder says so, waits, and goes on where it was.
    """
    from dispatcher.recorder.postgresql import PostgresqlDatabase

    url = postgresql.url
    recorder = await world.recorder(PostgresqlDatabase(lambda: url))
    await world.write(*samples.a_call("A", "d-1"))
    assert await until(lambda: world.written == 13)
    postgresql.kill()
    try:
        await world.write(*samples.a_call("B", "d-2"))
        assert await until(lambda: any(isinstance(event, Trouble) for event in world.events))
        assert "PostgreSQL" in (recorder.check() or "")
    finally:
        postgresql.start()

    await (await settled(world, lambda **_: PostgresqlDatabase(lambda: url))).close()
    assert recorder.check() is None


async def test_nothing_is_read_where_nobody_has_written(tmp_path: Path):
    """
    Who only reads creates no file.
    """
    from dispatcher.recorder.sqlite import SqliteDatabase

    tables = Tables(SqliteDatabase(tmp_path / "none.sqlite3", read_only=True))
    with pytest.raises(TablesUnavailable, match="no recorder has written there"):
        await tables.search(Search())
    assert not (tmp_path / "none.sqlite3").exists()
