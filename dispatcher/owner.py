"""The owner of one partition: reads its inputs, decides in batches, settles, and says nothing before.

The flow, and what happens when it breaks off:

    claim        fences whoever owned the partition before; what the last pages owed has been sent when it returns
    restore      every page is read; each tells when it wants to be seen. Not where they were kept and nobody else wrote
    loop         read what there is -> decide (no await) -> fire the timers that are due -> settle -> again

A settle that fails leaves nothing decided: the claim is void, and the owner starts from `claim` again. So what was
settled is never decided twice, and what was not is decided anew from the same inputs. Before it claims anew it asks
whether the partition is still its own: one that slept through its loss would else take it from the new owner.

A timer due at T fires only when every input has been read past T (rule 4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from cordboard.clock import Clock
from cordboard.log.port import Claim, Fenced, Log, LogError, NewRecord, PositionsLost, Reader, TopicPartition
from cordboard.orders import NO_ORDERS
from dispatcher.batch import Batch, Practice, is_waiting
from dispatcher.core.page import Page, decode
from dispatcher.credit import LaneCredit
from dispatcher.finding import NotOwned, Restoring
from dispatcher.observing import Lost, Owned, Settled, Waiting
from dispatcher.pages import Pages

RECORDS_MAX: Final = 500  # In one batch: enough to share an fsync, few enough to answer soon.
PAGES_MAX: Final = 500  # Looked at anew in one batch.
WAIT_SECONDS_MAX: Final = 30.0
RETRY_SECONDS: Final = 0.5  # Before the first new claim after a failure; doubled while it lasts.
RETRY_SECONDS_MAX: Final = 5.0
LOOK_MS: Final = 3_600_000  # What a zombie wrote must be seen, and mended, long before the ledger is compacted (24 h).
BEHIND_SECONDS: Final = 0.01  # How soon to look again whether the inputs have been read past a timer that is due.

# Raises a LogError unless a partition is still this process's; told how far its inputs are settled, by topic.
StillOurs = Callable[[int, Mapping[str, int]], Awaitable[None]]
# Raises PositionsLost where a claim begins with less than was settled before; told where it begins, by topic.
MayBegin = Callable[[int, Mapping[str, int]], Awaitable[None]]

_log = structlog.get_logger(__name__)


async def _always(partition: int, settled: Mapping[str, int]) -> None:
    """Nobody else could have it, and nothing could have been lost."""


class Owner:
    """Owns one partition from `run` until `stop`."""

    def __init__(self, log: Log, partition: int, practice: Practice, clock: Clock) -> None:
        self._log = log
        self._partition = partition
        self._practice = practice
        self._clock = clock
        self._credit = LaneCredit(practice.rooms)
        self._obeyed = NO_ORDERS  # The orders that every page has seen, but for `_unseen`.
        self._unseen: list[str] = []
        self._pages = Pages()
        self._reader: Reader | None = None
        self._questions: list[tuple[dict[TopicPartition, int], asyncio.Future[None]]] = []
        self._stopped = asyncio.Event()
        self._is_behind = False  # A timer is due, and the inputs have not been read past it.
        self._patience_seconds = RETRY_SECONDS
        self._has_pages = False  # Whether `_pages` are all pages, as last settled.
        self._settled: dict[str, int] = {}
        self._looked_ms = 0  # When it was last known that nobody else had written.
        self.restored = asyncio.Event()
        self.is_restoring = False  # From the claim until it is served.

    async def run(self, still_ours: StillOurs = _always, may_begin: MayBegin = _always) -> None:
        """Own the partition until stopped; comes back from everything the log can do to it but lost positions.

        It may be run again later, and then has kept its pages. `still_ours` raises a LogError where the partition is
        not, or may not be, this process's any more; it is asked before every claim but the first, `may_begin` after
        every claim, before an input is read.
        """
        self._stopped.clear()
        still: StillOurs = _always
        try:
            while not self._stopped.is_set():
                await self._own(still, may_begin)
                still = still_ours
        finally:
            self._lose("stopped")

    async def _own(self, still_ours: StillOurs, may_begin: MayBegin) -> None:
        is_ours = False
        try:
            await still_ours(self._partition, self._settled)
            is_ours = self.is_restoring = True
            claim = await self._log.claim(self._partition)
            await may_begin(self._partition, claim.positions)
            self._settled, self._looked_ms = dict(claim.positions), self._clock.now_ms()
            if not (claim.warm and self._has_pages):
                await self._restore(claim)
            self._practice.observe(Owned(self._partition, len(self._pages), self._pages.waiting))
            await self._serve(claim)
        except PositionsLost:
            raise  # Going on would repeat or skip inputs: the partition stands still, and the process is not ready.
        except LogError as error:
            self._has_pages = False
            self._lose("fenced" if isinstance(error, Fenced) else "log")
            if not (is_ours and isinstance(error, Fenced)):
                _log.warning("the log failed; the partition is claimed anew", partition=self._partition, why=str(error))
                await self._have_patience()

    async def _have_patience(self) -> None:
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._stopped.wait()
        except TimeoutError:
            self._patience_seconds = min(2 * self._patience_seconds, RETRY_SECONDS_MAX)

    def stop(self) -> None:
        """End `run` after the batch in hand."""
        self._stopped.set()
        self._wake()

    async def find(self, key: str) -> Page | None:
        """A page once everything accepted before this question is applied. Raises Restoring, NotOwned, or LogError."""
        self._must_be_served()
        inputs = [TopicPartition(topic, self._partition) for topic in self._practice.inputs]
        ends = {at: await self._log.end(at) for at in inputs}
        self._must_be_served()  # It may have been lost meanwhile.
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._questions.append((ends, answered))
        self._wake()
        await answered
        value = self._pages.get(key)
        return None if value is None else decode(value)

    @property
    def settled(self) -> Mapping[str, int]:
        """By input, the offset before which everything is settled; empty before the first claim."""
        return self._settled

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return len(self._pages)

    def _must_be_served(self) -> None:
        if self._stopped.is_set():
            raise NotOwned(f"partition {self._partition} is not owned here any more")
        if self._reader is None:
            raise Restoring(f"partition {self._partition} is not served yet")

    def _wake(self) -> None:
        if self._reader is not None:
            self._reader.interrupt()

    def _lose(self, why: str) -> None:
        self.restored.clear()
        self.is_restoring = False
        self._reader = None
        questions, self._questions = self._questions, []
        # In trouble with the log it is claimed anew; otherwise it is another's by now, or soon.
        kind = LogError if why == "log" else NotOwned
        for _, answered in questions:
            if not answered.done():
                answered.set_exception(kind(f"partition {self._partition} is not owned here any more"))
        self._practice.observe(Lost(self._partition, why))

    async def _restore(self, claim: Claim) -> None:
        self._pages, self._unseen = Pages(), []
        self._credit, self._obeyed = LaneCredit(self._practice.rooms), self._practice.orders()
        async for key, value in self._log.pages(claim):
            page = decode(value)
            self._pages.put(key, value, page.wake_ms, page.waiting)
            if is_waiting(page):
                self._unseen.append(key)
        self._has_pages = True

    async def _serve(self, claim: Claim) -> None:
        starts = {TopicPartition(topic, self._partition): claim.positions[topic] for topic in self._practice.inputs}
        reader = self._reader = self._log.reader(starts)
        self.restored.set()
        self.is_restoring = False
        try:
            while not self._stopped.is_set():
                await self._turn(claim, reader)
        finally:
            await reader.close()

    async def _turn(self, claim: Claim, reader: Reader) -> None:
        records = await reader.read(self._patience(), RECORDS_MAX)
        batch = self._new_batch()
        for record in records:
            batch.take(record)
            if batch.is_full:
                await self._settle(claim, batch)
                batch = self._new_batch()
        await self._fire_timers(batch, reader)
        self._look_at_pages(batch)
        await self._settle(claim, batch)
        # All that was read is settled, and so is what has no record (the marks of senders' transactions).
        self._settled = {at.topic: offset for at, offset in reader.positions().items()}
        self._answer_questions(reader)

    def _new_batch(self) -> Batch:
        return Batch(self._practice, self._partition, self._pages, self._clock.now_ms(), self._credit)

    def _patience(self) -> float:
        """How long to wait for records (seconds): until the next timer, and not for ever."""
        if self._unseen or self._stopped.is_set() or self._practice.orders() is not self._obeyed:
            return 0.0
        wake_ms = self._pages.next_wake()
        if wake_ms is None:
            return WAIT_SECONDS_MAX
        # Not at once, and so on and on, where the log is behind: its clock, or a write that takes long, may be.
        least = BEHIND_SECONDS if self._is_behind else 0.0
        return min(max((wake_ms - self._clock.now_ms()) / 1000, least), WAIT_SECONDS_MAX)

    async def _fire_timers(self, batch: Batch, reader: Reader) -> None:
        self._is_behind = False
        while (wake_ms := self._pages.next_wake()) is not None and wake_ms <= self._clock.now_ms():
            if not await reader.read_past(wake_ms):
                self._is_behind = True  # What is still to be read may be what the timer waits for.
                return
            for key in self._pages.take_due(wake_ms):
                batch.fire(key, wake_ms)

    def _look_at_pages(self, batch: Batch) -> None:
        """Have those pages look again that wait, where operators want something else, or nobody has looked yet.

        A few at a time, because inputs wait behind them; and no dial goes before it is known how many are out.
        """
        if (orders := self._practice.orders()) is not self._obeyed:
            self._obeyed, self._unseen = orders, self._pages.keys()
        now, self._unseen = self._unseen[:PAGES_MAX], self._unseen[PAGES_MAX:]
        batch.obey(now)
        if not self._unseen:
            batch.spend_credit()
        self._practice.observe(Waiting(self._partition, self._credit.waiting))

    def look_again(self) -> None:
        """Operators want something else than before."""
        self._wake()

    async def _settle(self, claim: Claim, batch: Batch) -> None:
        if not batch and self._clock.now_ms() < self._looked_ms + LOOK_MS:
            batch.commit()  # Nothing to write; but a timer that fired has its page seen again.
            return
        # With nothing to write for an hour nothing is written: that tells whether somebody else wrote.
        started = asyncio.get_running_loop().time()
        outputs: list[NewRecord] = batch.outputs
        await self._log.settle(claim, list(batch.changes.items()), outputs, batch.positions)
        batch.commit()
        self._settled |= batch.positions
        self._looked_ms = self._clock.now_ms()
        self._patience_seconds = RETRY_SECONDS
        seconds = asyncio.get_running_loop().time() - started
        counted = (batch.inputs, len(batch.changes), len(outputs))
        self._practice.observe(Settled(self._partition, *counted, seconds, self._pages.waiting))

    def _answer_questions(self, reader: Reader) -> None:
        """Everything read so far is settled: answer those who asked before more came."""
        if not self._questions:
            return
        read = reader.positions()
        waiting, self._questions = self._questions, []
        for ends, answered in waiting:
            if all(read[at] >= end for at, end in ends.items()):
                if not answered.done():
                    answered.set_result(None)
            else:
                self._questions.append((ends, answered))
