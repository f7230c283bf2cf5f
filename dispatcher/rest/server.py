"""The REST door as a whole: its port, and a stop that breaks off nothing that can still be answered."""

from __future__ import annotations

import asyncio
import random
import ssl
import uuid
from typing import Final

import httpx
from prometheus_client import REGISTRY, CollectorRegistry

from cordboard.access import Access
from cordboard.clock import Clock
from cordboard.http_server import HttpServer
from cordboard.settings import Settings
from dispatcher.acceptance import Acceptance
from dispatcher.accounts import Accounts
from dispatcher.rest.callers import Callers
from dispatcher.rest.door import RestDoor
from dispatcher.rest.keys import Keys
from dispatcher.rest.metrics import RestMetrics
from dispatcher.rest.passing import Passing
from dispatcher.rest.repeats import Repeats

LAST_WORD_SECONDS: Final = 1.0  # For answers that are ready when the grace is over.


class RestServer:
    """The REST door of one process. `rng` makes ids for commands without one; `transport` is the way to Telnyx.

    `access` says who asks.
    """

    def __init__(
        self,
        settings: Settings,
        acceptance: Acceptance,
        clock: Clock,
        *,
        rng: random.Random | None = None,
        registry: CollectorRegistry = REGISTRY,
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
        access: Access | None = None,
    ) -> None:
        chosen, ids = settings.rest, rng or random.SystemRandom()
        self._acceptance = acceptance
        self._passing = Passing(chosen.wait_seconds, transport)
        default = settings.account_or_default() or ""
        accounts = Accounts(addresses=dict.fromkeys(settings.accounts), default=default)
        keys = Keys(settings.accounts, default, clock)
        self._door = RestDoor(
            chosen,
            acceptance,
            Callers(access or Access.of(settings, clock), keys, accounts),
            keys,
            Repeats(clock, lambda: str(uuid.UUID(int=ids.getrandbits(128), version=4))),
            self._passing,
            RestMetrics(registry),
        )
        self._server = HttpServer(
            self._door, chosen.host, chosen.port, bounds=chosen.bounds(), drain_seconds=LAST_WORD_SECONDS, tls=tls
        )

    @property
    def url(self) -> str:
        """Where it can be reached on this machine, without a slash at the end; Telnyx's API is below /v2."""
        return self._server.url

    async def start(self) -> None:
        """Open the door. Raises LogError, or OSError without the port; to be stopped also where it raised."""
        await self._acceptance.start()
        await self._server.start()

    async def stop(self, grace_seconds: float) -> None:
        """Close the door; who waits has so long to be answered, and is told then that it is still open."""
        self._door.begin_to_stop()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._door.idle.wait()
        except TimeoutError:
            self._acceptance.waiters.give_up()
        await self._server.stop()
        await self._acceptance.stop()
        await self._passing.close()
