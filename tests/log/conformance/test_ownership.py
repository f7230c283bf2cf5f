"""Claims and settles, on every log: what an owner may rely on, whatever befalls it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from cordboard.log.cruelty import Fate
from cordboard.log.port import Claim, Fenced, Log, LogError, NewRecord, TopicPartition
from tests.log.kinds import COMMANDS, INPUTS, NOW, PARTITIONS, RESULTS, Kind


async def pages_of(log: Log, claim: Claim) -> dict[str, bytes]:
    """All pages; each key must come once."""
    listed = [page async for page in log.pages(claim)]
    assert len(listed) == len(dict(listed))
    return dict(listed)


async def results_of(log: Log, partition: int = 0) -> list[bytes]:
    """What has come out so far."""
    at = TopicPartition(RESULTS, partition)
    end = await log.end(at)
    reader = log.reader({at: 0})
    values: list[bytes] = []
    while reader.positions()[at] < end:
        values += [record.value for record in await reader.read(5.0)]
    await reader.close()
    return values


def result(value: bytes) -> NewRecord:
    return NewRecord(RESULTS, b"call", value, (("ce_id", value),), 0)


async def test_the_first_claim_begins_at_the_beginning(kind: Kind) -> None:
    """
    Who owns a partition first has no pages, and reads every input from offset 0.
    """
    log = await kind.open()

    claims = [await log.claim(partition) for partition in range(PARTITIONS)]

    assert [dict.fromkeys(INPUTS, 0)] * PARTITIONS == [claim.positions for claim in claims]
    assert [await pages_of(log, claim) for claim in claims] == [{}] * PARTITIONS


async def test_a_settle_is_found_by_the_next_owner(kind: Kind) -> None:
    """
    Pages, outputs and positions are there after a restart; a page that was deleted is not.
    """
    log = await kind.open()
    claim = await log.claim(0)
    await log.settle(claim, [("a", b"1"), ("b", b"1"), ("c", b"1")], [result(b"1")], {COMMANDS: 3})
    await log.settle(claim, [("b", None), ("c", b"2"), ("never", None)], [result(b"2")], {COMMANDS: 4, NOW: 1})
    await log.close()

    log = await kind.open()
    claim = await log.claim(0)

    assert claim.positions == {COMMANDS: 4, NOW: 1}
    assert await pages_of(log, claim) == {"a": b"1", "c": b"2"}
    assert await results_of(log) == [b"1", b"2"]


async def test_a_page_named_twice_in_a_settle_is_as_named_last(kind: Kind) -> None:
    """
    Within a settle the order of pages counts.
    """
    log = await kind.open()
    claim = await log.claim(0)

    await log.settle(claim, [("a", b"1"), ("a", b"2"), ("b", b"1"), ("b", None), ("c", None), ("c", b"3")], [], {})

    assert await pages_of(log, await log.claim(0)) == {"a": b"2", "c": b"3"}


async def test_a_large_ledger_is_read_whole(kind: Kind) -> None:
    """
    Every page comes once, however many and large there are.
    """
    log = await kind.open()
    claim = await log.claim(0)
    wanted = {f"call-{n}": b"%d" % n * (n % 500) for n in range(1_000)}
    for first in range(0, 1_000, 100):
        await log.settle(claim, list(wanted.items())[first : first + 100], [], {COMMANDS: first})

    assert wanted == await pages_of(log, claim)


async def test_partitions_have_their_own_pages_and_positions(kind: Kind) -> None:
    """
    The same key on two partitions is two pages; owners of different partitions settle side by side.
    """
    log = await kind.open()
    claims = [await log.claim(partition) for partition in range(PARTITIONS)]

    await asyncio.gather(
        *(log.settle(claim, [("a", b"%d" % claim.partition)], [], {NOW: claim.partition}) for claim in claims)
    )

    again = [await log.claim(partition) for partition in range(PARTITIONS)]
    assert [{"a": b"%d" % partition} for partition in range(PARTITIONS)] == [await pages_of(log, c) for c in again]
    assert list(range(PARTITIONS)) == [claim.positions[NOW] for claim in again]


async def test_epochs_grow_over_restarts(kind: Kind) -> None:
    """
    Every claim on a partition has a higher epoch than all before.
    """
    epochs = []
    for _ in range(3):
        log = await kind.open()
        epochs += [(await log.claim(0)).epoch, (await log.claim(0)).epoch]
        await log.close()

    assert sorted(set(epochs)) == epochs


async def test_an_older_claim_cannot_settle(kind: Kind) -> None:
    """
    After another owner's claim a settle raises Fenced, and nobody ever sees what it wanted to write.
    """
    log = await kind.open()
    zombie = await log.claim(0)
    await log.settle(zombie, [("a", b"mine")], [], {COMMANDS: 1})
    other = await kind.colleague(log)
    owner = await other.claim(0)
    assert owner.epoch > zombie.epoch

    with pytest.raises(Fenced):
        await log.settle(zombie, [("a", b"stale"), ("b", b"stale")], [result(b"stale")], {COMMANDS: 9})

    assert await pages_of(other, owner) == {"a": b"mine"}
    assert await results_of(other) == []
    with suppress(Fenced):  # On some logs the zombie's write shows, and the owner has to look.
        await other.settle(owner, [("c", b"new")], [], {COMMANDS: 2})
    last = await other.claim(0)
    assert {"a": b"mine"}.items() <= (await pages_of(other, last)).items() <= {"a": b"mine", "c": b"new"}.items()
    assert last.positions[COMMANDS] in (1, 2)
    assert await results_of(other) == []


async def test_a_fenced_claim_never_comes_back(kind: Kind) -> None:
    """
    Once fenced, a claim stays void: for pages as well.
    """
    log = await kind.open()
    zombie = await log.claim(0)
    await (await kind.colleague(log)).claim(0)
    for _ in range(2):
        with pytest.raises(Fenced):
            await log.settle(zombie, [("a", b"")], [], {})
    with pytest.raises(Fenced):
        await pages_of(log, zombie)


@pytest.mark.parametrize("fate", [Fate.REFUSE, Fate.LOSE, Fate.LOSE_ACK])
async def test_a_settle_that_raises_ends_the_claim(kind: Kind, fate: Fate) -> None:
    """
    After a settle that was not acknowledged the owner must claim anew, and finds all of it or nothing.
    """
    log = await kind.open((2, fate))  # The claim takes a write, or two.
    claim = await log.claim(0)
    error: LogError | None = None
    try:
        await log.settle(claim, [("a", b"1")], [result(b"1")], {COMMANDS: 1})
        await log.settle(claim, [("a", b"2")], [result(b"2")], {COMMANDS: 2})
    except LogError as raised:
        error = raised
        with pytest.raises(Fenced):
            await log.settle(claim, [("a", b"3")], [result(b"3")], {COMMANDS: 3})

    claim = await log.claim(0)

    done = claim.positions[COMMANDS]
    assert done in ((0, 1, 2) if error else (2,))
    assert ({"a": b"%d" % done} if done else {}) == await pages_of(log, claim)
    assert [b"1", b"2"][:done] == sorted(set(await results_of(log)))


async def test_a_settle_that_was_not_waited_for_ends_the_claim(kind: Kind) -> None:
    """
    An owner that is cancelled while it settles does not know what was written: it must claim anew.
    """
    log = await kind.open()
    claim = await log.claim(0)
    settling = asyncio.ensure_future(log.settle(claim, [("a", b"1")], [result(b"1")], {COMMANDS: 1}))
    await asyncio.sleep(0)
    if settling.cancel():  # Some logs are done by now.
        await asyncio.wait([settling])
        with pytest.raises(Fenced):
            await log.settle(claim, [("a", b"2")], [], {COMMANDS: 2})

    claim = await log.claim(0)
    assert (claim.positions[COMMANDS], await pages_of(log, claim)) in [(0, {}), (1, {"a": b"1"})]


async def test_a_claim_is_warm_only_where_nobody_else_has_written(kind: Kind) -> None:
    """
    Where it says so, the pages that its owner has kept are those that there are.
    """
    log = await kind.open()
    first = await log.claim(0)
    await log.settle(first, [("a", b"1")], [], {COMMANDS: 1})
    again = await log.claim(0)
    await log.settle(again, [("a", b"2")], [], {COMMANDS: 2})
    other = await kind.colleague(log)
    between = await other.claim(0)
    await other.settle(between, [("a", b"3")], [], {COMMANDS: 3})

    after = await log.claim(0)

    assert not first.warm
    assert other is log or not (between.warm or after.warm)
    assert (after.positions[COMMANDS], await pages_of(log, after)) == (3, {"a": b"3"})


async def test_settles_wait_their_turn(kind: Kind) -> None:
    """
    Settles of one claim that are begun together take effect in the order in which they were begun.
    """
    log = await kind.open()
    claim = await log.claim(0)

    await asyncio.gather(
        *(log.settle(claim, [("a", b"%d" % n)], [result(b"%d" % n)], {COMMANDS: n}) for n in range(20))
    )

    claim = await log.claim(0)
    assert claim.positions[COMMANDS] == 19
    assert await pages_of(log, claim) == {"a": b"19"}
    assert [b"%d" % n for n in range(20)] == await results_of(log)


STORY: list[tuple[dict[str, bytes | None], list[bytes]]] = [
    ({"a": b"1", "b": b"1"}, [b"1x", b"1y"]),
    ({"b": None, "a": b"2"}, [b"2x"]),
]
AFTER: list[tuple[dict[str, bytes], set[bytes]]] = [
    ({}, set()),
    ({"a": b"1", "b": b"1"}, {b"1x", b"1y"}),
    ({"a": b"2"}, {b"1x", b"1y", b"2x"}),
]


@pytest.mark.parametrize("number", range(14))  # No kind makes more writes of the story.
@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.GO])
async def test_an_owner_that_stops_anywhere_leaves_all_or_nothing(kind: Kind, fate: Fate, number: int) -> None:
    """
    Cut short at any write, a settle is found by the next owner complete, with all its outputs as they were, or not.
    """
    log = await kind.open((number, fate))
    acknowledged = 0

    async def own() -> None:
        nonlocal acknowledged
        claim = await log.claim(0)
        for pages, outputs in STORY:
            await log.settle(claim, list(pages.items()), [result(v) for v in outputs], {COMMANDS: acknowledged + 1})
            acknowledged += 1

    await kind.survive(log, own())
    log = await kind.open()
    claim = await log.claim(0)

    done = claim.positions[COMMANDS]
    assert acknowledged <= done <= acknowledged + 1
    pages, outputs = AFTER[done]
    assert pages == await pages_of(log, claim)
    assert outputs == set(await results_of(log))
    assert claim.positions[NOW] == 0


async def test_a_claim_that_fails_can_be_made_again(kind: Kind) -> None:
    """
    Whatever befalls a first claim, the next one begins at the beginning.
    """
    for fate in (Fate.REFUSE, Fate.LOSE, Fate.LOSE_ACK, Fate.STOP_BEFORE, Fate.STOP_AFTER):
        log = await kind.open((0, fate))

        async def claim(log: Log = log) -> None:
            await log.claim(0)

        await kind.survive(log, claim())

    assert dict.fromkeys(INPUTS, 0) == (await (await kind.open()).claim(0)).positions
