"""Group commit: what waits together is written together, and what fails fails alone where it can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cordboard.log import embedded
from cordboard.log.cruelty import Fate
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.group_commit import BatchEnded
from cordboard.log.port import AppendUncertain, Fenced, LogError, LogUnavailable, NewRecord, TopicPartition
from tests.log.kinds import COMMANDS, INPUTS, LETTERS, PARTITIONS, TOPICS, FaultyStore, HandClock

AT = TopicPartition(LETTERS, 0)


class Desk:
    """A log, what it says of its batches, and its store, whose next batches can be given a fate."""

    def __init__(self) -> None:
        self.batches: list[BatchEnded] = []
        self.log: EmbeddedLog
        self.store: FaultyStore

    def next_batch(self, fate: Fate) -> None:
        self.store.fault_in(0, fate)

    async def values(self) -> list[bytes]:
        reader = self.log.reader({AT: 0})
        return [record.value for record in await reader.read(0)]


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    desk, loop = Desk(), asyncio.get_running_loop()

    def make(path: Path) -> FaultyStore:
        desk.store = FaultyStore(path, None, loop)
        return desk.store

    monkeypatch.setattr(embedded, "Store", make)
    desk.log = await EmbeddedLog.open(
        tmp_path / "log.db", TOPICS, PARTITIONS, HandClock(), INPUTS, observe=desk.batches.append
    )
    yield desk
    await desk.log.close()


def letter(value: bytes) -> NewRecord:
    return NewRecord(LETTERS, b"", value)


async def test_those_who_wait_together_share_one_commit(desk: Desk) -> None:
    """
    64 requests made in one turn of the loop are one transaction.
    """
    await asyncio.gather(*(desk.log.append([letter(b"%d" % n)]) for n in range(64)))

    assert [(batch.requests, batch.records, batch.durable) for batch in desk.batches] == [(64, 64, True)]


async def test_the_next_batch_gathers_while_one_is_with_the_disk(desk: Desk) -> None:
    """
    64 writers, each waiting for its own, need hardly more commits than each has writes.
    """

    async def write() -> None:
        for _ in range(20):
            await desk.log.append([letter(b"x")])

    await asyncio.gather(*(write() for _ in range(64)))

    assert sum(batch.records for batch in desk.batches) == 64 * 20
    assert len(desk.batches) <= 2 * 20 + 1


async def test_owners_of_several_partitions_share_one_commit(desk: Desk) -> None:
    """
    Settles of different partitions, appends and commits of groups go into one transaction.
    """
    claims = [await desk.log.claim(partition) for partition in range(PARTITIONS)]
    desk.batches.clear()

    await asyncio.gather(
        desk.log.append([letter(b"x")]), *(desk.log.settle(c, [("a", b"")], [letter(b"y")], {}) for c in claims)
    )

    assert [batch.requests for batch in desk.batches] == [PARTITIONS + 1]


async def test_a_flood_is_written_in_several_batches(desk: Desk) -> None:
    """
    A batch takes no further requests beyond a number of records; whoever comes after a flood waits for one batch.
    """
    await asyncio.gather(*(desk.log.append([letter(b"x")] * 5_000) for _ in range(6)))

    assert [batch.records for batch in desk.batches] == [10_000, 10_000, 10_000]


async def test_a_void_claim_fails_alone(desk: Desk) -> None:
    """
    A request that is refused leaves the others in its batch as they are, and nothing of itself.
    """
    zombie = await desk.log.claim(0)
    owner = await desk.log.claim(0)

    outcomes: list[Any] = await asyncio.gather(
        desk.log.settle(zombie, [("a", b"zombie")], [letter(b"zombie")], {}),
        desk.log.settle(owner, [("b", b"owner")], [letter(b"owner")], {}),
        desk.log.append([letter(b"x")]),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes] == [Fenced, type(None), list]
    assert await desk.values() == [b"owner", b"x"]
    assert [page async for page in desk.log.pages(owner)] == [("b", b"owner")]


async def test_a_request_that_cannot_be_written_fails_without_wedging_the_log(desk: Desk) -> None:
    """
    Even what should never have come (a page that is not bytes) ends in an error, and the next batch is written.
    """
    claim = await desk.log.claim(0)
    nonsense: Any = object()
    with pytest.raises(LogUnavailable):
        await desk.log.settle(claim, [("a", nonsense)], [], {})

    await desk.log.append([letter(b"x")])

    assert await desk.values() == [b"x"]


async def test_a_request_given_up_before_its_turn_is_not_written(desk: Desk) -> None:
    """
    Cancelled while the batch before it was with the disk, a request has no effect.
    """
    first = asyncio.ensure_future(desk.log.append([letter(b"first")]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # Now it is with the disk.
    second = asyncio.ensure_future(desk.log.append([letter(b"second")]))
    await asyncio.sleep(0)
    assert not first.done()
    second.cancel()
    await asyncio.wait([first, second])
    await desk.log.append([letter(b"third")])

    assert await desk.values() == [b"first", b"third"]


@pytest.mark.parametrize(("fate", "error"), [(Fate.REFUSE, LogUnavailable), (Fate.LOSE, AppendUncertain)])
async def test_a_failed_batch_fails_all_and_shows_nothing(desk: Desk, fate: Fate, error: type[LogError]) -> None:
    """
    Everybody in the batch is told the same; readers see nothing of it; offsets have no hole afterwards.
    """
    await desk.log.append([letter(b"before")])
    desk.next_batch(fate)

    outcomes = await asyncio.gather(*(desk.log.append([letter(b"%d" % n)]) for n in range(5)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [error] * 5
    assert not desk.log.healthy
    assert await desk.values() == [b"before"]
    [after] = await desk.log.append([letter(b"after")])
    assert after.offset == 1
    assert desk.log.healthy
    assert await desk.values() == [b"before", b"after"]
    assert [batch.durable for batch in desk.batches] == [True, False, True]


async def test_a_settle_behind_a_failed_one_is_fenced(desk: Desk) -> None:
    """
    Its owner cannot have known: what it decided stands on what was not written.
    """
    claim = await desk.log.claim(0)
    desk.next_batch(Fate.REFUSE)
    first = asyncio.ensure_future(desk.log.settle(claim, [("a", b"1")], [], {COMMANDS: 1}))
    await asyncio.sleep(0)
    second = asyncio.ensure_future(desk.log.settle(claim, [("a", b"2")], [], {COMMANDS: 2}))

    with pytest.raises(LogUnavailable):
        await first
    with pytest.raises(Fenced):
        await second

    claim = await desk.log.claim(0)
    assert claim.positions[COMMANDS] == 0
    assert [page async for page in desk.log.pages(claim)] == []


async def test_a_claim_that_failed_leaves_no_older_one_in_force(desk: Desk) -> None:
    """
    It may be on disk: whoever owned before must claim anew.
    """
    old = await desk.log.claim(0)
    desk.next_batch(Fate.LOSE)
    with pytest.raises(AppendUncertain):
        await desk.log.claim(0)

    with pytest.raises(Fenced):
        await desk.log.settle(old, [("a", b"")], [], {})


async def test_an_unhealthy_log_finds_out_when_the_disk_is_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nobody writes to a process that is not ready, so the log itself tries.
    """
    monkeypatch.setattr("cordboard.log.group_commit._HEAL_SECONDS", 0.0)
    healthy = asyncio.Event()
    desk.next_batch(Fate.REFUSE)
    with pytest.raises(LogUnavailable):
        await desk.log.append([letter(b"x")])
    desk.log._commits._observe = lambda batch: healthy.set()

    await asyncio.wait_for(healthy.wait(), 30)

    assert desk.log.healthy


async def test_closing_writes_what_waits(desk: Desk, tmp_path: Path) -> None:
    """
    Requests made before close are durable and acknowledged; those after it are not taken.
    """
    writing = [asyncio.ensure_future(desk.log.append([letter(b"%d" % n)])) for n in range(10)]
    await asyncio.sleep(0)
    await desk.log.close()

    assert [place.offset for [place] in await asyncio.gather(*writing)] == list(range(10))
    with pytest.raises(LogUnavailable):
        await desk.log.append([letter(b"late")])
    log = await EmbeddedLog.open(tmp_path / "log.db", TOPICS, PARTITIONS, HandClock(), INPUTS)
    assert await log.end(AT) == 10
    await log.close()
