"""The log as a Kafka client has it: every write travels to the broker and its acknowledgement back, and either may not.

What is written and in what order is the product's own in-memory log (cordboard/log/memory.py); here are the roads. A
write that has left arrives although its sender dies meanwhile; an acknowledgement that is lost is missed after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, Final, TypeVar

from cordboard.log.cruelty import Step
from cordboard.log.ledger import Done, Entry, Owing, PageWritten, SettleId
from cordboard.log.memory import MemoryLog
from cordboard.log.port import (
    AppendUncertain,
    Claim,
    GroupListener,
    LogError,
    LogUnavailable,
    Member,
    NewRecord,
    Reader,
    TopicPartition,
)
from simulation.breakage import Breakage, Broken
from simulation.broker import JournalBroker
from simulation.faults import WriteFate
from simulation.groups import Place, ServedGroup
from simulation.loop import Life
from simulation.reading import DelayedReader

T = TypeVar("T")
PATIENCE_SECONDS: Final = 3.0  # After which a write without an acknowledgement is given up.
LATE_SECONDS: Final = 6.0
_UNHEARD: Final = frozenset({WriteFate.LOSE, WriteFate.LOSE_ACK, WriteFate.LATE})
Fates = Callable[[Step], WriteFate]


class KafkaLikeLog(MemoryLog):
    """One life's connection. `fates` is asked before every write; `broker_life` is where what has left goes on."""

    def __init__(
        self,
        broker: JournalBroker,
        life: Life,
        broker_life: Life,
        group: Callable[[str, str], ServedGroup],
        fates: Fates,
        rng: Random,
        broken: Broken,
    ) -> None:
        super().__init__(broker)
        self._journal = broker
        self._life = life
        self._broker_life = broker_life
        self._served = group
        self._fates = fates
        self._rng = rng
        self._broken = broken

    async def end(self, at: TopicPartition) -> int:
        """See the port."""
        await self.travel()
        return await super().end(at)

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        """See the port."""
        await self.travel()
        return await super().offset_at(at, time_ms)

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See the port."""
        self._must_be_open()
        reader = DelayedReader(
            self._journal, positions, self._delay, self._life, _nothing_is_under_way, self._rng.random
        )
        self._readers[reader] = None
        return reader

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        """See the port."""
        await self.travel()
        served = self._served(group, topic)
        return _Seat(self, served, await served.join(self._life, listener, name), self._broken)

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        """See the port."""
        await self.travel()
        return self._served(group, topic).holders()

    async def commit(self, served: ServedGroup, place: Place, offsets: Mapping[int, int]) -> None:
        """A seat's commit: a write like any other."""
        await self._write(Step.COMMIT, lambda: served.commit(place, offsets))

    async def travel(self) -> None:
        """Ask the broker something."""
        self._must_be_open()
        await asyncio.sleep(self._delay())
        self._must_be_open()
        if self._life.cut_off:
            raise LogUnavailable("no way to the log")

    def _delay(self) -> float:
        """How long one way takes (seconds): mostly a millisecond or two, sometimes a tenth of a second."""
        drawn = self._rng.random()
        return 0.0005 + drawn * 0.002 if drawn < 0.97 else 0.02 + (drawn - 0.97) * 4

    async def _write(self, step: Step, write: Callable[[], T]) -> T:
        self._must_be_open()
        fate = self._fates(step)
        if fate is WriteFate.STOP_BEFORE:
            self._life.end()
        if fate is WriteFate.REFUSE or self._life.cut_off:
            await asyncio.sleep(self._delay())
            raise LogUnavailable(f"{step}: refused")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        # Commits of a group go over one connection, in order: none of them comes late.
        away = LATE_SECONDS if fate is WriteFate.LATE and step is not Step.COMMIT else self._delay()
        there = self._broker_life.context
        if fate is not WriteFate.LOSE:
            arrive = partial(self._arrive, step, write, done, fate, self._delay())
            loop.call_later(away, arrive, context=there)
        if fate in _UNHEARD:
            missed = AppendUncertain(f"{step}: no acknowledgement")
            loop.call_later(PATIENCE_SECONDS, _resolve, done, None, missed, context=there)
        return await done

    def _arrive(
        self, step: Step, write: Callable[[], T], done: asyncio.Future[T], fate: WriteFate, back: float
    ) -> None:
        """It is at the broker: it happens, and its acknowledgement sets out, unless that is its fate."""
        result, error = None, None
        with self._journal.writing(f"{self._life.name}: {step}"):
            try:
                result = write()
                if fate is WriteFate.TWICE:
                    write()
            except LogError as refused:
                error = refused
        if fate is WriteFate.STOP_AFTER:
            self._life.end()
        if fate not in _UNHEARD:
            asyncio.get_running_loop().call_later(back, _resolve, done, result, error)

    async def _enter_next(self, step: Step, claim: Claim, entry: Entry) -> None:
        if self._broken & {Breakage.NO_CONTIGUITY, Breakage.NEITHER_FENCE}:
            self._must_hold(claim)
            await self._enter(step, claim.partition, entry)
        else:
            await super()._enter_next(step, claim, entry)

    async def _pay(self, claim: Claim, owing: Owing) -> None:
        if Breakage.NOTHING_OWED in self._broken and owing.epoch != claim.epoch:
            await self._enter_next(Step.DONE, claim, Done(claim.epoch, owing.settle, owing.positions))
        else:
            await super()._pay(claim, owing)

    async def _settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        if not self._broken & {Breakage.POSITIONS_FIRST, Breakage.OUTPUTS_FIRST}:
            await super()._settle(claim, pages, outputs, positions)
            return
        self._settles[claim.epoch] += 1
        settle = SettleId(claim.epoch, self._settles[claim.epoch])
        if Breakage.OUTPUTS_FIRST in self._broken:
            await self._send(outputs)
        for key, value in pages:
            await self._enter_next(Step.PAGE, claim, PageWritten(claim.epoch, settle, key, value))
        await self._enter_next(Step.OWING, claim, Owing(claim.epoch, settle, tuple(outputs), dict(positions)))
        await self._enter_next(Step.DONE, claim, Done(claim.epoch, settle, positions))
        if Breakage.POSITIONS_FIRST in self._broken:
            await self._send(outputs)

    async def _send(self, outputs: Sequence[NewRecord]) -> None:
        for output in outputs:
            await self._write(Step.OUTPUT, partial(self._journal.append, self._place(output), output))


class _Seat:
    """A seat whose commits travel."""

    def __init__(self, log: KafkaLikeLog, served: ServedGroup, place: Place, broken: Broken) -> None:
        self._log = log
        self._served = served
        self._place = place
        self._broken = broken

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """See the port."""
        if Breakage.NO_RESERVATION not in self._broken:
            await self._log.commit(self._served, self._place, offsets)

    async def committed(self, partition: int) -> int | None:
        """See the port."""
        await self._log.travel()
        return self._served.commits.get(partition)

    async def leave(self) -> None:
        """See the port."""
        await self._served.leave(self._place)


def _nothing_is_under_way(time_ms: int) -> bool:
    """A broker has no batch in hand that is older than what it shows."""
    return True


def _resolve(done: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)
