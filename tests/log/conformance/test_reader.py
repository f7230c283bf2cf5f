"""How every log is read."""

from __future__ import annotations

import asyncio

import pytest

from cordboard.log.port import LogUnavailable, NewRecord, TopicPartition
from tests.log.kinds import COMMANDS, LETTERS, NOW, PARTITIONS, Kind

AT = TopicPartition(LETTERS, 0)


def letters(*values: bytes) -> list[NewRecord]:
    return [NewRecord(LETTERS, b"k", value) for value in values]


async def test_a_reader_begins_at_its_offset(kind: Kind) -> None:
    """
    The record at the offset is the first that is read; positions say what comes next.
    """
    log = await kind.open()
    places = await log.append(letters(b"0", b"1", b"2"))
    reader = log.reader({AT: places[1].offset})

    assert [record.value for record in await reader.read(5.0)] == [b"1", b"2"]
    assert places[2].offset < reader.positions()[AT] <= await log.end(AT)


async def test_a_reader_that_begins_at_the_end_sees_only_what_comes(kind: Kind) -> None:
    """
    From the end on, nothing older is read.
    """
    log = await kind.open()
    await log.append(letters(b"old"))
    reader = log.reader({AT: await log.end(AT)})

    await log.append(letters(b"new"))

    assert [record.value for record in await reader.read(5.0)] == [b"new"]


async def test_a_waiting_read_is_woken_by_a_record(kind: Kind) -> None:
    """
    A read without a time limit returns when there is something, and not before.
    """
    log = await kind.open()
    reader = log.reader({AT: 0})
    reading = asyncio.ensure_future(reader.read())
    await asyncio.sleep(0)
    assert not reading.done()

    await log.append(letters(b"x"))

    assert [record.value for record in await reading] == [b"x"]


async def test_a_read_returns_nothing_only_when_its_time_is_over(kind: Kind) -> None:
    """
    With nothing to read a read ends empty after its time; it can be used again.
    """
    log = await kind.open()
    reader = log.reader({AT: 0})

    assert await reader.read(0.01) == []
    assert await reader.read(0) == []

    await log.append(letters(b"x"))
    assert [record.value for record in await reader.read(5.0)] == [b"x"]


async def test_topics_are_served_in_the_order_in_which_they_were_given(kind: Kind) -> None:
    """
    Whatever was written first, the first topic's records come first, in all partitions.
    """
    log = await kind.open()
    for topic in (COMMANDS, NOW):
        await log.append([NewRecord(topic, b"", b"", (), partition) for partition in range(PARTITIONS)] * 2)
    reader = log.reader({TopicPartition(topic, p): 0 for p in range(PARTITIONS) for topic in (NOW, COMMANDS)})

    topics = [record.topic for _ in range(4) for record in await reader.read(5.0, 4)]

    assert topics == [NOW] * 8 + [COMMANDS] * 8


async def test_partitions_of_a_topic_take_turns(kind: Kind) -> None:
    """
    A partition that is full does not keep the others of its topic waiting until it is empty.
    """
    log = await kind.open()
    for partition in range(PARTITIONS):
        await log.append([NewRecord(COMMANDS, b"", b"", (), partition)] * 50)
    reader = log.reader({TopicPartition(COMMANDS, partition): 0 for partition in range(PARTITIONS)})

    served = [record.partition for _ in range(3 * PARTITIONS) for record in await reader.read(5.0, 4)]

    assert set(served) == set(range(PARTITIONS))


async def test_a_read_returns_no_more_than_asked_for(kind: Kind) -> None:
    """
    `records_max` bounds a read, and the rest comes with the next ones.
    """
    log = await kind.open()
    await log.append(letters(*(b"%d" % n for n in range(10))))
    reader = log.reader({AT: 0})

    parts = [await reader.read(5.0, 4) for _ in range(3)]

    assert all(len(part) <= 4 for part in parts)
    assert [b"%d" % n for n in range(10)] == [record.value for part in parts for record in part]


async def test_partitions_keep_their_order_whatever_is_mixed(kind: Kind) -> None:
    """
    Everything written while a reader reads is read once, in the order of each partition.
    """
    log = await kind.open()
    reader = log.reader({TopicPartition(COMMANDS, partition): 0 for partition in range(PARTITIONS)})
    seen: dict[int, list[int]] = {partition: [] for partition in range(PARTITIONS)}

    async def write() -> None:
        for n in range(300):
            await log.append([NewRecord(COMMANDS, b"", b"%d" % n, (), n % PARTITIONS)])

    writing = asyncio.ensure_future(write())
    while sum(map(len, seen.values())) < 300:
        for record in await reader.read(5.0, 7):
            seen[record.partition].append(int(record.value))
    await writing

    assert {p: list(range(p, 300, PARTITIONS)) for p in range(PARTITIONS)} == seen


async def test_readers_do_not_disturb_each_other(kind: Kind) -> None:
    """
    Two readers of a partition both get everything, each at its own pace.
    """
    log = await kind.open()
    quick, slow = log.reader({AT: 0}), log.reader({AT: 0})

    await log.append(letters(b"0"))
    assert len(await quick.read(5.0)) == 1
    await log.append(letters(b"1"))
    assert len(await quick.read(5.0)) == 1

    assert [record.value for record in await slow.read(5.0)] == [b"0", b"1"]


async def test_interrupt_ends_a_waiting_read(kind: Kind) -> None:
    """
    A read that waits returns with nothing when it is interrupted; the next one waits again.
    """
    log = await kind.open()
    reader = log.reader({AT: 0})
    reading = asyncio.ensure_future(reader.read())
    await asyncio.sleep(0)

    reader.interrupt()

    assert await reading == []
    assert await reader.read(0.01) == []


async def test_interrupt_ends_the_next_read_when_none_waits(kind: Kind) -> None:
    """
    An interruption is not lost: the next read, and only that, returns at once.
    """
    log = await kind.open()
    reader = log.reader({AT: 0})

    reader.interrupt()

    assert await reader.read() == []
    await log.append(letters(b"x"))
    assert len(await reader.read()) == 1


async def test_a_cancelled_read_takes_nothing_with_it(kind: Kind) -> None:
    """
    What comes after a read was cancelled is there for the next one.
    """
    log = await kind.open()
    reader = log.reader({AT: 0})
    reading = asyncio.ensure_future(reader.read())
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])

    await log.append(letters(b"x"))

    assert [record.value for record in await reader.read(5.0)] == [b"x"]


async def test_a_closed_reader_says_so(kind: Kind) -> None:
    """
    Reading after close raises LogUnavailable, and so does a read that waits while the log is closed.
    """
    log = await kind.open()
    closed, waiting = log.reader({AT: 0}), log.reader({AT: 0})
    reading = asyncio.ensure_future(waiting.read())
    await asyncio.sleep(0)

    await closed.close()
    with pytest.raises(LogUnavailable):
        await closed.read(0)

    await log.close()
    with pytest.raises(LogUnavailable):
        await reading


async def test_a_reader_is_past_a_time_when_all_older_records_were_returned(kind: Kind) -> None:
    """
    Past a time: every record taken before it has been read, in all partitions, and none can still come.
    """
    log = await kind.open()
    reader = log.reader({TopicPartition(COMMANDS, partition): 0 for partition in range(PARTITIONS)})
    await log.append([NewRecord(COMMANDS, b"", b"old", (), 0)])
    then = await kind.later()
    await log.append([NewRecord(COMMANDS, b"", b"young", (), 1)])

    assert not await reader.read_past(then)
    while b"old" not in [record.value for record in await reader.read(5.0, 1)]:
        pass

    assert await reader.read_past(then)


async def test_a_reader_at_the_end_is_not_past_what_is_to_come(kind: Kind) -> None:
    """
    Before the log's time has reached it, no reader is past a time; afterwards one with nothing to read is.
    """
    log = await kind.open()
    reader = log.reader({AT: 0})
    then = await kind.later() + 500

    assert not await reader.read_past(then)
    await kind.later()
    assert await reader.read_past(then)


async def test_a_time_leads_to_the_first_record_that_is_not_older(kind: Kind) -> None:
    """
    `offset_at` finds the first record taken at or after a time, and the end when there is none.
    """
    log = await kind.open()
    first = await log.append(letters(b"0", b"1"))
    await kind.later()
    second = await log.append(letters(b"2", b"3"))

    assert first[0].offset == await log.offset_at(AT, 0)
    assert first[0].offset == await log.offset_at(AT, first[0].time_ms)
    assert second[0].offset == await log.offset_at(AT, first[1].time_ms + 1)
    assert second[0].offset == await log.offset_at(AT, second[0].time_ms)
    assert second[1].offset < await log.offset_at(AT, second[1].time_ms + 1) <= await log.end(AT)
