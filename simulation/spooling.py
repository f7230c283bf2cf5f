"""The spool of a simulated ingress: the product's own, on a disk that survives its process.

What SQLite makes of a file when a machine dies is not simulated: a write is there whole, or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final, TypeVar

from prometheus_client import CollectorRegistry

from cordboard.clock import Clock
from cordboard.log.port import Log
from dispatcher.ingress import Spool, SpoolMetrics
from dispatcher.ingress.spool.aside import Aside
from dispatcher.ingress.spool.file import Census, Entry, Spooled
from simulation.roles import TOPICS

T = TypeVar("T")
_BYTES_MAX: Final = 256 * 1024 * 1024
_NOWHERE: Final = Path("/nonexistent")  # The simulated log refuses nothing for ever.

_metrics = SpoolMetrics(CollectorRegistry())  # Nobody looks at them; making them takes a while.


class Disk:
    """What of a spool's file is on the disk: for one machine, however often its process begins anew."""

    def __init__(self) -> None:
        self._kept: list[Spooled] = []
        self._numbers = 0

    def census(self) -> Census:
        """What is there."""
        return Census(len(self._kept), sum(len(one.entry.value) for one in self._kept))

    def sealed(self, value: bytes) -> bytes:
        """As it stands there: nothing is sealed."""
        return value

    def opened(self, value: bytes) -> bytes:
        """As it stands there."""
        return value

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep webhooks."""
        for entry in entries:
            self._numbers += 1
            self._kept.append(Spooled(self._numbers, entry))

    def oldest(self, count: int) -> list[Spooled]:
        """The first webhooks in their order."""
        return self._kept[:count]

    def remove(self, last: int) -> int | None:
        """Forget all webhooks up to this one; when the oldest of the others was taken."""
        self._kept = [one for one in self._kept if one.number > last]
        return self._kept[0].entry.taken_ms if self._kept else None

    def close(self) -> None:
        """Nothing is held."""

    def shutdown(self, *, wait: bool) -> None:
        """There is no thread that would have to end."""


class SimulatedSpool(Spool):
    """A spool whose file is a `Disk`, which takes its time."""

    def __init__(self, disk: Disk, log: Log, clock: Clock, rng: Random) -> None:
        file: Any = disk  # For the spool's file, and for the thread that works on it.
        aside = Aside(_NOWHERE, log, TOPICS.dead_letters, _metrics)
        super().__init__(file, file, log, TOPICS.webhooks, clock, _metrics, aside, _BYTES_MAX)
        self._rng = rng
        self._one_by_one = asyncio.Lock()  # It is one thread: what is asked later is done, and told of, later.

    async def begin(self) -> None:
        """What `open` does once it has its file."""
        await self._start()

    async def _on_thread(self, work: Callable[..., T], *arguments: object) -> T:
        async with self._one_by_one:
            await asyncio.sleep(self._seconds())
            result = work(*arguments)
            await asyncio.sleep(self._seconds())  # It is done, and who asked may die before it hears of it.
        return result

    def _seconds(self) -> float:
        return self._rng.uniform(0.0005, 0.005) if self._rng.random() < 0.7 else self._rng.uniform(0.05, 0.3)
