"""Owners on a log behind seals: nothing changes for them, and what does not open stops them rather than being lost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.sealed import SealedLog
from cordboard.log.sealing import Key, Sealing
from cordboard.v1 import result_pb2
from dispatcher.observing import Lost
from tests.dispatcher.harness import ACCOUNTS, PARTITIONS, TOPICS, HandClock, Stage, connect, make_broker, speak, staged

OLD, NEW = Key("old", b"o" * 32), Key("new", b"n" * 32)
PUBLIC = frozenset(TOPICS.public.values())


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def sealed(broker: MemoryBroker, keys: Sequence[Key]) -> SealedLog:
    """A process's connection: what is internal is sealed; each look into the file of keys finds what is there."""
    looks = itertools.count(0, 10)
    names = {spec.name for spec in TOPICS.specs(ACCOUNTS.addresses, PARTITIONS)}
    return SealedLog(connect(broker), Sealing(lambda: keys, now=lambda: next(looks)), names - PUBLIC, TOPICS.ledger)


async def test_a_call_goes_its_way_behind_seals(clock: HandClock):
    """
    Over a restart with a new key, and from a time before there was one.
    """
    broker = make_broker(clock)
    async with staged(connect(broker), clock) as plain:
        await plain.submit(speak("a"))
        await plain.applied()
    async with staged(sealed(broker, [OLD]), clock) as before:
        [work] = await before.works()
        await before.report(work)
        await before.submit(speak("b"))
        await before.applied()
    async with staged(sealed(broker, [OLD, NEW]), clock) as after:
        await after.report((await after.works())[1])
        await after.applied()

        assert [(one.command_id, one.state) for one in await after.results()] == [
            ("a", result_pb2.STATE_SUCCEEDED),
            ("b", result_pb2.STATE_SUCCEEDED),
        ]


async def test_a_partition_stands_still_at_what_does_not_open_and_goes_on_by_itself(clock: HandClock):
    """
    An outcome whose key is missing: no result, no dead letter, not ready; once the key is there, all that was to be.
    """
    broker, keys = make_broker(clock), [OLD]
    stranger = Stage(sealed(broker, [OLD, NEW]), clock)
    async with staged(sealed(broker, keys), clock) as stage:
        await stage.submit(speak("a"))
        await stage.applied()
        [work] = await stage.works()
        await stranger.report(work)
        await stage.submit(speak("b"))
        number = stage.log.partition_for(TOPICS.commands, b"A")
        await stage.until(lambda: stage.seen.count(Lost(number, "log")) > 1)

        assert (await stage.results(), await stage.all_of(TOPICS.dead_letters)) == ([], [])
        keys.append(NEW)
        await stage.until(lambda: number not in stage.dispatcher.restoring)
        await stage.applied()

        assert [one.command_id for one in await stage.results()] == ["a"]
        assert [one.command_id for one in await stage.works()] == ["a", "b"]
        assert await stage.all_of(TOPICS.dead_letters) == []
