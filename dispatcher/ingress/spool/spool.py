"""The spool: webhooks are kept here while the log cannot be written, and written into it in their order afterwards.

Rule 1: `put` returns when the webhook is on the disk; then it may be acknowledged.
Rule 2: a webhook leaves the spool when the log has acknowledged it. Who dies in between writes it again: an event that
stands twice in the log is handed on once, by its id.
Rule 3: as long as the log is known to be away nobody but the spool tries it, one webhook at a time; so a sender of
webhooks waits for the disk only, and what the log takes after all it takes seldom twice.
Rule 4: what the log refuses for ever holds nobody up: it is set aside, where people find it, and the rest goes on.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self, TypeVar

import msgspec
import structlog

from cordboard.clock import Clock
from cordboard.log.port import Appending, LogError, NewRecord, RecordRefused
from cordboard.log.sealing import Sealing, Unopened
from cordboard.operations import Check, Remark
from dispatcher.ingress.spool.aside import Aside
from dispatcher.ingress.spool.file import Entry, Spooled, SpoolFile, decoded, encoded
from dispatcher.ingress.spool.metrics import SpoolMetrics

_AT_ONCE: Final = 64  # Webhooks that go into the log together, once it is back.
_PAUSE_SECONDS: Final = 0.2
_PAUSE_SECONDS_MAX: Final = 2.0

T = TypeVar("T")
_log: Final = structlog.get_logger(__name__)


class SpoolFailed(Exception):
    """A webhook could not be kept in the spool: it is full, or its disk is."""


class Spool:
    """Keeps webhooks, from `open` to `close`."""

    @classmethod
    async def open(
        cls,
        folder: Path,
        log: Appending,
        topic: str,
        clock: Clock,
        metrics: SpoolMetrics,
        *,
        dead_letters: str,
        size_max: int,
        sealing: Sealing | None = None,
    ) -> Self:
        """Open the folder's spool, and begin to write what is in it into the log's topic. Raises SpoolUnusable.

        `dead_letters`: the topic of what can never be written there; `size_max`: the bytes of webhooks that it holds;
        `sealing`: by what they are sealed on the disk.
        """
        thread = ThreadPoolExecutor(1, "spool")
        try:
            file = await asyncio.get_running_loop().run_in_executor(thread, SpoolFile, folder, sealing)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        aside = Aside(folder, log, dead_letters, metrics)
        spool = cls(file, thread, log, topic, clock, metrics, aside, size_max)
        await spool._start()
        return spool

    def __init__(
        self,
        file: SpoolFile,
        thread: ThreadPoolExecutor,
        log: Appending,
        topic: str,
        clock: Clock,
        metrics: SpoolMetrics,
        aside: Aside,
        size_max: int,
    ) -> None:
        self._file = file
        self._thread = thread  # The only one that touches the file.
        self._log = log
        self._topic = topic
        self._clock = clock
        self._metrics = metrics
        self._aside = aside
        self._size_max = size_max
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._draining: asyncio.Task[None] | None = None
        self._filled = asyncio.Event()
        self._events = self._size = 0
        self._oldest_ms: int | None = None
        self._troubles: dict[str, str] = {}  # What fails at the moment, by what was to be done.
        self._is_away = False
        self._done: list[Spooled] = []  # Written, or set aside, and not forgotten yet.
        self._singly = 0  # So many are written one by one: something among them is refused.

    @property
    def log_is_away(self) -> bool:
        """Whether the log is known to be away. Somebody looks when it is back only as long as something waits here."""
        return self._is_away and self._events > 0

    async def put(self, records: Sequence[NewRecord]) -> None:
        """Keep the records of one webhook, which the log did not take. Raises SpoolFailed."""
        entry = Entry(self._clock.now_ms(), self._file.sealed(encoded(records)))
        if self._size + len(entry.value) > self._size_max:
            raise SpoolFailed("the spool is full")
        if not self._is_away:
            self._is_away = True
            _log.warning("the log is away; webhooks are kept in the spool until it is back")
        self._size += len(entry.value)  # From now on, so that those that are being written count.
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="spool writes")
        await done

    async def close(self) -> None:
        """Stop writing into the log, and let go of the file; what is in it is written at the next start."""
        tasks = [task for task in (self._writing, self._draining) if task is not None]
        if self._draining is not None:
            self._draining.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._events:
            _log.warning(
                "webhooks stay in the spool; they are written into the log at the next start", events=self._events
            )
        await self._on_thread(self._file.close)
        self._thread.shutdown(wait=False)

    @property
    def check(self) -> Check:
        """For readiness: what keeps it from taking webhooks; a remark as long as there are some."""
        return self._said

    def _said(self) -> str | None:
        if self._draining is not None and self._draining.done():
            return "nobody writes the spool into the log any more: a bug"
        if self._troubles:
            return f"the spool's file cannot be used: {next(iter(self._troubles.values()))}"
        if self._events and self._size >= self._size_max * 0.99:
            return f"the spool is full: {self._events} webhooks wait for the log"
        return Remark(f"{self._events} webhooks wait for the log") if self._events else None

    async def _start(self) -> None:
        self._events, self._size = await self._on_thread(self._file.census)
        self._metrics.look_at(lambda: self._events, lambda: self._size, self._oldest_seconds)
        if self._events:
            _log.warning("webhooks of an earlier run are in the spool", events=self._events, size=self._size)
            self._oldest_ms = (await self._on_thread(self._file.oldest, 1))[0].entry.taken_ms
            self._filled.set()
        self._draining = asyncio.create_task(self._drain(), name="spool drains")
        self._draining.add_done_callback(_say_if_it_failed)

    def _oldest_seconds(self) -> float:
        return 0.0 if self._oldest_ms is None else max(0, self._clock.now_ms() - self._oldest_ms) / 1_000

    async def _write(self) -> None:
        """Whatever waits goes into one transaction; what comes meanwhile, into the next one."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            entries = [entry for entry, _ in batch]
            failure: SpoolFailed | None = None
            try:
                await self._on_file("write", self._file.add, entries)
            except SpoolFailed as failed:
                failure = failed
                self._size -= sum(len(entry.value) for entry in entries)
            else:
                self._events += len(batch)
                self._oldest_ms = self._oldest_ms or entries[0].taken_ms
                self._metrics.spooled.inc(len(batch))
                self._filled.set()
            for _, done in batch:
                if not done.done():
                    done.set_result(None) if failure is None else done.set_exception(failure)
        self._writing = None

    async def _drain(self) -> None:
        pause = _PAUSE_SECONDS
        while True:
            await self._filled.wait()
            try:
                went_well = await self._drain_some(1 if self._is_away or self._singly else _AT_ONCE)
            except SpoolFailed:
                went_well = False
            if went_well:
                pause = _PAUSE_SECONDS
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, _PAUSE_SECONDS_MAX)

    async def _drain_some(self, count: int) -> bool:
        """Write the oldest webhooks into the log, then forget them; whether there is no need to wait.

        Raises SpoolFailed.
        """
        if not self._done:
            some = await self._on_file("read", self._file.oldest, count)
            if not some:
                raise RuntimeError("there is less in the spool's file than was put into it")
            try:
                await self._into_log(some)
            except LogError:
                self._is_away = True
                return False
            self._is_away = False
            if not self._done:
                return True
        oldest_ms = await self._on_file("remove", self._file.remove, self._done[-1].number)
        gone, self._done = self._done, []
        self._events -= len(gone)
        self._size -= sum(len(one.entry.value) for one in gone)
        # Those that came since the file was asked are younger than what it told.
        self._oldest_ms = oldest_ms if self._events else None
        if not self._events:
            self._filled.clear()
            _log.warning("the log is back, and the spool is empty")
        return True

    async def _into_log(self, some: list[Spooled]) -> None:
        """Write webhooks, or set one aside; if they cannot be forgotten then, they are not written again.

        Where one of several is refused, they come again one by one. Raises LogError, SpoolFailed.
        """
        records: list[NewRecord] = []
        try:
            records = [record for one in some for record in decoded(self._opened(one.entry.value), self._topic)]
            await self._log.append(records)
        except (RecordRefused, msgspec.MsgspecError, TypeError, ValueError) as error:
            if len(some) > 1:
                self._singly = len(some)
                return
            why = f"{type(error).__name__}: {error}"
            if not await self._aside.as_letter(some[0], records, why):
                await self._on_file("set aside", self._aside.as_file, some[0], why)
        else:
            self._metrics.drained.inc(len(some))
        self._done, self._singly = some, max(0, self._singly - 1)

    async def _on_file(self, doing: str, work: Callable[..., T], *arguments: object) -> T:
        """Do something to the file. Raises SpoolFailed, which is counted, and said once until it goes well again."""
        try:
            result = await self._on_thread(work, *arguments)
        except (sqlite3.Error, OSError) as error:
            raise self._failed(doing, error) from error
        self._troubles.pop(doing, None)
        return result

    def _failed(self, doing: str, error: Exception) -> SpoolFailed:
        self._metrics.errors.labels(doing).inc()
        if self._troubles.get(doing) != str(error):
            _log.error("the spool's file cannot be used", doing=doing, why=str(error))
        self._troubles[doing] = str(error)
        return SpoolFailed(str(error))

    def _opened(self, value: bytes) -> bytes:
        """What was kept. Raises SpoolFailed where its key is missing; it waits here until it is there."""
        try:
            opened = self._file.opened(value)
        except Unopened as error:
            raise self._failed("open", error) from error
        self._troubles.pop("open", None)
        return opened

    async def _on_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _say_if_it_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("nobody writes the spool into the log any more", exc_info=error)
