"""Forwarding in the workers' role: a forwarder for every account that has an endpoint."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable

from prometheus_client import CollectorRegistry

from cordboard.clock import Clock
from cordboard.liveness import Post
from cordboard.log.port import Log
from cordboard.observers import each_of
from cordboard.roles.topics import topics_of
from cordboard.settings import Account, Settings
from cordboard.tracing.port import Tracer
from workers.core.forwarding import Patience
from workers.forwarding import Endpoint, Forwarder, ForwardSettings
from workers.forwarding.journal import Journal
from workers.forwarding.metrics import ForwardMetrics
from workers.forwarding.tracing import Spans


class Forwarding:
    """The forwarders of one process. They have nothing to do with its pools, which never wait for them."""

    def __init__(
        self,
        settings: Settings,
        pools: Iterable[str],
        log: Log,
        clock: Clock,
        rng: random.Random,
        registry: CollectorRegistry,
        tracer: Tracer | None = None,
    ) -> None:
        """Prepare a forwarder for each of these accounts that has a forward_url."""
        metrics = ForwardMetrics(registry)
        self._drain_seconds = settings.worker.drain_seconds
        self._endpoints: list[Endpoint] = []
        self._forwarders: list[Forwarder] = []
        for name in pools:
            if (endpoint := _endpoint(settings.accounts[name])) is None:
                continue
            spans = () if tracer is None else (Spans(tracer, name),)
            forwarder = Forwarder(
                _forward_settings(name, settings),
                log=log,
                topics=topics_of(settings),
                endpoint=endpoint,
                clock=clock,
                rng=rng,
                observe=each_of(metrics.of(name), Journal(name, clock), *spans),
            )
            metrics.look_at(name, forwarder.in_hand, forwarder.oldest_seconds)
            self._endpoints.append(endpoint)
            self._forwarders.append(forwarder)

    @property
    def broken(self) -> tuple[str, ...]:
        """The forwarders that ended though nobody had them end."""
        return tuple(forwarder.name for forwarder in self._forwarders if forwarder.broken)

    @property
    def unseated(self) -> tuple[str, ...]:
        """The forwarders that are still waiting for their seat in the group."""
        return tuple(forwarder.name for forwarder in self._forwarders if not forwarder.seated.is_set())

    @property
    def posts(self) -> list[Post]:
        """What the forwarders hold, for who looks whether it goes on."""
        return [post for forwarder in self._forwarders for post in forwarder.posts]

    async def start(self) -> None:
        """Begin to forward."""
        for forwarder in self._forwarders:
            await forwarder.start()

    async def stop(self) -> None:
        """Begin nothing more, end what is on its way within the drain time, and close the connections."""
        await asyncio.gather(*(forwarder.drain(self._drain_seconds) for forwarder in self._forwarders))
        await asyncio.gather(*(endpoint.close() for endpoint in self._endpoints))


def _endpoint(account: Account) -> Endpoint | None:
    if account.forward_url is None:
        return None
    timeout_ms = round(account.forward_timeout_seconds * 1000)
    return Endpoint(account.forward_url.get_secret_value(), timeout_ms=timeout_ms)


def _forward_settings(name: str, settings: Settings) -> ForwardSettings:
    return ForwardSettings(
        account=name,
        patience=Patience(whole_ms=round(settings.accounts[name].forward_for_seconds * 1000)),
        handover_ms=round(settings.worker.drain_seconds * 1000),
    )
