"""The sandbox as one thing: calls, faults, truth and webhooks, and the time that moves them."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from typing import TypeVar

from sandbox.core.exchange import Exchange
from sandbox.core.life import Event
from sandbox.faults import Faults
from sandbox.limits import Limits
from sandbox.repeats import Repeats
from sandbox.scheduler import LoopScheduler, Scheduler, Wake
from sandbox.settings import Settings
from sandbox.signing import Signer
from sandbox.truth import Truth
from sandbox.webhooks import HttpPost, Post, Webhooks, stamp

T = TypeVar("T")


class Station:
    """Everything but the doors. Make it inside a running event loop; `rng` makes ids, `post` delivers webhooks."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        scheduler: Scheduler | None = None,
        rng: random.Random | None = None,
        post: Post | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.scheduler = scheduler or LoopScheduler(self.settings.speed)
        self._rng = rng or random.Random(self.settings.seed)  # noqa: S311 - ids of a sandbox, not secrets.
        self._http = HttpPost(self.settings)
        self.signer = self._signer()
        self.faults = Faults()
        self.truth = Truth(self.settings.effects_max, self.settings.deliveries_max)
        self.webhooks = Webhooks(
            self.settings, self.scheduler, self.faults, self.truth, self.signer, self._rng, post or self._http
        )
        self._wake: Wake | None = None
        self._wake_due = 0.0
        self._fresh()

    def _fresh(self) -> None:
        self.repeats = Repeats()
        self.limits = Limits()
        self.exchange = Exchange(self.settings, self._rng, self._stamp, self.settings.ended_calls_max)

    def _signer(self) -> Signer:
        if self.settings.signing_key:
            return Signer(base64.b64decode(self.settings.signing_key))
        # With a seed everything repeats, the signatures too.
        return Signer(self._rng.randbytes(32) if self.settings.seed is not None else None)

    def _stamp(self, moment: float) -> str:
        return stamp(self.scheduler.unix_at(moment))

    def act(self, deed: Callable[[Exchange], T]) -> tuple[T, list[Event]]:
        """Let time pass until now, do something, and return what it caused: events that are to be sent.

        What `deed` raises passes through; what time itself caused is then sent already.
        """
        self.exchange.advance(self.scheduler.now())
        try:
            result = deed(self.exchange)
        except BaseException:
            self.webhooks.send(self.exchange.take_events())
            raise
        finally:
            self._wake_when_due()
        return result, self.exchange.take_events()

    def tell(self, deed: Callable[[Exchange], T]) -> T:
        """As `act`, and send the webhooks."""
        result, events = self.act(deed)
        self.webhooks.send(events)
        return result

    def set_speed(self) -> None:
        """Let time pass at the speed that the settings say now."""
        self.scheduler.set_speed(self.settings.speed)
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._wake_when_due()

    async def reset(self) -> None:
        """Begin anew: no calls, no truth, no faults, nothing on its way. Settings and keys stay."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._fresh()
        self.faults.set([])
        await self.webhooks.abandon()
        self.truth.clear()

    async def close(self) -> None:
        """Stop time, and drop what is on its way."""
        if self._wake is not None:
            self._wake.cancel()
        await self.webhooks.abandon()
        await self._http.close()

    def _wake_when_due(self) -> None:
        due = self.exchange.next_due()
        if self._wake is not None:
            if due is not None and due >= self._wake_due:
                return  # It wakes early enough, and looks again then.
            self._wake.cancel()
            self._wake = None
        if due is not None:
            self._wake_due = due
            self._wake = self.scheduler.wake_at(due, self._woken)

    def _woken(self) -> None:
        self._wake = None
        self.tell(lambda _: None)
