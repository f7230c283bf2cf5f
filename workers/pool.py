"""A pool: workers that share one Telnyx account and its limits; here, one process's part of it, with all its lanes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cordboard.clock import Clock
from cordboard.liveness import Post
from cordboard.log.port import Log
from cordboard.topics import Topics
from cordboard.work import Lane
from workers.core.attempt import Limits
from workers.events import Observer, ignore
from workers.lane import LaneSettings, LaneWorker
from workers.pace import Pace, Unpaced
from workers.sending import Client, Sender

CONCURRENCY: Final[Mapping[Lane, int]] = MappingProxyType({Lane.URGENT: 64, Lane.ACTION: 256, Lane.DIAL: 64})


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """What a pool is called and what bounds it; times in milliseconds."""

    name: str
    # Releases in flight by lane; each lane has its own share.
    concurrency: Mapping[Lane, int] = field(default_factory=lambda: CONCURRENCY)
    limits: Limits = field(default_factory=Limits)
    waiting_ms: int = 5_000
    memory_ms: int = 90_000
    handover_ms: int = 3_000

    def __post_init__(self) -> None:
        if set(self.concurrency) != set(Lane) or min(self.concurrency.values()) < 1:
            raise ValueError("concurrency must name every lane and let at least one release be in flight")

    def of(self, lane: Lane) -> LaneSettings:
        """The settings of one lane."""
        return LaneSettings(
            pool=self.name,
            lane=lane,
            concurrency=self.concurrency[lane],
            waiting_ms=self.waiting_ms,
            memory_ms=self.memory_ms,
            handover_ms=self.handover_ms,
        )


class Pool:
    """Takes a pool's work from the log, carries it to Telnyx and reports what became of it, until drained."""

    def __init__(
        self,
        settings: PoolSettings,
        *,
        log: Log,
        topics: Topics,
        client: Client,
        clock: Clock,
        rng: random.Random,
        pace: Pace | None = None,
        observe: Observer = ignore,
    ) -> None:
        """Prepare the lanes; neither the log nor the client is closed by the pool."""
        sender = Sender(
            client=client,
            clock=clock,
            limits=settings.limits,
            jitter=rng.random,
            pace=pace if pace is not None else Unpaced(),
            observe=observe,
        )
        self._name = settings.name
        self._lanes = tuple(LaneWorker(settings.of(lane), log, topics, sender) for lane in Lane)

    def __repr__(self) -> str:
        return f"<Pool {self._name}: {self.in_flight} in flight>"

    @property
    def in_flight(self) -> int:
        """Releases that are being sent or reported, in all lanes."""
        return sum(lane.in_flight for lane in self._lanes)

    @property
    def broken(self) -> tuple[str, ...]:
        """The lanes that ended before they were drained, which is a bug."""
        return tuple(lane.name for lane in self._lanes if lane.broken)

    @property
    def unseated(self) -> tuple[str, ...]:
        """The lanes that are still waiting for their seat in the group."""
        return tuple(lane.name for lane in self._lanes if not lane.seated.is_set())

    @property
    def posts(self) -> list[Post]:
        """What its lanes hold, for who looks whether it goes on."""
        return [post for lane in self._lanes for post in lane.posts]

    async def start(self) -> None:
        """Begin to take work in every lane."""
        for lane in self._lanes:
            lane.start()

    async def seated(self) -> None:
        """Return when every lane has its seat in its group."""
        await asyncio.gather(*(lane.seated.wait() for lane in self._lanes))

    async def wait(self) -> None:
        """Return when every lane was drained; raises what ended a lane before its time, which is a bug."""
        tasks = [lane.task for lane in self._lanes if lane.task is not None]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            if not task.cancelled():
                task.result()

    async def drain(self, seconds: float) -> None:
        """Take nothing more, let what is in flight end, report it, give back what was not sent, and leave.

        Takes at most about `seconds`; what still runs then is cut off unreported, and the dispatcher's timers judge it.
        """
        await asyncio.gather(*(lane.drain(seconds) for lane in self._lanes))
