"""One lane of a pool: reads its work, reserves it, lets it go in order, and sees each request to its reported outcome.

Reading stops while as many are in flight as the lane may carry: what waits, waits in the log, where everybody sees it.
Each lane has its own share, so that what is urgent is never behind what is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence

from cordboard.liveness import Post
from cordboard.log.port import Log, LogError, Reader, Record
from cordboard.topics import Topics
from cordboard.work import Lane, Work
from workers.core.attempt import waiting
from workers.events import BrokeOff, Ended, Held, Load, LogTrouble, Shared, Unreadable, Unreported, Voided
from workers.membership import RETRY_MS
from workers.pace import wait_for
from workers.report import report
from workers.seat import Seat, Taken, readable
from workers.sending import Sender, sleep_unless
from workers.settings import LaneSettings
from workers.tenancy import Tenancy, WorkId

_READ_SECONDS = 1.0


class LaneWorker:
    """Works one lane off, from `start` to `drain`."""

    def __init__(self, settings: LaneSettings, log: Log, topics: Topics, sender: Sender) -> None:
        self._settings = settings
        self._lane = settings.lane
        self._log = log
        self._outcomes = topics.outcomes
        self._group = f"{topics.prefix}.worker.{settings.pool}.{settings.lane.value}"
        self._sender = sender
        self._reader: Reader | None = None
        self._running: dict[asyncio.Task[None], Work] = {}
        self._in_hand: Sequence[Taken] = ()  # Read, and not on their way yet.
        self._ends_when_full = 0  # Releases that have ended, and by that made room.
        self._is_paced = False
        self.task: asyncio.Task[None] | None = None  # Ends when drained; fails only by a bug.
        self._wake = asyncio.Event()
        self._draining = asyncio.Event()
        self._seat = Seat(
            log=log,
            clock=sender.clock,
            topic=topics.work(settings.pool, settings.lane),
            memory_ms=settings.memory_ms,
            handover_ms=settings.handover_ms,
            on_change=self._take_share,
            on_trouble=self._trouble,
        )

    def __repr__(self) -> str:
        return f"<LaneWorker of {self._group}: {len(self._running)} in flight, {self._seat.reserved()} reserved>"

    @property
    def in_flight(self) -> int:
        """Releases that are being sent or reported."""
        return len(self._running)

    @property
    def name(self) -> str:
        """Its group, which is the same in every process of the pool."""
        return self._group

    @property
    def seated(self) -> asyncio.Event:
        """Set once it has its seat in the group."""
        return self._seat.taken

    @property
    def broken(self) -> bool:
        """Whether it ended though nobody had it end."""
        return self.task is not None and self.task.done() and not self._draining.is_set()

    @property
    def posts(self) -> list[Post]:
        """What it holds, for who looks whether it goes on.

        A lane that is full goes on as long as what is in flight ends, for which there is a bound; one that the pace
        holds back need not go on at all.
        """
        if self._draining.is_set():
            return []
        lowest = {taken.tenancy.partition: taken.offset for taken in reversed(self._in_hand)}
        holder, excuse = (self._settings.pool, self._lane.value), "held back by the pace" if self._is_paced else ""
        return [
            Post(at.partition, {at: lowest.get(at.partition, position)}, holder, self._ends_when_full, excuse)
            for at, position in self._seat.held().items()
        ]

    def start(self) -> asyncio.Task[None]:
        """Begin to take work."""
        self.task = asyncio.create_task(self._work(), name=self._group)
        return self.task

    async def _work(self) -> None:
        try:
            await self._run()
        except BaseException as error:
            if not self._draining.is_set():
                self._sender.observe(BrokeOff(self._lane, error))
            raise

    async def _run(self) -> None:
        # Trouble with the log is waited out; anything else is a bug and ends the lane.
        await self._seat.join(self._group)
        while not self._draining.is_set():
            try:
                await self._take(await self._read())
            except LogError as error:
                self._trouble("read", error)
                self._seat.changed = True  # The reader may be spoiled: it is opened anew, where we are.
                await sleep_unless(self._draining, RETRY_MS)
        await self._close_reader()

    async def drain(self, seconds: float) -> None:
        """Take nothing more, let what is in flight end within `seconds`, give back the rest, leave the group."""
        self._draining.set()
        self._seat.stop()
        self._disturb()
        patience = max(0.0, seconds - self._settings.handover_ms / 1_000)
        if under_way := [*self._running, *((self.task,) if self.task is not None else ())]:
            await asyncio.wait(under_way, timeout=patience)
        await self._seat.leave_within(seconds)
        await self._cut_off()

    async def _cut_off(self) -> None:
        """End what did not end by itself."""
        cut_off = list(self._running)
        if self.task is not None and not self.task.done():
            await asyncio.wait((self.task,), timeout=self._settings.handover_ms / 1_000)
            cut_off += (self.task,) if not self.task.done() else ()
        for task in cut_off:
            task.cancel()
        await asyncio.gather(*cut_off, return_exceptions=True)

    def _take_share(self) -> None:
        """The part of the account's rate that comes with the partitions held."""
        part = len(self._seat.held()) / self._log.partitions(self._seat.topic)
        self._sender.pace.share(self._lane, part)
        self._sender.observe(Shared(self._lane, part))
        self._disturb()

    def _disturb(self) -> None:
        self._wake.set()
        if self._reader is not None:
            self._reader.interrupt()

    async def _read(self) -> Sequence[Record]:
        """Read as much as may be in flight besides what is; nothing when disturbed."""
        if self._seat.changed:
            await self._reopen()
        room = self._settings.concurrency - len(self._running)
        if self._reader is None or room <= 0:
            # No await lies between these lines and what they looked at, so no wake-up is lost.
            self._wake.clear()
            if not self._draining.is_set() and not self._seat.changed:
                await self._wake.wait()
            return ()
        return await self._reader.read(_READ_SECONDS, room)

    async def _reopen(self) -> None:
        await self._close_reader()
        positions = await self._seat.positions()
        if positions:
            self._reader = self._log.reader(positions)

    async def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    async def _take(self, records: Sequence[Record]) -> None:
        batch: list[Taken] = []
        positions: dict[Tenancy, int] = {}
        for record in records:
            tenancy = self._seat.tenancy(record.partition)
            if tenancy is None or tenancy.position is None:
                continue  # Read before its partition was lost, or lost and won again.
            tenancy.position = positions[tenancy] = record.offset + 1
            work = self._first(record, tenancy)
            if work is not None:
                batch.append(Taken(work, record.offset, tenancy, self._sender.clock.now_ms()))
        self._in_hand = batch
        if self._lane is Lane.DIAL:
            await self._let_dials_go(batch)
        else:
            await self._seat.reserve(batch, positions)
            for place, taken in enumerate(batch):
                self._in_hand = batch[place:]
                await self._admitted(taken, self._in_hand)
                self._start(taken)
        self._in_hand = ()
        self._tell_load()

    async def _let_dials_go(self, dials: Sequence[Taken]) -> None:
        """Reserve no dial before its turn, for a crash loses what is reserved; one of each partition goes at once."""
        while dials:
            self._in_hand = dials
            going = await self._next_dials(dials)
            await self._seat.reserve(going, {dial.tenancy: dial.offset + 1 for dial in going})
            for dial in going:
                self._start(dial)
            dials = [dial for dial in dials if dial not in going]

    async def _next_dials(self, dials: Sequence[Taken]) -> list[Taken]:
        """Wait for the first one's turn; with it go the first ones of other partitions, where they need not wait."""
        await self._admitted(dials[0], dials)
        going = {dials[0].tenancy: dials[0]}
        for dial in dials:
            if dial.tenancy not in going:
                if wait_for(self._sender.pace, dial.work, self._sender.clock.now_ms()) is not None:
                    break
                going[dial.tenancy] = dial
        return list(going.values())

    def _start(self, taken: Taken) -> None:
        if not self._draining.is_set() and taken.tenancy.start(taken.offset):
            self._spawn(taken, self._carry(taken))

    def _first(self, record: Record, tenancy: Tenancy) -> Work | None:
        """Read a work, or None for what is not to be sent: a copy, or what cannot be read."""
        work = readable(record.value)
        if work is None:
            self._sender.observe(Unreadable(self._lane, record.partition, record.offset))
        elif not tenancy.is_first(WorkId.of(work), record.time_ms):
            self._sender.observe(Voided(work))
            return None
        return work

    async def _admitted(self, taken: Taken, queue: Sequence[Taken]) -> None:
        """Wait until the pace lets a work go, or it cannot go any more; `queue` are this one and those behind it."""
        # Urgent stands behind no pacing.
        while self._lane is not Lane.URGENT and taken.tenancy.open and not self._draining.is_set():
            now_ms = self._sender.clock.now_ms()
            hold = wait_for(self._sender.pace, taken.work, now_ms)
            if hold is None:
                break
            self._held_back(queue, hold.cause, now_ms)
            self._wake.clear()
            self._is_paced = True
            await sleep_unless(self._wake, min(hold.ms, self._settings.waiting_ms))
        self._is_paced = False

    def _held_back(self, queue: Sequence[Taken], cause: str, now_ms: int) -> None:
        if queue[0].held != cause:
            self._sender.observe(Held(self._lane, cause))
        for taken in queue:
            taken.held = cause
            if not taken.told_waiting and now_ms - taken.taken_ms >= self._settings.waiting_ms:
                taken.told_waiting = True
                outcome = waiting(taken.work, cause, now_ms)
                self._spawn(taken, report(self._log, self._outcomes, outcome, self._trouble))

    async def _carry(self, taken: Taken) -> None:
        lag_ms = self._sender.clock.now_ms() - taken.work.released_ms
        outcome = await self._sender.carry(taken.work, taken.held, taken.tenancy.closed)
        await report(self._log, self._outcomes, outcome, self._trouble)
        self._sender.observe(Ended(taken.work, outcome, lag_ms))

    def _spawn(self, taken: Taken, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(coroutine, name=f"{self._group} {taken.work.command_id}")
        self._running[task] = taken.work
        taken.tenancy.running.add(task)
        task.add_done_callback(taken.tenancy.running.discard)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ends_when_full += len(self._running) >= self._settings.concurrency
        work = self._running.pop(task)
        if task.cancelled():
            self._sender.observe(Unreported(work, "cut off by the drain"))
        elif (error := task.exception()) is not None:
            # A bug of ours: the dispatcher's timers judge the work, and the others go on.
            self._sender.observe(Unreported(work, type(error).__name__))
        self._tell_load()
        self._wake.set()

    def _tell_load(self) -> None:
        self._sender.observe(Load(self._lane, len(self._running), self._seat.reserved()))

    def _trouble(self, doing: str, error: LogError) -> None:
        self._sender.observe(LogTrouble(self._lane, doing, str(error)))
