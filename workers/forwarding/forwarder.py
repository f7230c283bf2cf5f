"""Forwards one account's events: reads them, and sees the line of each call to its end.

Reading of a partition stops while as many of its events are in hand as there is room for: what waits, waits in the log.
Nothing else of Cordboard waits for any of this.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from typing import Final

from cordboard.clock import Clock
from cordboard.cloudevents import header
from cordboard.liveness import Post
from cordboard.log.port import Log, LogError, Reader, Record, TopicPartition
from cordboard.topics import Topics
from cordboard.webhook import TIMESTAMP_HEADER
from workers.core.forwarding import Backlog, Parcel
from workers.forwarding.events import BrokeOff, LogTrouble, Observer, ignore
from workers.forwarding.line import Carrier, ForwardSettings, Poster
from workers.forwarding.seat import Hold, Seat
from workers.membership import RETRY_MS
from workers.sending import sleep_unless

_READ_SECONDS: Final = 1.0
_COMMIT_PAUSE_MS: Final = 100  # A crash repeats what was done within it.


class Forwarder:
    """Posts on the events of one account, from `start` to `drain`."""

    def __init__(
        self,
        settings: ForwardSettings,
        *,
        log: Log,
        topics: Topics,
        endpoint: Poster,
        clock: Clock,
        rng: random.Random,
        observe: Observer = ignore,
    ) -> None:
        """Prepare; neither the log nor the endpoint is closed by the forwarder."""
        self.name = f"{topics.prefix}.forward.{settings.account}"  # Its group: the same in every process.
        self._settings = settings
        self._source = f"/telnyx/{settings.account}"
        self._log = log
        self._topics = topics
        self._clock = clock
        self._observe = observe
        self._carrier = Carrier(
            settings, log=log, topics=topics, endpoint=endpoint, clock=clock, rng=rng, observe=observe
        )
        self._reader: Reader | None = None
        self._read_now: frozenset[int] = frozenset()  # The partitions that the reader reads.
        self._wake = asyncio.Event()
        self._news = asyncio.Event()  # Something is done that is not committed.
        self._draining = asyncio.Event()
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._failure: BaseException | None = None
        self._seat = Seat(
            log=log,
            clock=clock,
            topic=topics.events,
            handover_ms=settings.handover_ms,
            on_change=self._disturb,
            on_trouble=self._trouble,
        )

    def __repr__(self) -> str:
        return f"<Forwarder {self.name}: {self.in_hand()} in hand>"

    def in_hand(self) -> int:
        """How many events were read and are not done."""
        return sum(len(hold.backlog) for hold in self._holds if hold.backlog is not None)

    def oldest_seconds(self) -> float:
        """How long the oldest event in hand is in the log; 0 without one."""
        times = [hold.backlog.oldest_ms for hold in self._holds if hold.backlog is not None]
        now_ms = self._clock.now_ms()
        return max((max(0, now_ms - time_ms) / 1_000 for time_ms in times if time_ms is not None), default=0.0)

    @property
    def seated(self) -> asyncio.Event:
        """Set once it has its seat in the group."""
        return self._seat.taken

    @property
    def broken(self) -> bool:
        """Whether it ended though nobody had it end."""
        return self._failure is not None

    @property
    def posts(self) -> list[Post]:
        """What it holds, for who looks whether it goes on.

        While something is tried in vain everything may have to wait for a slot; and each request has its own bound.
        """
        if self._draining.is_set():
            return []
        is_failing = any(hold.backlog is not None and hold.backlog.failing for hold in self._holds)
        return [self._post(hold, is_failing or bool(hold.posting)) for hold in self._holds]

    def _post(self, hold: Hold, is_excused: bool) -> Post:
        at, backlog = TopicPartition(self._topics.events, hold.partition), hold.backlog
        holder = (self._settings.account, "forward")
        if backlog is None:
            return Post(hold.partition, {at: None}, holder)
        excuse = "its endpoint does not take events" if is_excused else ""
        return Post(hold.partition, {at: backlog.settled}, holder, hold.tries + backlog.position, excuse)

    async def start(self) -> None:
        """Begin to forward."""
        self._tasks = (
            asyncio.create_task(self._run(), name=self.name),
            asyncio.create_task(self._keep_committed(), name=f"{self.name} commits"),
        )
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, let end what is on its way within `seconds`, commit what is done, leave the group."""
        self._draining.set()
        self._seat.stop()
        self._disturb()
        await self._seat.leave_within(seconds)
        lines = [task for hold in self._holds for task in hold.lines]
        for task in (*self._tasks, *lines):
            task.cancel()
        await asyncio.gather(*self._tasks, *lines, return_exceptions=True)
        await self._close_reader()

    @property
    def _holds(self) -> list[Hold]:
        return list(self._seat.holds.values())

    def _disturb(self) -> None:
        self._wake.set()
        if self._reader is not None:
            self._reader.interrupt()

    async def _run(self) -> None:
        # Trouble with the log is waited out; anything else is a bug.
        await self._seat.join(self.name)
        while not self._draining.is_set():
            try:
                self._take(await self._read())
            except LogError as error:
                self._trouble("read", error)
                self._seat.changed = True  # The reader may be spoiled: it is opened anew, where we are.
                await sleep_unless(self._draining, RETRY_MS)

    async def _read(self) -> Sequence[Record]:
        """Read on where there is room; nothing when disturbed."""
        wanted = frozenset(hold.partition for hold in self._holds if not hold.is_full)
        if self._seat.changed or wanted != self._read_now:
            await self._reopen()
        if self._reader is None:
            # No await lies between these lines and what they looked at, so no wake-up is lost.
            self._wake.clear()
            if not self._draining.is_set() and not self._seat.changed:
                await self._wake.wait()
            return ()
        return await self._reader.read(_READ_SECONDS, self._settings.read_max)

    async def _reopen(self) -> None:
        await self._close_reader()
        await self._seat.take_over()
        self._news.set()
        open_ones = [hold for hold in self._holds if not hold.is_full]
        self._read_now = frozenset(hold.partition for hold in open_ones)
        positions = {
            TopicPartition(self._topics.events, hold.partition): hold.backlog.position
            for hold in open_ones
            if hold.backlog is not None
        }
        if positions:
            self._reader = self._log.reader(positions)

    async def _close_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.close()

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            hold = self._seat.holds.get(record.partition)
            if hold is None or hold.backlog is None or record.offset < hold.backlog.position:
                continue  # Read before its partition was lost, or lost and won again.
            if header(record.headers, "ce_source") != self._source:
                hold.backlog.pass_over(record.offset)
            elif hold.backlog.take(parcel := _parcel(record)):
                self._begin(hold, parcel)
            hold.is_full |= self._is_beyond(hold.backlog, 1)
        if records:
            self._news.set()

    def _begin(self, hold: Hold, parcel: Parcel) -> None:
        task = asyncio.create_task(self._carrier.carry(hold, parcel, self._tried), name=f"{self.name} line")
        hold.lines.add(task)
        task.add_done_callback(hold.lines.discard)
        task.add_done_callback(partial(self._line_ended, hold))

    def _tried(self, hold: Hold) -> None:
        """After each try: perhaps something is done, and there is room again."""
        self._news.set()
        if hold.is_full and hold.backlog is not None and not self._is_beyond(hold.backlog, 2):
            hold.is_full = False
            self._disturb()

    def _is_beyond(self, backlog: Backlog, part: int) -> bool:
        """Whether more is in hand than that part (1: all, 2: half) of what may be, less what a read may bring."""
        chosen = self._settings
        most = (chosen.in_hand_max - chosen.read_max) // part
        return len(backlog) > most or backlog.size > chosen.in_hand_bytes_max // part

    async def _keep_committed(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if not await self._seat.commit():
                self._news.set()
            await asyncio.sleep(_COMMIT_PAUSE_MS / 1_000)

    def _line_ended(self, hold: Hold, task: asyncio.Task[None]) -> None:
        if not hold.closed.is_set() and (task.cancelled() or task.exception() is not None):
            self._ended(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task has ended though nobody had it end: a bug; its call stands still, or all of it."""
        if not self._draining.is_set():
            error = None if task.cancelled() else task.exception()
            self._failure = error or asyncio.CancelledError(f"{task.get_name()} was cancelled, or ended")
            self._observe(BrokeOff(self._failure))

    def _trouble(self, doing: str, error: LogError) -> None:
        self._observe(LogTrouble(doing, str(error)))


def _parcel(record: Record) -> Parcel:
    signed = header(record.headers, TIMESTAMP_HEADER)
    return Parcel(
        record,
        event_id=header(record.headers, "ce_id"),
        event_type=header(record.headers, "ce_type").removeprefix("com.telnyx."),
        signed_ms=int(signed) * 1_000 if signed.isascii() and signed.isdigit() else 0,
    )
