"""All roles in one process: the whole loop on one machine."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack
from typing import Final, Self

from prometheus_client import REGISTRY, CollectorRegistry

from cordboard.clock import Clock
from cordboard.http_server import HttpServer
from cordboard.log.embedded import EmbeddedLog
from cordboard.operations import Check, failing_checks, operations_server
from cordboard.roles.brain import accounts_of, make_dispatcher
from cordboard.roles.hands import Workers
from cordboard.roles.listening import naming, try_address
from cordboard.roles.log import open_log, topics_of
from cordboard.settings import Settings
from dispatcher.accounts import Accounts
from dispatcher.dispatcher import Dispatcher
from dispatcher.ingress import IngressMetrics, ingress_server
from dispatcher.rpc.server import GrpcServer

SKEW_MS_MAX: Final = 2_000


class Desk:
    """Dispatcher, workers, ingress, doors and operations port. `async with` starts and stops them in order.

    Started: log, operations (not ready yet), ingress, dispatcher, workers, door. Stopped the other way round, so that
    whatever was accepted is either decided or still in the log, and webhooks are kept to the last.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        rng: random.Random,
        registry: CollectorRegistry = REGISTRY,
        *,
        telnyx_is_local: bool = False,
    ) -> None:
        """`telnyx_is_local`: a stand-in on this machine, which reaches accounts without a public_url at the ingress."""
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._registry = registry
        self._telnyx_is_local = telnyx_is_local
        self._stack = AsyncExitStack()
        self._checks: dict[str, Check] = {"started": lambda: "starting"}
        self.operations = operations_server(settings.operations, self._checks, registry)
        self.ingress: HttpServer | None = None
        self.grpc_port = 0

    async def __aenter__(self) -> Self:
        """Start everything. Raises LogError or CannotListen with nothing left running."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything within the stated times."""
        self._checks["started"] = lambda: "stopping"
        await self._stack.aclose()

    async def _start(self) -> None:
        log = await open_log(self._settings, self._clock, self._registry)
        self._stack.push_async_callback(log.close)
        self._checks["log"] = lambda: None if log.healthy else "the log cannot be written"
        self._checks["clock"] = lambda: clock_is_behind(log)
        await self._listen("operations", self.operations)
        accounts = await self._open_ingress(log)
        dispatcher = make_dispatcher(self._settings, accounts, log, self._clock, self._registry)
        await dispatcher.start()
        self._stack.push_async_callback(dispatcher.stop)
        self._checks["partitions"] = lambda: _restoring(dispatcher)
        workers = Workers(self._settings, sorted(self._settings.accounts), log, self._clock, self._rng, self._registry)
        await workers.start()
        self._stack.push_async_callback(workers.stop)
        await self._open_door(log, dispatcher, accounts)
        await dispatcher.settled()
        del self._checks["started"]

    async def _open_ingress(self, log: EmbeddedLog) -> Accounts:
        """It needs nothing but the log, and its address may be a part of what the dispatcher knows of accounts."""
        topic = topics_of(self._settings).webhooks
        self.ingress = ingress_server(self._settings, log, topic, self._clock, IngressMetrics(self._registry))
        await self._listen("ingress", self.ingress)
        return accounts_of(self._settings, self.ingress.url if self._telnyx_is_local else None)

    async def _open_door(self, log: EmbeddedLog, dispatcher: Dispatcher, accounts: Accounts) -> None:
        settings, topics = self._settings.grpc, topics_of(self._settings)
        door = GrpcServer(
            settings,
            log,
            topics,
            dispatcher,
            accounts,
            self._clock,
            rng=self._rng,
            registry=self._registry,
            ready=self._ready,
        )
        self._stack.push_async_callback(door.stop, settings.drain_seconds)
        with naming("grpc", settings.host, settings.port):
            try_address(settings.host, settings.port)
            self.grpc_port = await door.start()
        self._checks["results"] = lambda: None if door.hears_results else "the results topic is not being read"

    async def _listen(self, name: str, server: HttpServer) -> None:
        section = getattr(self._settings, name)
        with naming(name, section.host, section.port):
            await self._stack.enter_async_context(server)

    async def _ready(self) -> bool:
        return not await failing_checks(self._checks)


def clock_is_behind(log: EmbeddedLog) -> str | None:
    """Expiries count from the log's times: while the clock is behind them, nothing expires when it should."""
    if log.ahead_ms <= SKEW_MS_MAX:
        return None
    return f"the clock is {log.ahead_ms / 1000:.0f} s behind the log's latest record: it was set back"


def _restoring(dispatcher: Dispatcher) -> str | None:
    waiting = dispatcher.restoring
    return f"partitions {', '.join(map(str, waiting))} are being restored" if waiting else None
