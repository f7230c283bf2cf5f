"""A log behind its seals: what lies on the disk, and what happens where a value does not open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import NewRecord, Record, TopicPartition
from cordboard.log.sealed import SealedLog
from cordboard.log.sealing import MAGIC, Key, Sealing, Unopened, place
from tests.log.kinds import COMMANDS, INPUTS, NOW, PARTITIONS, RESULTS, TOPICS, WORK

OLD, NEW = Key("old", b"o" * 32), Key("new", b"n" * 32)
LEDGER = "t.ledger"
SECRET = b"4111111111111111"
AT, PUBLIC = TopicPartition(COMMANDS, 0), TopicPartition(RESULTS, 0)


@pytest.fixture
async def inner(tmp_path: Path) -> AsyncIterator[EmbeddedLog]:
    log = await EmbeddedLog.open(tmp_path / "log.db", TOPICS, PARTITIONS, SystemClock(), INPUTS)
    yield log
    await log.close()


class Told(list[tuple[str, str]]):
    def __call__(self, topic: str, why: str) -> None:
        self.append((topic, why))


def behind(inner: EmbeddedLog, *keys: Key, told: Told | None = None, accept_plain: bool = True) -> SealedLog:
    """All topics but results are sealed. The clock of looks into the file is always far enough on."""
    time = iter(range(0, 1_000_000, 10))
    sealing = Sealing(lambda: keys, accept_plain=accept_plain, now=lambda: next(time))
    return SealedLog(inner, sealing, {COMMANDS, NOW, WORK}, LEDGER, Told() if told is None else told)


def command(value: bytes = SECRET, key: bytes | None = b"call") -> NewRecord:
    return NewRecord(COMMANDS, key, value, (("ce_id", b"1"),), 0)


def written_to(folder: Path) -> bytes:
    """All bytes of all files."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def values(log: SealedLog | EmbeddedLog, at: TopicPartition = AT) -> list[bytes]:
    reader = log.reader({at: 0})
    read = [record.value for record in await reader.read(5.0)]
    await reader.close()
    return read


async def test_nothing_of_a_sealed_value_is_on_the_disk(inner: EmbeddedLog, tmp_path: Path):
    """
    Records, pages, and what pages owe; in a topic that is not sealed it stands as it is.
    """
    log = behind(inner, NEW)
    await log.append([command()])
    claim = await log.claim(0)
    owed = NewRecord(WORK, b"call", SECRET, (), 0)
    await log.settle(claim, [("call", SECRET), ("gone", None)], [owed], {COMMANDS: 1})

    assert SECRET not in written_to(tmp_path)
    assert await values(log) == [SECRET] == await values(log, TopicPartition(WORK, 0))
    assert [page async for page in log.pages(claim)] == [("call", SECRET)]
    await log.append([NewRecord(RESULTS, b"call", SECRET, (), 0)])
    assert await values(inner, PUBLIC) == [SECRET]


async def test_what_was_written_before_is_read(inner: EmbeddedLog):
    """
    Plain records and pages, then those of an old key, then those of the new one: all in their order.
    """
    claim = await inner.claim(0)
    await inner.append([command(b"1")])
    await inner.settle(claim, [("a", b"plain")], [], {})
    await behind(inner, OLD).append([command(b"2")])
    log = behind(inner, OLD, NEW)
    await log.append([command(b"3")])
    await log.settle(claim, [("b", b"sealed")], [], {})

    assert await values(log) == [b"1", b"2", b"3"]
    assert dict([page async for page in log.pages(claim)]) == {"a": b"plain", "b": b"sealed"}


async def test_a_record_that_does_not_open_stops_its_reader_where_it_stands(inner: EmbeddedLog):
    """
    What is before it is read; then nothing, however often it is asked, until the key is there. Nothing is lost.
    """
    told, keys = Told(), [OLD]
    await behind(inner, OLD).append([command(b"1"), command(b"2")])
    await behind(inner, NEW).append([command(b"3")])
    await behind(inner, OLD).append([command(b"4")])
    time = iter(range(0, 1_000_000, 10))
    sealing = Sealing(lambda: list(keys), now=lambda: next(time))
    log = SealedLog(inner, sealing, {COMMANDS}, LEDGER, told)
    reader = log.reader({AT: 0})

    assert [record.value for record in await reader.read(5.0)] == [b"1", b"2"]
    for _ in range(3):
        with pytest.raises(Unopened, match=r"the record t.commands/0/2 was sealed by key 'new', which is not in"):
            await reader.read(5.0)
    assert reader.positions() == {AT: 2}
    assert not await reader.read_past(SystemClock().now_ms() + 60_000)
    assert set(told) == {(COMMANDS, "unknown_key")}
    keys.append(NEW)
    assert [record.value for record in await reader.read(5.0)] == [b"3", b"4"]
    assert reader.positions() == {AT: 4}


async def test_held_records_are_not_more_than_are_asked_for(inner: EmbeddedLog):
    """
    Also of those that waited for their key.
    """
    keys: list[Key] = [OLD]
    await behind(inner, NEW).append([command(b"%d" % n) for n in range(5)])
    time = iter(range(0, 1_000_000, 10))
    reader = SealedLog(inner, Sealing(lambda: list(keys), now=lambda: next(time)), {COMMANDS}, LEDGER).reader({AT: 0})
    with pytest.raises(Unopened):
        await reader.read(5.0)
    keys.append(NEW)

    assert [len(await reader.read(5.0, 2)) for _ in range(3)] == [2, 2, 1]


async def test_a_page_that_does_not_open_stops_its_partition(inner: EmbeddedLog):
    """
    It was sealed for another call: it is neither taken for this one's nor left out.
    """
    told = Told()
    log = behind(inner, NEW, told=told)
    claim = await log.claim(0)
    await log.settle(claim, [("a", b"1")], [], {})
    (stored,) = [page async for _, page in inner.pages(claim)]
    await inner.settle(claim, [("b", stored)], [], {})

    with pytest.raises(Unopened, match=r"a page of partition 0 was sealed by key 'new' and does not open"):
        _ = [page async for page in log.pages(claim)]
    assert told == [(LEDGER, "altered")]


async def test_a_record_that_was_moved_does_not_open(inner: EmbeddedLog):
    """
    To another call, to another topic, or with another header.
    """
    log = behind(inner, NEW)
    await log.append([command()])
    (stored,) = await inner.reader({AT: 0}).read(5.0)
    new = NewRecord(COMMANDS, stored.key, stored.value, stored.headers, 1)
    for number, moved in enumerate((replace(new, key=b"other"), replace(new, headers=()), replace(new, topic=NOW))):
        [appended] = await inner.append([moved])
        reader = log.reader({TopicPartition(moved.topic, 1): appended.offset})

        with pytest.raises(Unopened, match="it was altered, or brought here from elsewhere"):
            await reader.read(5.0)
        assert number < 3


async def test_where_anybody_may_write_what_only_looks_sealed_is_handed_on(inner: EmbeddedLog):
    """
    No stranger stops a partition; what opens there is opened, such as that of a topic that was sealed once.
    """
    log = behind(inner, NEW)
    fake = MAGIC + b"\3new" + b"x" * 99
    real = Sealing(lambda: [NEW]).seal(place(RESULTS, b"call"), b"real")
    for value in (fake, MAGIC, real):
        await inner.append([NewRecord(RESULTS, b"call", value, (), 0)])

    assert await values(log, PUBLIC) == [fake, MAGIC, b"real"]


async def test_plain_records_can_be_refused(inner: EmbeddedLog):
    """
    Once the older ones are gone, only who has a key is believed.
    """
    await inner.append([command()])
    claim = await inner.claim(0)
    await inner.settle(claim, [("a", b"plain")], [], {})
    log = behind(inner, NEW, accept_plain=False)

    with pytest.raises(Unopened, match=r"t.commands/0/0 is not sealed, and sealing.accept_plain is false"):
        await log.reader({AT: 0}).read(5.0)
    with pytest.raises(Unopened, match="is not sealed"):
        _ = [page async for page in log.pages(claim)]


async def test_without_a_key_nothing_is_sealed_and_what_is_sealed_is_told_of(inner: EmbeddedLog):
    """
    Who takes the setting away learns by the name of the key what is missing.
    """
    await behind(inner, NEW).append([command()])
    log = behind(inner)
    await log.append([command()])

    assert (await values(inner))[1] == SECRET
    with pytest.raises(Unopened, match=r"was sealed by key 'new', which is not in sealing.key_file \(known: none\)"):
        await values(log)


async def test_records_keep_all_that_is_not_sealed(inner: EmbeddedLog):
    """
    Key, headers, time and place are as the log has them.
    """
    log = behind(inner, NEW)
    await log.append([command()])
    (stored,) = await inner.reader({AT: 0}).read(5.0)
    (record,) = await log.reader({AT: 0}).read(5.0)

    assert isinstance(record, Record)
    assert record == replace(stored, value=SECRET)
