"""Owners that race, fail, die and come back from the dead, on every log; the inputs' effects are then counted."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from random import Random

import pytest

from cordboard.log.cruelty import Killed
from cordboard.log.port import Claim, Log, LogError, NewRecord, Record, TopicPartition
from tests.log.kinds import COMMANDS, NOW, RESULTS, Kind

INPUTS_WRITTEN = 60
CALLS = 5


class Owner:
    """Applies inputs to pages, once each. Its results name it, so that a decision made twice would show."""

    def __init__(self, log: Log, random: Random) -> None:
        self._log = log
        self._random = random
        self.claim: Claim | None = None  # Kept when others have long claimed: that makes a zombie.
        self._pages: dict[str, list[str]] = {}

    async def take_over(self) -> None:
        """Claim, and read the pages."""
        self.claim = None
        claim = await self._log.claim(0)
        self._pages = {key: json.loads(page) async for key, page in self._log.pages(claim)}
        self.claim = claim

    async def work(self) -> bool:
        """Settle the next few inputs; False when there are none."""
        if self.claim is None:
            await self.take_over()
        claim = self.claim
        assert claim is not None
        starts = {TopicPartition(topic, 0): claim.positions[topic] for topic in (NOW, COMMANDS)}
        is_more = any([await self._log.end(at) > offset for at, offset in starts.items()])
        reader = self._log.reader(starts)
        inputs = await reader.read(5.0 if is_more else 0, self._random.randint(1, 4))
        positions = {at.topic: offset for at, offset in reader.positions().items()}
        await reader.close()
        try:
            await self._settle(claim, inputs, positions)
        except BaseException:
            self.claim = None
            raise
        return bool(inputs)

    async def _settle(self, claim: Claim, inputs: list[Record], positions: dict[str, int]) -> None:
        changed: dict[str, list[str]] = {}
        outputs: list[NewRecord] = []
        for record in inputs:
            key = (record.key or b"").decode()
            decision = f"{record.value.decode()}:{self._random.getrandbits(64):x}"
            changed[key] = [*changed.get(key, self._pages.get(key, [])), decision]
            outputs.append(NewRecord(RESULTS, record.key, decision.encode(), (), 0))
        pages = [(key, json.dumps(page).encode()) for key, page in changed.items()]
        await self._log.settle(claim, pages, outputs, positions)
        self._pages |= changed
        claim.positions |= positions


async def live(kind: Kind, random: Random) -> None:
    """A few owners' lives, one after the other."""
    for _ in range(4):
        owner = Owner(await kind.restless(random), random)
        for _ in range(random.randint(3, 25)):
            task = asyncio.ensure_future(owner.work())
            if random.random() < 0.1:
                for _ in range(random.randint(0, 3)):
                    await asyncio.sleep(0)
                task.cancel()
            try:
                await task
            except LogError:
                owner.claim = None
            except Killed:
                break
            except asyncio.CancelledError:
                pass  # What it was doing may or may not have been done.
            for _ in range(random.choice((0, 0, 1, 30))):
                await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(12))
async def test_every_input_takes_effect_once_whoever_owns(kind: Kind, seed: int) -> None:
    """
    Pages show every input once and in order; every decision in them came out, unchanged, and no other ever did.
    """
    random = Random(seed)
    log = await kind.open()
    written: dict[str, list[str]] = defaultdict(list)

    async def write() -> None:
        for n in range(INPUTS_WRITTEN):
            topic, call = random.choice((NOW, COMMANDS)), f"call-{random.randrange(CALLS)}"
            await log.append([NewRecord(topic, call.encode(), f"{topic}/{n}".encode(), (), 0)])
            written[f"{topic} {call}"].append(f"{topic}/{n}")
            await asyncio.sleep(0)

    await asyncio.gather(write(), *(live(kind, random) for _ in range(3)))
    calm = Owner(await kind.open(), random)
    while await calm.work():
        pass

    await check(await kind.open(), written)


async def check(log: Log, written: dict[str, list[str]]) -> None:
    claim = await log.claim(0)
    decisions: list[str] = []
    applied: dict[str, list[str]] = defaultdict(list)
    async for call, page in log.pages(claim):
        for decision in json.loads(page):
            name = decision.split(":")[0]
            applied[f"{name.split('/')[0]} {call}"].append(name)
            decisions.append(decision)
    at = TopicPartition(RESULTS, 0)
    reader, came_out, end = log.reader({at: 0}), set[str](), await log.end(at)
    while reader.positions()[at] < end:
        came_out |= {record.value.decode() for record in await reader.read(5.0)}

    assert written == applied  # Each input once, in the order of its topic.
    assert set(decisions) == came_out  # Everything decided came out, and nothing that was not.
