"""A pool: workers that share one Telnyx account and its limits; here, one process's part of it, with all its lanes."""

from __future__ import annotations

import asyncio
import random
from typing import NamedTuple

from cordboard.clock import Clock
from cordboard.liveness import Post
from cordboard.log.port import Log
from cordboard.topics import Topics
from cordboard.work import Lane
from workers.events import Observer, ignore
from workers.lane import LaneWorker
from workers.pace import AccountPace, Pace, Rates
from workers.sending import Client, Sender
from workers.settings import PoolSettings


class Carrying(NamedTuple):
    """How many releases a lane carries, and for how many there is room."""

    in_flight: int
    room: int


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
            pace=pace if pace is not None else AccountPace(Rates()),
            observe=observe,
        )
        self._name = settings.name
        self._settings = settings
        self._lanes = tuple(LaneWorker(settings.of(lane), log, topics, sender) for lane in Lane)

    def __repr__(self) -> str:
        return f"<Pool {self._name}: {self.in_flight} in flight>"

    @property
    def in_flight(self) -> int:
        """Releases that are being sent or reported, in all lanes."""
        return sum(lane.in_flight for lane in self._lanes)

    @property
    def loads(self) -> dict[Lane, Carrying]:
        """By lane, what it carries, and how many it may."""
        return {
            lane: Carrying(worker.in_flight, self._settings.concurrency[lane])
            for lane, worker in zip(Lane, self._lanes, strict=True)
        }

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
