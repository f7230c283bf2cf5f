"""The kinds of log that the conformance suite is held against, each behind the same few verbs."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Coroutine
from pathlib import Path
from random import Random
from typing import Any, Protocol

from cordboard.log import embedded
from cordboard.log.cruelty import Cruelty, Fate, Killed, Step, by_chance, gentle, nth_write
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.memory import MemoryLog
from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.port import Log, LogError, TopicSpec
from cordboard.log.sealed import SealedLog
from cordboard.log.sealing import Key, Sealing
from cordboard.log.store import Batch, Store

COMMANDS, NOW, RESULTS, WORK, LETTERS = "t.commands", "t.now", "t.results", "t.work", "t.letters"
PARTITIONS = 4
INPUTS = (NOW, COMMANDS)
TOPICS = [
    *(TopicSpec(name, PARTITIONS, None) for name in (COMMANDS, NOW, RESULTS)),
    TopicSpec(WORK, 6, None),
    TopicSpec(LETTERS, 1, None),
]


class HandClock:
    """A clock that goes only when it is moved."""

    def __init__(self) -> None:
        self.time_ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.time_ms


class Kind(Protocol):
    """One kind of log, with storage that outlives the logs that are opened on it."""

    async def open(self, fault: tuple[int, Fate] | None = None) -> Log:
        """Open the log as a process would after a start; its nth write (from 0) meets a fate."""

    async def colleague(self, log: Log) -> Log:
        """The log as another process sees it at the same time; the same log where there is only one process."""

    async def restless(self, random: Random) -> Log:
        """A log whose writes fail by chance, for an owner among others; perhaps a shared one."""

    async def survive(self, log: Log, work: Coroutine[Any, Any, None]) -> LogError | None:
        """Run something until it ends or its process dies; return the log's error if that ended it."""

    async def later(self) -> int:
        """Let the log's time move on; return the time that was skipped to (Unix milliseconds)."""

    async def end(self) -> None:
        """Clean up."""


class MemoryKind:
    """Append-only semantics in memory, offsets with gaps."""

    def __init__(self) -> None:
        self.clock = HandClock()
        gaps = Random(1)
        self.broker = MemoryBroker(TOPICS, PARTITIONS, self.clock, INPUTS, gap=lambda: gaps.choice((0, 0, 0, 1, 2)))

    async def open(self, fault: tuple[int, Fate] | None = None) -> Log:
        return MemoryLog(self.broker, gentle if fault is None else nth_write(*fault))

    async def colleague(self, log: Log) -> Log:
        return await self.open()

    async def restless(self, random: Random) -> Log:
        odds = {fate: 0.03 for fate in Fate if fate is not Fate.GO}
        return MemoryLog(self.broker, dawdling(random, by_chance(random, odds)))

    async def survive(self, log: Log, work: Coroutine[Any, Any, None]) -> LogError | None:
        try:
            await work
        except LogError as error:
            return error
        except Killed:
            pass  # The others carry on.
        return None

    async def later(self) -> int:
        self.clock.time_ms += 1_000
        return self.clock.time_ms

    async def end(self) -> None:
        pass


def dawdling(random: Random, cruelty: Cruelty) -> Cruelty:
    """Let others in between, sometimes for long."""

    async def decide(step: Step) -> Fate:
        for _ in range(random.choice((0, 1, 1, 2, 40))):
            await asyncio.sleep(0)
        return await cruelty(step)

    return decide


class FaultyStore(Store):
    """A store whose nth batch meets a fate; STOP leaves its process hanging in the middle of a commit for ever.

    TWICE and LOSE_ACK are none of its fates: a transaction that failed is not there, unless the process dies of it.
    """

    def __init__(self, path: Path, fault: tuple[int, Fate] | None, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(path)
        self._batches, self._fate_of = 0, fault
        self._fate = Fate.GO
        self._loop = loop
        self.random: Random | None = None  # When given, owners' batches fail by chance.
        self.stopped = asyncio.Event()
        self.released = threading.Event()

    def fault_in(self, batches: int, fate: Fate) -> None:
        """Give a batch to come its fate: 0 is the next."""
        self._fate_of = (self._batches + batches, fate)

    def write(self, batch: Batch) -> None:
        self._fate = Fate.GO
        if self._fate_of is not None and self._fate_of[0] == self._batches:
            self._fate = self._fate_of[1]
        elif self.random is not None and {partition.at.topic for partition in batch.fresh} <= {RESULTS}:
            self._fate = self.random.choices((Fate.GO, Fate.REFUSE, Fate.LOSE), (8, 1, 1))[0]
        self._batches += 1
        super().write(batch)
        if self._fate is Fate.REFUSE:
            raise sqlite3.OperationalError("disk I/O error")

    def commit(self) -> None:
        if self._fate is Fate.STOP_BEFORE:
            self._hang()
        if self._fate in (Fate.LOSE, Fate.STOP_BEFORE):
            raise failing("SQLITE_IOERR")
        super().commit()
        if self._fate is Fate.STOP_AFTER:
            self._hang()

    def _hang(self) -> None:
        self._loop.call_soon_threadsafe(self.stopped.set)
        self.released.wait()


def failing(name: str) -> sqlite3.OperationalError:
    """An error as SQLite raises it."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    return error


class EmbeddedKind:
    """SQLite. Whoever opens it again after a death finds what was on disk at that moment."""

    def __init__(self, directory: Path, monkeypatch: Any) -> None:
        self.clock = HandClock()
        self.path = directory / "log.db"
        self._monkeypatch = monkeypatch
        self._stores: dict[Log, FaultyStore] = {}
        self._made: list[FaultyStore] = []

    async def open(self, fault: tuple[int, Fate] | None = None) -> Log:
        loop = asyncio.get_running_loop()

        def make(path: Path) -> FaultyStore:
            self._made.append(FaultyStore(path, fault, loop))
            return self._made[-1]

        self._monkeypatch.setattr(embedded, "Store", make)
        for log in list(self._stores):
            await self._leave(log)
        log = await EmbeddedLog.open(self.path, TOPICS, PARTITIONS, self.clock, INPUTS)
        self._stores[log] = self._made[-1]
        return log

    async def colleague(self, log: Log) -> Log:
        return log

    async def restless(self, random: Random) -> Log:
        [(log, store)] = self._stores.items()
        store.random = random
        return log

    async def survive(self, log: Log, work: Coroutine[Any, Any, None]) -> LogError | None:
        task, death = asyncio.ensure_future(work), asyncio.ensure_future(self._stores[log].stopped.wait())
        await asyncio.wait((task, death), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            image = self.path.with_name(f"{self.path.name}.image")
            for suffix in ("", "-wal"):
                shutil.copy(f"{self.path}{suffix}", f"{image}{suffix}")
            self.path = image
        death.cancel()
        task.cancel()
        try:
            await task
        except LogError as error:
            return error
        except asyncio.CancelledError:
            pass  # It died.
        return None

    async def later(self) -> int:
        self.clock.time_ms += 1_000
        return self.clock.time_ms

    async def end(self) -> None:
        for log in list(self._stores):
            await self._leave(log)

    async def _leave(self, log: Log) -> None:
        self._stores.pop(log).released.set()
        await log.close()


class SealedKind:
    """SQLite behind seals. Every process reads the keys for itself."""

    def __init__(self, inner: EmbeddedKind) -> None:
        self._kind = inner
        self._inside: dict[Log, Log] = {}

    async def open(self, fault: tuple[int, Fate] | None = None) -> Log:
        return self._behind_seals(await self._kind.open(fault))

    async def colleague(self, log: Log) -> Log:
        return self._behind_seals(self._inside[log])

    async def restless(self, random: Random) -> Log:
        return self._behind_seals(await self._kind.restless(random))

    async def survive(self, log: Log, work: Coroutine[Any, Any, None]) -> LogError | None:
        return await self._kind.survive(self._inside[log], work)

    async def later(self) -> int:
        return await self._kind.later()

    async def end(self) -> None:
        await self._kind.end()

    def _behind_seals(self, inner: Log) -> Log:
        log = SealedLog(inner, Sealing(lambda: [Key("k1", b"1" * 32)]), [spec.name for spec in TOPICS], "t.ledger")
        self._inside[log] = inner
        return log
