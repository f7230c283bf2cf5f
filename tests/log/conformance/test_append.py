"""What every log does with what is appended."""

from __future__ import annotations

import asyncio

import pytest

from cordboard.log.port import Log, LogUnavailable, NewRecord, Record, TopicPartition
from tests.log.kinds import COMMANDS, INPUTS, LETTERS, NOW, PARTITIONS, RESULTS, Kind


async def everything(log: Log, topic: str) -> list[Record]:
    """All records of a topic, partition by partition in their order."""
    ends = {TopicPartition(topic, p): await log.end(TopicPartition(topic, p)) for p in range(log.partitions(topic))}
    reader = log.reader({at: await log.start(at) for at in ends})
    records: list[Record] = []
    while any(offset < ends[at] for at, offset in reader.positions().items()):
        records += await reader.read(5.0)
    await reader.close()
    return sorted(records, key=lambda record: (record.partition, record.offset))


async def test_a_record_is_read_as_it_was_written(kind: Kind) -> None:
    """
    Key, value and headers come back byte for byte, under the place and time that append gave.
    """
    log = await kind.open()
    new = NewRecord(COMMANDS, b"call", b"\0value\xff", (("ce_id", b"1"), ("ce_id", b"\xff"), ("empty", b"")))

    [place] = await log.append([new])
    [record] = await everything(log, COMMANDS)

    assert record == Record(
        COMMANDS, place.partition, place.offset, place.time_ms, b"call", b"\0value\xff", new.headers
    )
    assert TopicPartition(COMMANDS, place.partition) == record.source


async def test_no_key_and_no_value_are_allowed(kind: Kind) -> None:
    """
    A record may have no key, an empty key, an empty value; they are not mixed up.
    """
    log = await kind.open()

    await log.append([NewRecord(LETTERS, None, b""), NewRecord(LETTERS, b"", b"x")])

    assert [(record.key, record.value) for record in await everything(log, LETTERS)] == [(None, b""), (b"", b"x")]


async def test_records_of_a_partition_keep_the_order_of_writing(kind: Kind) -> None:
    """
    Offsets of a partition grow in the order of the request, and so does what is read.
    """
    log = await kind.open()

    places = await log.append([NewRecord(COMMANDS, b"k%d" % (n % 7), b"%d" % n) for n in range(200)])

    for partition in range(PARTITIONS):
        written = [(place.offset, n) for n, place in enumerate(places) if place.partition == partition]
        read = [(r.offset, int(r.value)) for r in await everything(log, COMMANDS) if r.partition == partition]
        assert sorted(written) == written == read


async def test_those_who_write_at_the_same_time_all_get_their_own_place(kind: Kind) -> None:
    """
    Concurrent requests never share an offset, and each finds its record where it was told.
    """
    log = await kind.open()

    places = await asyncio.gather(*(log.append([NewRecord(LETTERS, b"k", b"%d" % n)]) for n in range(100)))

    read = {record.offset: int(record.value) for record in await everything(log, LETTERS)}
    assert {place.offset: n for n, [place] in enumerate(places)} == read


async def test_the_key_decides_the_partition_unless_it_is_given(kind: Kind) -> None:
    """
    Without a partition a record goes where `partition_for` says, with one it goes there.
    """
    log = await kind.open()
    by_key = log.partition_for(COMMANDS, b"call")
    other = (by_key + 1) % PARTITIONS

    places = await log.append([NewRecord(COMMANDS, b"call", b""), NewRecord(COMMANDS, b"call", b"", (), other)])

    assert [by_key, other] == [place.partition for place in places]


async def test_co_partitioned_topics_agree_on_keys(kind: Kind) -> None:
    """
    A key belongs to the same partition of all topics with the same count, also after a restart, and keys spread.
    """
    log = await kind.open()
    keys = [b"call-%d" % n for n in range(200)]
    before = [log.partition_for(COMMANDS, key) for key in keys]
    await log.close()
    log = await kind.open()

    assert before == [log.partition_for(NOW, key) for key in keys] == [log.partition_for(RESULTS, key) for key in keys]
    assert set(range(PARTITIONS)) == set(before)


async def test_what_was_acknowledged_is_there_after_a_restart(kind: Kind) -> None:
    """
    Records survive the log's closing, and offsets go on from there.
    """
    log = await kind.open()
    first = await log.append([NewRecord(LETTERS, b"k", b"%d" % n) for n in range(50)])
    await log.close()

    log = await kind.open()
    second = await log.append([NewRecord(LETTERS, b"k", b"50")])

    assert [b"%d" % n for n in range(51)] == [record.value for record in await everything(log, LETTERS)]
    assert second[0].offset > first[-1].offset


async def test_times_never_go_back(kind: Kind) -> None:
    """
    Records carry the log's time, and a later one never an earlier time, also after a restart.
    """
    log = await kind.open()
    [first] = await log.append([NewRecord(LETTERS, b"", b"")])
    moved_to = await kind.later()
    [second] = await log.append([NewRecord(LETTERS, b"", b"")])
    await log.close()
    log = await kind.open()
    [third] = await log.append([NewRecord(LETTERS, b"", b"")])

    assert first.time_ms < moved_to <= second.time_ms <= third.time_ms


async def test_nothing_appended_is_nothing_done(kind: Kind) -> None:
    """
    An empty request is answered with an empty list.
    """
    log = await kind.open()

    assert await log.append([]) == []


async def test_an_undeclared_topic_is_a_key_error(kind: Kind) -> None:
    """
    A topic that was not declared has no partitions to ask for or to write to.
    """
    log = await kind.open()

    with pytest.raises(KeyError):
        log.partitions("t.nothing")
    with pytest.raises(KeyError):
        await log.append([NewRecord("t.nothing", b"", b"")])


async def test_start_and_end_enclose_what_is_kept(kind: Kind) -> None:
    """
    The end of an empty partition is its start; after an append the end is past the record.
    """
    log = await kind.open()
    at = TopicPartition(LETTERS, 0)
    assert await log.start(at) == await log.end(at)

    [place] = await log.append([NewRecord(LETTERS, b"", b"")])

    assert await log.start(at) <= place.offset < await log.end(at)


async def test_a_closed_log_says_so(kind: Kind) -> None:
    """
    After close everything raises LogUnavailable, and closing again does nothing.
    """
    log = await kind.open()
    claim = await log.claim(0)
    assert log.healthy
    await log.close()
    await log.close()

    assert not log.healthy
    at = TopicPartition(LETTERS, 0)
    for call in (
        lambda: log.append([NewRecord(LETTERS, b"", b"")]),
        lambda: log.claim(0),
        lambda: log.settle(claim, [], [], dict.fromkeys(INPUTS, 1)),
        lambda: log.start(at),
        lambda: log.end(at),
        lambda: log.offset_at(at, 0),
    ):
        with pytest.raises(LogUnavailable):
            await call()
    with pytest.raises(LogUnavailable):
        log.reader({at: 0})
