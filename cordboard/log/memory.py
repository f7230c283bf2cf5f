"""The in-memory log: the port as a log that can only append would keep it, with as much cruelty as a test asks for.

It works as the Kafka log must: pages one by one into a ledger partition, then what they owe, then the outputs, then
the positions, each a write of its own between any two of which the owner may stop, be doubled, or come back from the
dead. A `MemoryLog` is one process; all that connect to one `MemoryBroker` share what is written.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from cordboard.log.cruelty import Cruelty, Fate, Killed, Step, gentle
from cordboard.log.groups import Seat
from cordboard.log.ledger import ClaimMade, Done, Entry, Genesis, Owing, PageWritten, SettleId
from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.memory_reader import MemoryReader
from cordboard.log.port import (
    Appended,
    AppendUncertain,
    Claim,
    Fenced,
    GroupListener,
    LogUnavailable,
    Member,
    NewRecord,
    PositionsLost,
    Reader,
    TopicPartition,
)

T = TypeVar("T")


class MemoryLog:
    """One process's connection to a broker."""

    def __init__(self, broker: MemoryBroker, cruelty: Cruelty = gentle) -> None:
        self._broker = broker
        self._cruelty = cruelty
        self._readers: dict[MemoryReader, None] = {}
        self._members: list[tuple[str, str, Seat]] = []
        self._tips: dict[tuple[int, int], int] = {}  # By claim in force: the offset of its last entry.
        self._settles: dict[int, int] = defaultdict(int)
        self._turns: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._gone: type[Killed] | type[LogUnavailable] | None = None
        self._expelled: set[asyncio.Task[None]] = set()  # Kept, so that nobody collects them before they end.

    @property
    def healthy(self) -> bool:
        """See the port."""
        return self._gone is None

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See the port."""
        appended: list[Appended] = []
        places = [self._place(record) for record in records]
        for place, record in zip(places, records, strict=True):
            try:
                appended.append(await self._write(Step.APPEND, partial(self._broker.append, place, record)))
            except LogUnavailable as error:
                if not appended:
                    raise
                raise AppendUncertain("a part of the records was written") from error
        return appended

    def partitions(self, topic: str) -> int:
        """See the port."""
        return self._broker.counts[topic]

    def partition_for(self, topic: str, key: bytes) -> int:
        """See the port."""
        return zlib.crc32(key) % self._broker.counts[topic]

    async def start(self, at: TopicPartition) -> int:
        """See the port. Nothing is ever forgotten here."""
        self._must_be_open()
        return 0

    async def end(self, at: TopicPartition) -> int:
        """See the port."""
        self._must_be_open()
        return self._broker.partitions[at].next

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        """See the port."""
        self._must_be_open()
        partition = self._broker.partitions[at]
        return next((record.offset for record in partition.records if record.time_ms >= time_ms), partition.next)

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See the port."""
        self._must_be_open()
        reader = MemoryReader(self._broker, positions)
        self._readers[reader] = None
        return reader

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        """See the port."""
        self._must_be_open()
        member = await self._broker.group(group, topic).add(listener, name)
        self._members.append((group, topic, member))
        return _CruelMember(member, self._before, self._after)

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        """See the port."""
        self._must_be_open()
        return self._broker.group(group, topic).holders()

    async def claim(self, partition: int) -> Claim:
        """See the port. Raises PositionsLost."""
        self._must_be_open()
        ledger = self._broker.ledger(partition)
        if ledger.epoch is None and not ledger.positions:
            # Before the claim, so that an owner who stops between the two leaves no claim without positions.
            await self._enter(Step.GENESIS, partition, Genesis(dict.fromkeys(self._broker.inputs, 0)))
        tip = max(((epoch, tip) for (number, epoch), tip in self._tips.items() if number == partition), default=None)
        epoch = await self._enter(Step.CLAIM, partition, ClaimMade())
        # Right behind our own last entry: nobody else has written.
        claim = Claim(partition, epoch, warm=tip is not None and epoch == tip[1] + 1)
        self._tips[partition, epoch] = epoch
        try:
            await self._take_over(claim)
        except BaseException:
            self._void(claim)
            raise
        return claim

    async def _take_over(self, claim: Claim) -> None:
        """Send what the last pages owe, and write the right ones behind those that do not count."""
        ledger = self._broker.ledger(claim.partition)
        for owing in list(ledger.owed.values()):
            await self._pay(claim, owing)
        claim.positions = dict(ledger.positions)
        if missing := [topic for topic in self._broker.inputs if topic not in claim.positions]:
            raise PositionsLost(f"partition {claim.partition} has no positions for {', '.join(missing)}")
        if stale := ledger.stale:
            await self._settle(claim, [(key, ledger.pages.get(key)) for key in sorted(stale)], (), {})

    async def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        """See the port. Raises Fenced."""
        self._must_hold(claim)
        for page in list(self._broker.ledger(claim.partition).pages.items()):
            yield page

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        """See the port."""
        async with self._turns[claim.partition]:
            self._must_hold(claim)
            try:
                await self._settle(claim, pages, outputs, positions)
            except BaseException:
                self._void(claim)
                raise

    async def kill(self) -> None:
        """End the process without a word: its seats go to others, its readers and writers stop where they are."""
        await asyncio.gather(*self._die())

    def _die(self) -> list[asyncio.Task[None]]:
        """Stop now; the others learn of it in their own time, for what dies in a rebalance cannot wait for its end."""
        self._gone = Killed
        self._stop_readers()
        expelled = [
            asyncio.create_task(self._broker.group(group, topic).expel(member))
            for group, topic, member in self._members
        ]
        self._expelled.update(expelled)
        return expelled

    async def close(self) -> None:
        """See the port."""
        self._gone = self._gone or LogUnavailable
        self._stop_readers()

    async def _settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        self._settles[claim.epoch] += 1
        settle = SettleId(claim.epoch, self._settles[claim.epoch])
        for key, value in pages:
            await self._enter_next(Step.PAGE, claim, PageWritten(claim.epoch, settle, key, value))
        owing = Owing(claim.epoch, settle, tuple(outputs), dict(positions))
        await self._enter_next(Step.OWING, claim, owing)
        await self._pay(claim, owing)

    async def _pay(self, claim: Claim, owing: Owing) -> None:
        for output in owing.outputs:
            place = self._place(output)
            await self._write(Step.OUTPUT, partial(self._broker.append, place, output))
        await self._enter_next(Step.DONE, claim, Done(claim.epoch, owing.settle, owing.positions))

    async def _enter_next(self, step: Step, claim: Claim, entry: Entry) -> None:
        self._must_hold(claim)
        tip = self._tips[claim.partition, claim.epoch]
        offset = await self._enter(step, claim.partition, entry)
        if offset != tip + 1:
            raise Fenced(f"partition {claim.partition}: somebody else wrote before {offset}")
        self._tips[claim.partition, claim.epoch] = offset

    async def _enter(self, step: Step, partition: int, entry: Entry) -> int:
        return await self._write(step, lambda: self._broker.append_entry(partition, entry))

    async def _write(self, step: Step, write: Callable[[], T]) -> T:
        fate = await self._before(step)
        result = write()
        if fate is Fate.TWICE:
            write()
        await self._after(step, fate)
        return result

    async def _before(self, step: Step) -> Fate:
        self._must_be_open()
        fate = await self._cruelty(step)
        self._must_be_open()  # It may have been long.
        if fate is Fate.REFUSE:
            raise LogUnavailable(f"{step}: refused")
        if fate is Fate.LOSE:
            raise AppendUncertain(f"{step}: lost")
        if fate is Fate.STOP_BEFORE:
            self._die()
            raise Killed
        return fate

    async def _after(self, step: Step, fate: Fate) -> None:
        if fate is Fate.LOSE_ACK:
            raise AppendUncertain(f"{step}: written, but the acknowledgement was lost")
        if fate is Fate.STOP_AFTER:
            self._die()
            raise Killed

    def _place(self, record: NewRecord) -> int:
        return self.partition_for(record.topic, record.key or b"") if record.partition is None else record.partition

    def _must_be_open(self) -> None:
        if self._gone is not None:
            raise self._gone("this log is closed")

    def _must_hold(self, claim: Claim) -> None:
        self._must_be_open()
        if (claim.partition, claim.epoch) not in self._tips:
            raise Fenced(f"partition {claim.partition}: claim {claim.epoch} is void")

    def _void(self, claim: Claim) -> None:
        self._tips.pop((claim.partition, claim.epoch), None)

    def _stop_readers(self) -> None:
        for reader in self._readers:
            reader.stop()


class _CruelMember:
    """A seat whose commits are writes like any other."""

    def __init__(
        self, seat: Seat, before: Callable[[Step], Awaitable[Fate]], after: Callable[[Step, Fate], Awaitable[None]]
    ) -> None:
        self._seat = seat
        self._before = before
        self._after = after

    async def commit(self, offsets: Mapping[int, int]) -> None:
        """See the port."""
        fate = await self._before(Step.COMMIT)
        await self._seat.commit(offsets)
        await self._after(Step.COMMIT, fate)

    async def committed(self, partition: int) -> int | None:
        """See the port."""
        return await self._seat.committed(partition)

    async def leave(self) -> None:
        """See the port."""
        await self._seat.leave()
