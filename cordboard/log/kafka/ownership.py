"""An owner's side of the log: claims, pages, settles, in the order that ledger.py's rules ask for.

A settle is two writes that are waited for: the pages with what they owe, in one batch; then the outputs. That the
inputs are done is written behind them after a moment, unless the next settle has said so by then. A batch stands whole
in the ledger or not at all, right behind the owner's last one; where something else stands there, or nobody knows
where it stands, the claim is void.

Nothing has to be read for a claim that stands right behind this process's own last entry: nobody else has written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from cordboard.log.kafka.entries import Stored, to_stored
from cordboard.log.kafka.events import Claimed, Observer
from cordboard.log.kafka.restore import Restored, Restorer
from cordboard.log.kafka.writer import Placed, batches
from cordboard.log.ledger import ClaimMade, Done, Entry, Genesis, Ledger, Owing, PageWritten, SettleId
from cordboard.log.port import (
    Appended,
    AppendUncertain,
    Claim,
    Fenced,
    LogError,
    NewRecord,
    PositionsLost,
    TopicPartition,
)

PAGES_AT_ONCE: Final = 500
CLOSE_SECONDS: Final = 1.0
DONE_SECONDS: Final = 0.05  # How long the entry that says so waits for a next settle to say it instead.


class Writing(Protocol):
    """What is needed of a writer."""

    async def append(self, records: Sequence[Placed]) -> list[Appended]:
        """Write records."""

    async def append_whole(self, at: TopicPartition, records: Sequence[Stored]) -> int:
        """Write records as one batch; the offset of the first."""


@dataclass(slots=True)
class _Holding:
    """A claim in force, or one that ended as it should. `tip` is the offset of this process's last entry."""

    epoch: int
    tip: int
    positions: dict[str, int]
    settles: int = 0
    unsaid: Owing | None = None  # Its outputs are out, and no entry says so yet.
    restored: Ledger | None = None  # As read for the claim, until somebody takes the pages.
    saying: asyncio.Task[None] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Ownership:
    """The claims of one process. `ledger` is the topic, `place` says where an output belongs."""

    def __init__(
        self,
        ledger: str,
        inputs: Sequence[str],
        writing: Writing,
        restorer: Restorer,
        place: Callable[[NewRecord], int],
        observe: Observer,
    ) -> None:
        self._ledger = ledger
        self._inputs = tuple(inputs)
        self._writing = writing
        self._restorer = restorer
        self._place = place
        self._observe = observe
        self._held: dict[int, _Holding] = {}

    async def claim(self, partition: int) -> Claim:
        """See the port. Raises PositionsLost."""
        started = asyncio.get_running_loop().time()
        last = self._held.pop(partition, None)
        if last is not None:
            await self._finish(partition, last)
        read = None if last is not None else await self._restorer.read(partition)
        if read is not None and read.ledger.epoch is None and not read.ledger.positions:
            # Before the claim, so that an owner who stops between the two leaves no claim without positions.
            await self._write(partition, [Genesis(dict.fromkeys(self._inputs, 0))])
        epoch = await self._write(partition, [ClaimMade()])
        warm = False
        if last is not None and epoch == last.tip + 1:
            warm = True
            held = _Holding(epoch, epoch, last.positions, restored=last.restored)
        else:
            held = await self._take_over(partition, epoch, read)
        self._held[partition] = held
        stale = await self._mend(partition, held)
        pages = len(held.restored.pages) if held.restored is not None else 0
        seconds = asyncio.get_running_loop().time() - started
        self._observe(Claimed(partition, warm, pages, stale, seconds))
        return Claim(partition, epoch, dict(held.positions), warm=warm)

    async def _take_over(self, partition: int, epoch: int, read: Restored | None) -> _Holding:
        """Read what others wrote, up to the claim, and send what the last pages owe."""
        ledger = (await self._restorer.read(partition, read, until=epoch + 1)).ledger
        if ledger.epoch != epoch:
            raise Fenced(f"partition {partition}: another claim came first")
        held = _Holding(epoch, epoch, {}, restored=ledger)
        for owing in list(ledger.owed.values()):
            await self._send(owing.outputs)
            held.unsaid = owing
            ledger.positions |= owing.positions
        if missing := [topic for topic in self._inputs if topic not in ledger.positions]:
            raise PositionsLost(f"partition {partition} has no positions for {', '.join(missing)}")
        held.positions = {topic: ledger.positions[topic] for topic in self._inputs}
        return held

    async def _mend(self, partition: int, held: _Holding) -> int:
        """Write the right pages and positions behind stale ones, which compaction would let displace them."""
        ledger = held.restored
        if ledger is None or not (ledger.stale or ledger.stale_positions):
            return 0
        stale = {key: ledger.pages.get(key) for key in sorted(ledger.stale)}
        await self.settle(Claim(partition, held.epoch), list(stale.items()), (), {}, is_mending=True)
        ledger.mended()
        return len(stale)

    async def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        """See the port. Raises Fenced."""
        held = self._must_hold(claim)
        ledger, held.restored = held.restored, None
        if ledger is None:
            ledger = (await self._restorer.read(claim.partition, until=held.tip + 1)).ledger
            self._must_hold(claim)
        for number, page in enumerate(ledger.pages.items(), 1):
            yield page
            if number % PAGES_AT_ONCE == 0:
                await asyncio.sleep(0)  # Heartbeats must go on, however many pages there are.

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
        *,
        is_mending: bool = False,
    ) -> None:
        """See the port."""
        async with self._must_hold(claim).turn:
            held = self._must_hold(claim)
            try:
                await self._settle(claim.partition, held, pages, outputs, positions, is_mending=is_mending)
            except BaseException:
                self._held.pop(claim.partition, None)
                raise

    async def close(self) -> None:
        """Say what is not said yet, where it can be said quickly; the next owner else sends it once more."""
        held, self._held = self._held, {}
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*(self._finish(partition, one) for partition, one in held.items()))
        except TimeoutError:
            pass

    async def _finish(self, partition: int, held: _Holding) -> None:
        async with held.turn:
            await self._say_done(partition, held)

    async def _settle(
        self,
        partition: int,
        held: _Holding,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
        *,
        is_mending: bool,
    ) -> None:
        if held.saying is not None:
            held.saying.cancel()
        if not is_mending:
            held.restored = None  # What was read is not all any more.
        held.settles += 1
        settle = SettleId(held.epoch, held.settles)
        owing = Owing(held.epoch, settle, tuple(outputs), held.positions | dict(positions))
        entries: list[Entry] = [PageWritten(held.epoch, settle, key, value) for key, value in pages]
        await self._follow(partition, held, [*entries, owing])
        await self._send(outputs)
        held.positions |= positions
        held.unsaid = owing
        held.saying = asyncio.create_task(self._say_later(partition, held), name=f"ledger {partition} is done")

    async def _say_later(self, partition: int, held: _Holding) -> None:
        await asyncio.sleep(DONE_SECONDS)
        async with held.turn:
            held.saying = None  # From here on a settle waits for it, and does not cut it short.
            await self._say_done(partition, held)

    async def _say_done(self, partition: int, held: _Holding) -> None:
        """Write that nothing is owed any more. A claim that fails at it is void, as at any write."""
        owing, held.unsaid = held.unsaid, None
        if held.saying is not None:
            held.saying.cancel()
            held.saying = None
        if owing is None:
            return
        try:
            await self._follow(partition, held, [Done(held.epoch, owing.settle, owing.positions)])
        except LogError:
            held.tip = -2  # Whatever follows is not known to follow.
            if self._held.get(partition) is held:
                del self._held[partition]

    async def _follow(self, partition: int, held: _Holding, entries: Iterable[Entry]) -> None:
        """Write entries right behind the last one. Raises Fenced where they are not there."""
        for part in batches(map(to_stored, entries)):
            first = await self._writing.append_whole(TopicPartition(self._ledger, partition), part)
            if first != held.tip + 1:
                raise Fenced(f"partition {partition}: somebody else wrote before {first}")
            held.tip = first + len(part) - 1

    async def _write(self, partition: int, entries: Iterable[Entry]) -> int:
        at = TopicPartition(self._ledger, partition)
        offset = await self._writing.append_whole(at, list(map(to_stored, entries)))
        if offset < 0:
            raise AppendUncertain(f"partition {partition}: the ledger does not say where the claim stands")
        return offset

    async def _send(self, outputs: Sequence[NewRecord]) -> None:
        if outputs:
            await self._writing.append([Placed(self._place(output), output) for output in outputs])

    def _must_hold(self, claim: Claim) -> _Holding:
        held = self._held.get(claim.partition)
        if held is None or held.epoch != claim.epoch:
            raise Fenced(f"partition {claim.partition}: claim {claim.epoch} is void")
        return held
