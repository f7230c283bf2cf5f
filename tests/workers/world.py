"""A small world for a pool: a real log, hands that stand for Telnyx, and whatever may go wrong around them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import Appended, AppendUncertain, LogUnavailable, NewRecord, TopicPartition
from cordboard.topics import Topics
from cordboard.work import Lane, Outcome, Repeat, Verdict, Work, decode_outcome, encode
from workers.core.attempt import Limits
from workers.core.outcome import Answer, Reading, Reply
from workers.events import Event
from workers.pace import Hold, Pace
from workers.pool import Pool
from workers.settings import PoolSettings

TOPICS = Topics()
CLOCK = SystemClock()
OK = Answer(200, b'{"data":{"result":"ok"}}')
MakeWork = Callable[..., Work]


class Hands:
    """Stands for Telnyx: notes what is sent, holds what it is told to hold, answers what it is told to answer."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.held: dict[str, asyncio.Event] = {}
        self.replies: dict[str, Reply] = {}
        self.on_send: Callable[[Work], None] = lambda work: None

    def hold(self, *command_ids: str) -> None:
        self.held |= {command_id: asyncio.Event() for command_id in command_ids}

    def let_go(self) -> None:
        for gate in self.held.values():
            gate.set()

    async def send(self, work: Work, timeout_ms: int) -> Reply:
        self.sent.append(work.command_id)
        self.on_send(work)
        if work.command_id in self.held:
            await self.held[work.command_id].wait()
        return self.replies.get(work.command_id, OK)


class Closed:
    """A pace that lets nothing go while it is shut."""

    def __init__(self) -> None:
        self.shut = True

    def hold(self, work: Work, now_ms: int) -> Hold | None:
        return Hold(5, "rate_limited") if self.shut and work.lane is not Lane.URGENT else None

    def share(self, lane: Lane, part: float) -> None:
        """Not looked at."""

    def heard(self, work: Work, reading: Reading, now_ms: int) -> None:
        """Not looked at."""


class World:
    """A log, hands, and the pools of a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hands = Hands()
        self.events: list[Event] = []
        self.pools: list[Pool] = []
        self.log: EmbeddedLog

    async def open(self) -> None:
        self.log = await EmbeddedLog.open(self.path, TOPICS.specs(["main"], 4), 4, CLOCK, TOPICS.inputs)

    async def close(self) -> None:
        self.hands.let_go()
        for pool in self.pools:
            await pool.drain(0.0)
        await self.log.close()

    async def crash(self) -> None:
        """Everything stops where it is; what is in the log is all that is left."""
        here = asyncio.current_task()
        dying = [
            task for task in asyncio.all_tasks() if task is not here and task.get_name().startswith("cordboard.worker")
        ]
        for task in dying:
            task.cancel()
        await asyncio.gather(*dying, return_exceptions=True)
        self.pools.clear()
        await self.log.close()
        await self.open()

    async def pool(self, pace: Pace | None = None, log: EmbeddedLog | None = None, **settings: object) -> Pool:
        limits = Limits(budget_ms=5_000, try_ms=3_000, connect_ms=1_000, backoff_ms=1, backoff_ms_max=20)
        chosen = PoolSettings(**{"name": "main", "limits": limits, "handover_ms": 1_000, **settings})
        pool = Pool(
            chosen,
            log=log or self.log,
            topics=TOPICS,
            client=self.hands,
            clock=CLOCK,
            rng=random.Random(7),
            pace=pace,
            observe=self.events.append,
        )
        await pool.start()
        self.pools.append(pool)
        return pool

    async def release(self, *works: Work) -> None:
        topic = {work.lane: TOPICS.work("main", work.lane) for work in works}
        await self.log.append([NewRecord(topic[work.lane], work.key.encode(), encode(work)) for work in works])

    async def outcomes(self) -> list[Outcome]:
        at = [TopicPartition(TOPICS.outcomes, number) for number in range(4)]
        reader = self.log.reader(dict.fromkeys(at, 0))
        found = []
        while any([reader.positions()[place] < await self.log.end(place) for place in at]):
            found += [decode_outcome(record.value) for record in await reader.read(1.0)]
        await reader.close()
        return found

    async def ended(self, *command_ids: str) -> dict[str, Verdict]:
        """Wait until these have an outcome that is an end; one each."""

        async def all_there() -> bool:
            return set(command_ids) <= {outcome.command_id for outcome in await self.ends()}

        await until(all_there)
        return {outcome.command_id: outcome.verdict for outcome in await self.ends()}

    async def ends(self) -> list[Outcome]:
        return [outcome for outcome in await self.outcomes() if outcome.verdict is not Verdict.WAITING]

    def committed(self, work: Work) -> int | None:
        topic = TOPICS.work("main", work.lane)
        partition = self.log.partition_for(topic, work.key.encode())
        return self.log.stored_commit((f"cordboard.worker.main.{work.lane.value}", topic, partition))


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait for a condition; the test's own timeout bounds it."""
    while True:
        met = condition()
        if met if isinstance(met, bool) else await met:
            return
        await asyncio.sleep(0.005)


class FlakyLog:
    """A log whose appends fail as told, before or after they were written."""

    def __init__(self, log: EmbeddedLog, failures: list[type[Exception]]) -> None:
        self._log = log
        self._failures = failures

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        failure = self._failures.pop(0) if self._failures else None
        if failure is LogUnavailable:
            raise LogUnavailable("not now")
        appended = await self._log.append(records)
        if failure is AppendUncertain:
            raise AppendUncertain("who knows")
        return appended


DIAL = {"lane": Lane.DIAL, "repeat": Repeat.UNSENT, "action": "dial"}
HANGUP = {"lane": Lane.URGENT, "repeat": Repeat.ALWAYS, "not_after_ms": None, "expire_ms": None, "action": "hangup"}
