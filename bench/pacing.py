"""Ten times as much as Telnyx takes, from two senders, while workers come and go: what becomes of it.

The trial is given its log, its clock and its Telnyx, so that the same one is measured in real time (pacing_live.py) and
told in virtual time by a test, where the numbers are always the same.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from prometheus_client import CollectorRegistry

from bench.commands import command
from cordboard.clock import Clock
from cordboard.control import Control
from cordboard.log.port import Log
from cordboard.roles.brain import accounts_of, make_dispatcher
from cordboard.roles.hands import rates_of
from cordboard.roles.topics import topics_of
from cordboard.settings import Account, Settings
from cordboard.v1 import PLACEMENT_NOW, Command, Hangup
from dispatcher.acceptance.intake import Intake
from workers.pace import AccountPace
from workers.pool import Pool
from workers.sending import Client
from workers.settings import PoolSettings

ACCOUNT: Final = "bench"
SENDERS: Final = {"left": "+15550100001", "right": "+15550100002"}  # The number from which each dials tells them apart.
_STEP_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What Telnyx takes, how many times as much is asked of it, and for how long."""

    requests_per_second: float = 40.0
    dials_per_second: float = 10.0
    times: int = 10
    seconds: float = 20.0
    warm_seconds: float = 4.0
    hangups_per_second: float = 2.0
    calls: int = 300


class Asked(NamedTuple):
    """A request as Telnyx had it. `sender` is the number that dials, "" of all else."""

    at: float  # Unix seconds.
    action: str
    status: int | None
    call: str
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the trial takes place."""

    log: Log
    clock: Clock
    client: Callable[[], Client]
    call: Callable[[], Awaitable[str]]  # Somebody calls, and is answered; returns the call.
    ready: Callable[[], Awaitable[None]]  # Everybody has called: from now on Telnyx has its limits.
    asked: Callable[[], Awaitable[Sequence[Asked]]]  # Everything that Telnyx was asked for.


class Told(NamedTuple):
    """What came of it; parts from 0 to 1."""

    requests: int
    refused: float  # Requests answered by 429, of all.
    used: float  # Requests that Telnyx took, of those that it would have taken.
    dials_used: float
    shares: dict[str, float]  # Of the dials, by sender.
    hangups: list[float]  # Seconds from acceptance to Telnyx, sorted.

    def lines(self) -> list[str]:
        """For people."""
        slowest = self.hangups[int(len(self.hangups) * 0.99)] if self.hangups else 0.0
        shares = ", ".join(f"{name} {share:.1%}" for name, share in sorted(self.shares.items()))
        return [
            f"requests                  {self.requests}",
            f"answered by 429           {self.refused:.2%}   (at most 2 %)",
            f"of the allowance, used    {self.used:.1%}   (at least 90 %)",
            f"of that on dials          {self.dials_used:.1%}",
            f"dials by sender           {shares}",
            f"hangup p99, in Cordboard  {slowest * 1000:.0f} ms of {len(self.hangups)}   (below 100 ms)",
        ]


def settings_for(plan: Plan, path: Any = None) -> Settings:
    """The settings: what Telnyx takes is said, and else the defaults."""
    rates = {"requests_per_second": plan.requests_per_second, "dials_per_second": plan.dials_per_second}
    given: dict[str, Any] = {} if path is None else {"log": {"path": path}}
    return Settings(accounts={ACCOUNT: {"api_key": "bench", **rates}}, **given)


class Trial:
    """One trial in one place."""

    def __init__(self, plan: Plan, place: Place) -> None:
        self._plan = plan
        self._place = place
        self._settings = settings_for(plan)
        self._topics = topics_of(self._settings)
        self._rng = random.Random(7)
        self._pools: list[Pool] = []
        self._accepted: dict[str, int] = {}  # By call, when the log took its hangup.
        self._sent = Counter[str]()

    async def run(self) -> Told:
        """From the first command to what came of all."""
        plan, place = self._plan, self._place
        accounts = accounts_of(self._settings)
        self._intake = Intake(place.log, self._topics, accounts, place.clock)
        self._calls = [await place.call() for _ in range(plan.calls)]
        self._leaving = [await place.call() for _ in range(round(plan.seconds * plan.hangups_per_second))]
        await place.ready()
        control = Control(place.log, self._topics.control)
        registry = CollectorRegistry()
        dispatcher = make_dispatcher(self._settings, accounts, place.log, place.clock, control, registry)
        async with AsyncExitStack() as stack:
            await control.start()
            stack.push_async_callback(control.stop)
            await dispatcher.start()
            stack.push_async_callback(dispatcher.stop)
            stack.push_async_callback(self._drain)
            started = await self._load()
        return told(plan, started, await place.asked(), self._accepted)

    async def _load(self) -> float:
        """Send, while one worker becomes three and then two; returns when it began (Unix seconds)."""
        plan, began = self._plan, asyncio.get_running_loop().time()
        await self._join()
        started = self._place.clock.now_ms() / 1000
        changes = [(0.25, self._join), (0.5, self._join), (0.75, self._leave)]
        changing: list[asyncio.Task[None]] = []
        while (passed := asyncio.get_running_loop().time() - began) < plan.seconds:
            if changes and passed >= changes[0][0] * plan.seconds:
                changing.append(asyncio.create_task(changes.pop(0)[1]()))
            await self._send(passed)
            await asyncio.sleep(_STEP_SECONDS)
        await asyncio.gather(*changing)
        return started

    async def _send(self, passed: float) -> None:
        """What is due by now, ten times too much of it."""
        plan, calls = self._plan, self._calls
        dials = plan.dials_per_second * plan.times / len(SENDERS)
        wanted = [
            _dial(f"{sender}-{n}", sender, number)
            for sender, number in SENDERS.items()
            for n in self._due(sender, passed, dials)
        ]
        actions = self._due("action", passed, plan.requests_per_second * plan.times)
        wanted += [command(calls[n % len(calls)], f"a-{n}") for n in actions]
        records = [self._intake.admit(one).record for one in wanted]
        if records:
            await self._place.log.append(records)
        for n in self._due("hangup", passed, plan.hangups_per_second):
            await self._hang_up(n)

    async def _hang_up(self, n: int) -> None:
        if n < len(self._leaving):
            name = f"h-{n}"
            final = Command(command_id=name, call_control_id=self._leaving[n], placement=PLACEMENT_NOW, hangup=Hangup())
            (taken,) = await self._place.log.append([self._intake.admit(final).record])
            self._accepted[self._leaving[n]] = taken.time_ms

    def _due(self, what: str, passed: float, per_second: float) -> range:
        before, now = self._sent[what], int(passed * per_second)
        self._sent[what] = max(now, before)
        return range(before, now)

    async def _join(self) -> None:
        account: Account = self._settings.accounts[ACCOUNT]
        pool = Pool(
            PoolSettings(name=ACCOUNT),
            log=self._place.log,
            topics=self._topics,
            client=self._place.client(),
            clock=self._place.clock,
            rng=self._rng,
            pace=AccountPace(rates_of(account, self._settings.worker)),
        )
        self._pools.append(pool)
        await pool.start()

    async def _leave(self) -> None:
        await self._pools.pop(0).drain(3.0)

    async def _drain(self) -> None:
        await asyncio.gather(*(pool.drain(3.0) for pool in self._pools))


def _dial(command_id: str, sender: str, number: str) -> Command:
    wanted = Command(command_id=command_id, source=sender)
    wanted.dial.to, wanted.dial.from_number, wanted.dial.connection_id = "+15550109905", number, "bench"
    return wanted


def told(plan: Plan, started: float, asked: Sequence[Asked], accepted: dict[str, int]) -> Told:
    """What came of a trial, from what Telnyx was asked for once the load was on."""
    first, last = started + plan.warm_seconds, started + plan.seconds
    seconds = last - first
    counted = [one for one in asked if first <= one.at < last]
    taken = [one for one in counted if one.status not in (None, 429)]
    dials = Counter(one.sender for one in taken if one.action == "dial")
    names = {number: name for name, number in SENDERS.items()}
    every = max(sum(dials.values()), 1)
    # A call is hung up once, so the request is known by its call.
    hung_up = [one for one in asked if one.action == "hangup" and one.call in accepted and one.status == 200]
    ended = [one.at - accepted[one.call] / 1000 for one in hung_up]
    return Told(
        requests=len(counted),
        refused=sum(one.status == 429 for one in counted) / max(len(counted), 1),
        used=len(taken) / (plan.requests_per_second * seconds),
        dials_used=sum(dials.values()) / (plan.dials_per_second * seconds),
        shares={name: dials[number] / every for number, name in names.items()},
        hangups=sorted(ended),
    )
