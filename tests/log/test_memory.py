"""The cruelties of the in-memory log: that they happen, and what is left of their victims."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from cordboard.log.cruelty import Cruelty, Fate, Killed, Step, by_chance, gentle, scripted
from cordboard.log.ledger import Owing, PageWritten
from cordboard.log.memory import MemoryLog
from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.port import AppendUncertain, Fenced, LogUnavailable, NewRecord, PositionsLost, TopicPartition
from tests.log.kinds import COMMANDS, INPUTS, LETTERS, PARTITIONS, RESULTS, TOPICS, HandClock

AT = TopicPartition(RESULTS, 0)


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker(TOPICS, PARTITIONS, HandClock(), INPUTS)


def result(value: bytes) -> NewRecord:
    return NewRecord(RESULTS, b"", value, (), 0)


async def results(broker: MemoryBroker) -> list[bytes]:
    return [record.value for record in await MemoryLog(broker).reader({AT: 0}).read(0)]


class Frozen:
    """Stands still at the first write of a step, until it is let go."""

    def __init__(self, step: Step) -> None:
        self._step: Step | None = step
        self.reached, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, step: Step) -> Fate:
        if step is self._step:
            self._step = None
            self.reached.set()
            await self.go.wait()
        return Fate.GO


@pytest.mark.parametrize(
    ("fate", "there", "error"),
    [
        (Fate.GO, 1, None),
        (Fate.TWICE, 2, None),
        (Fate.REFUSE, 0, LogUnavailable),
        (Fate.LOSE, 0, AppendUncertain),
        (Fate.LOSE_ACK, 1, AppendUncertain),
        (Fate.STOP_BEFORE, 0, Killed),
        (Fate.STOP_AFTER, 1, Killed),
    ],
)
async def test_each_fate_is_what_it_says(
    broker: MemoryBroker, fate: Fate, there: int, error: type[BaseException] | None
) -> None:
    """
    How often the record is there, and what its writer is told.
    """
    log = MemoryLog(broker, scripted([(Step.APPEND, fate)]))
    told: type[BaseException] | None = None
    try:
        await log.append([result(b"x")])
    except BaseException as raised:
        told = type(raised)

    assert told is error
    assert await results(broker) == [b"x"] * there


async def test_a_request_written_in_part_is_uncertain(broker: MemoryBroker) -> None:
    """
    LogUnavailable would say that nothing of it is there.
    """
    log = MemoryLog(broker, scripted([(Step.APPEND, Fate.GO), (Step.APPEND, Fate.REFUSE)]))

    with pytest.raises(AppendUncertain):
        await log.append([result(b"1"), result(b"2")])

    assert await results(broker) == [b"1"]


async def test_the_dead_do_nothing_more(broker: MemoryBroker) -> None:
    """
    After its death a process's calls all raise Killed, those that were waiting too.
    """
    frozen = Frozen(Step.APPEND)
    log = MemoryLog(broker, frozen)
    waiting = asyncio.ensure_future(log.append([result(b"late")]))
    await frozen.reached.wait()

    await log.kill()
    frozen.go.set()

    with pytest.raises(Killed):
        await waiting
    with pytest.raises(Killed):
        await log.claim(0)
    assert await results(broker) == []


@pytest.mark.parametrize("step", [Step.PAGE, Step.OWING, Step.OUTPUT, Step.DONE])
async def test_a_zombie_thawed_in_the_middle_of_a_settle(broker: MemoryBroker, step: Step) -> None:
    """
    It goes on where it stood, after another has claimed: it is fenced, and what it adds is at most a copy.
    """
    frozen = Frozen(step)
    log = MemoryLog(broker, frozen)
    claim = await log.claim(0)
    settling = asyncio.ensure_future(log.settle(claim, [("a", b"1")], [result(b"1x"), result(b"1y")], {COMMANDS: 1}))
    await frozen.reached.wait()
    other = MemoryLog(broker)
    taken = await other.claim(0)
    found = dict(taken.positions), [page async for page in other.pages(taken)], await results(broker)

    frozen.go.set()
    with pytest.raises(Fenced):
        await settling

    heir = MemoryLog(broker)
    last = await heir.claim(0)
    assert (last.positions, [page async for page in heir.pages(last)]) == found[:2]
    assert set(found[2]) == set(await results(broker))
    assert set(found[2]) == ({b"1x", b"1y"} if found[1] else set())


async def test_a_page_of_a_void_claim_does_not_count(broker: MemoryBroker) -> None:
    """
    It is in the ledger, after the other's claim, and nobody minds it.
    """
    zombie = MemoryLog(broker)
    claim = await zombie.claim(0)
    owner = MemoryLog(broker)
    await owner.claim(0)
    with pytest.raises(Fenced):
        await zombie.settle(claim, [("a", b"stale")], [], {})

    assert any(isinstance(entry, PageWritten) for _, entry in broker.entries(0))
    assert broker.ledger(0).pages == {}


async def test_what_is_owed_is_paid_byte_for_byte(broker: MemoryBroker) -> None:
    """
    A new owner sends the very records that the last one owed, headers and partition included, before it reads.
    """
    owed = (NewRecord(RESULTS, b"k", b"\0v", (("h", b"1"),), 3), NewRecord(LETTERS, None, b"w"))
    log = MemoryLog(broker, scripted([(Step.OUTPUT, Fate.STOP_BEFORE)]))
    claim = await log.claim(0)
    with pytest.raises(Killed):
        await log.settle(claim, [("a", b"1")], owed, {COMMANDS: 5})
    assert [entry.outputs for _, entry in broker.entries(0) if isinstance(entry, Owing)] == [owed]

    log = MemoryLog(broker)
    claim = await log.claim(0)

    assert claim.positions[COMMANDS] == 5
    reader = log.reader({TopicPartition(RESULTS, 3): 0, TopicPartition(LETTERS, 0): 0})
    assert [(r.key, r.value, r.headers) for r in await reader.read(0)] == [(o.key, o.value, o.headers) for o in owed]


async def test_lost_positions_stop_the_owner(broker: MemoryBroker) -> None:
    """
    A partition that was owned before and has no positions is not begun anew.
    """
    await MemoryLog(broker).claim(0)
    broker.lose_positions(0)

    with pytest.raises(PositionsLost):
        await MemoryLog(broker).claim(0)


async def test_the_seats_of_the_dead_are_given_on(broker: MemoryBroker) -> None:
    """
    A process that dies is not asked; its partitions go to who is left, and it cannot commit.
    """

    class Listener:
        held = frozenset[int]()

        async def assigned(self, partitions: frozenset[int]) -> None:
            self.held |= partitions

        async def revoked(self, partitions: frozenset[int]) -> None:
            raise AssertionError("the dead are not asked")

    dying, living = MemoryLog(broker), MemoryLog(broker)
    first = Listener()
    member = await dying.join("g", LETTERS, first)
    second = Listener()
    await living.join("g", LETTERS, second)

    await dying.kill()

    assert second.held == {0}
    with pytest.raises(Killed):
        await member.commit({0: 1})


async def test_chance_is_repeatable_and_in_proportion() -> None:
    """
    The same seed decides the same; a fate comes about as often as it is likely.
    """

    async def drawn(cruelty: Cruelty) -> list[Fate]:
        return [await cruelty(Step.APPEND) for _ in range(1_000)]

    odds = {Fate.TWICE: 0.1, Fate.REFUSE: 0.2}
    once, again = await drawn(by_chance(Random(7), odds)), await drawn(by_chance(Random(7), odds))

    assert once == again
    assert 50 < once.count(Fate.TWICE) < 150 < once.count(Fate.REFUSE) < 250
    assert set(await drawn(gentle)) == {Fate.GO}
