"""Whole dispatchers that race, fail, die and come back on a cruel log: what senders and Telnyx see stays true."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from random import Random

import pytest

from cordboard.cloudevents import header
from cordboard.log.cruelty import Cruelty, Fate, Killed, Step, by_chance, gentle
from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.port import LogError
from cordboard.v1 import result_pb2
from cordboard.work import Work
from tests.dispatcher.harness import TOPICS, HandClock, Stage, connect, make_broker, speak

CALLS = 4
COMMANDS = 40


def restless(random: Random) -> Cruelty:
    """Every write of an owner may fail, be lost, be doubled, or be its last; in between, others have their say."""
    odds = {fate: 0.02 for fate in Fate if fate is not Fate.GO}
    chance = by_chance(random, odds)

    async def decide(step: Step) -> Fate:
        for _ in range(random.choice((0, 1, 2, 30))):
            await asyncio.sleep(0)
        return await chance(step)

    return decide


class Hands:
    """Workers that do what is released, each attempt's first record once, and write down what Telnyx got."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._done: set[tuple[str, str, int]] = set()
        self.sent: list[Work] = []

    async def work(self) -> None:
        for work in await self._stage.works():
            name = (work.key, work.command_id, work.attempt)
            if name not in self._done:
                self._done.add(name)
                self.sent.append(work)
                await self._stage.report(work)


async def live_and_die(broker: MemoryBroker, clock: HandClock, random: Random) -> None:
    """A few lives of a dispatcher process, one after the other; the last breath of each comes by surprise."""
    for _ in range(4):
        log = connect(broker, restless(random))
        stage = Stage(log, clock)
        try:
            await stage.dispatcher.start()
            for _ in range(random.randint(5, 120)):
                await asyncio.sleep(0)
            if random.random() < 0.3:
                await stage.dispatcher.stop()
        except (LogError, Killed):
            pass
        await log.kill()
        for _ in range(random.choice((0, 3, 50))):
            await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(20))
async def test_one_result_each_and_every_call_in_order(seed: int) -> None:
    """
    However owners end: one result per command under one id, each attempt's bytes equal, a call's order unbroken.
    """
    random, clock = Random(seed), HandClock()
    broker = make_broker(clock)
    outside = Stage(connect(broker, gentle), clock)
    hands = Hands(outside)
    accepted: dict[str, list[str]] = defaultdict(list)

    async def senders() -> None:
        for number in range(COMMANDS):
            call = f"call-{random.randrange(CALLS)}"
            await outside.submit(speak(f"{number}", call))
            accepted[call].append(f"{number}")
            await hands.work()
            await asyncio.sleep(0)

    await asyncio.gather(senders(), live_and_die(broker, clock, random), live_and_die(broker, clock, random))
    await finish(broker, clock, hands)

    await check(outside, hands, accepted)


async def finish(broker: MemoryBroker, clock: HandClock, hands: Hands) -> None:
    """Faults are over: one calm dispatcher must bring everything to its end."""
    calm = Stage(connect(broker), clock)
    await calm.dispatcher.start()
    await calm.dispatcher.settled()
    async with asyncio.timeout(60):
        for _ in range(8):
            before = -1
            while before != len(hands.sent):
                before = len(hands.sent)
                await calm.applied()
                await hands.work()
            clock.time_ms += 15_000
            await calm.applied()
    await calm.dispatcher.stop()


async def check(outside: Stage, hands: Hands, accepted: dict[str, list[str]]) -> None:
    """Hold what came out against what was accepted."""
    results = await outside.all_of(TOPICS.results)
    ids = defaultdict(set)
    for record in results:
        kind = header(record.headers, "ce_type")
        if kind == "cordboard.command.result.v1":
            result = result_pb2.CommandResult.FromString(record.value)
            ids[result.command_id].add((header(record.headers, "ce_id"), result.state))
    assert {name for names in accepted.values() for name in names} == set(ids)
    assert {name: len(seen) for name, seen in ids.items() if len(seen) != 1} == {}

    bodies = defaultdict(set)
    for work in await outside.works():
        bodies[work.command_id].add(work.body)
    assert {name for name, seen in bodies.items() if len(seen) > 1} == set()

    for call, names in accepted.items():
        first_sent = list(dict.fromkeys(work.command_id for work in hands.sent if work.key == call))
        expired = {name for name in names if name not in first_sent}
        assert [name for name in names if name not in expired] == first_sent
    attempts = Counter((work.command_id, work.attempt) for work in hands.sent)
    assert max(attempts.values()) == 1
