"""Carries one release to its outcome: does what its plan says, and tells what happened."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cordboard.clock import Clock
from cordboard.work import Lane, Outcome, Work
from workers.core.attempt import Attempt, Limits, Send, Sleep
from workers.core.outcome import Reply, read
from workers.events import Observer, Tried
from workers.pace import Hold, Pace, wait_for


class Client(Protocol):
    """One try of one request; `workers.telnyx.Telnyx` is the real one."""

    async def send(self, work: Work, timeout_ms: int) -> Reply:
        """Send once; never raises for what the network does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What it takes to send; shared by the lanes of a pool."""

    client: Client
    clock: Clock
    limits: Limits
    jitter: Callable[[], float]
    pace: Pace
    observe: Observer

    async def carry(self, work: Work, held: str, stop: asyncio.Event) -> Outcome:
        """Try a request until its plan ends; once `stop` is set, nothing is sent again."""
        plan = Attempt(work, self.limits, self.jitter, held)
        resend = 0
        while True:
            if stop.is_set():
                plan.stop()
            match plan.step(self.clock.now_ms()):
                case Send(timeout_ms):
                    if self._put_off(plan, work, resend):
                        continue
                    await self._try(plan, work, timeout_ms, resend)
                    resend += 1
                case Sleep(ms):
                    await sleep_unless(stop, ms)
                case Outcome() as outcome:
                    return outcome

    def _put_off(self, plan: Attempt, work: Work, resend: int) -> bool:
        """Whether the pace lets a try wait. The lane has asked for a first one; urgent lanes do not, and never wait."""
        if work.lane is not Lane.URGENT and not resend:
            return False
        now_ms = self.clock.now_ms()
        hold: Hold | None = wait_for(self.pace, work, now_ms)
        if hold is None:
            return False
        if work.lane is Lane.URGENT:
            plan.call_off(hold.cause)  # It is paused. To keep it here would take room from hangups.
        else:
            plan.postpone(hold.ms, hold.cause, now_ms)
        return True

    async def _try(self, plan: Attempt, work: Work, timeout_ms: int, resend: int) -> None:
        started_ms = self.clock.now_ms()
        reading = read(await self.client.send(work, timeout_ms), work.repeat)
        now_ms = self.clock.now_ms()
        plan.learn(reading, now_ms)
        self.pace.heard(work, reading, now_ms)
        self.observe(Tried(work, reading, max(0, now_ms - started_ms) / 1_000, resend))


async def sleep_unless(stop: asyncio.Event, ms: float) -> None:
    """Wait so long, or until `stop` is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ms / 1_000):
            await stop.wait()
