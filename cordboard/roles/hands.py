"""The workers' role: a pool for every account, with its client and its key."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from functools import partial

from prometheus_client import REGISTRY, CollectorRegistry

from cordboard.clock import Clock
from cordboard.liveness import Post
from cordboard.log.port import Log
from cordboard.observers import each_of
from cordboard.roles.forwarding import Forwarding
from cordboard.roles.topics import topics_of
from cordboard.settings import Account, Settings, Worker
from cordboard.tracing.port import Tracer
from cordboard.work import Lane
from workers import journal
from workers.core.attempt import Limits
from workers.metrics import Metrics
from workers.pace import AccountPace, Rates
from workers.pool import Carrying, Pool
from workers.settings import PoolSettings
from workers.telnyx import Telnyx
from workers.tracing import Spans


class Workers:
    """The pools of one process."""

    def __init__(
        self,
        settings: Settings,
        pools: Iterable[str],
        log: Log,
        clock: Clock,
        rng: random.Random,
        is_paused: Callable[[str], bool],
        registry: CollectorRegistry = REGISTRY,
        tracer: Tracer | None = None,
    ) -> None:
        """Prepare a pool for each of these accounts, and what forwards its events."""
        metrics, pools = Metrics(registry), list(pools)
        self._forwarding = Forwarding(settings, pools, log, clock, rng, registry, tracer)
        self._drain_seconds = settings.worker.drain_seconds
        self._clients: list[Telnyx] = []
        self._pools: list[Pool] = []
        self._names, self._paces = pools, list[AccountPace]()
        for name in pools:
            account = settings.accounts[name]
            client = _client(account, settings.worker)
            spans = () if tracer is None else (Spans(tracer, topics_of(settings), name, account.base_url),)
            observe = each_of(metrics.of(name), journal.write, *spans)
            pace = AccountPace(rates_of(account, settings.worker), partial(is_paused, name), observe)
            self._clients.append(client)
            self._paces.append(pace)
            self._pools.append(
                Pool(
                    pool_settings(name, account, settings.worker),
                    log=log,
                    topics=topics_of(settings),
                    client=client,
                    clock=clock,
                    rng=rng,
                    pace=pace,
                    observe=observe,
                )
            )

    async def start(self) -> None:
        """Begin to take work."""
        for pool in self._pools:
            await pool.start()
        await self._forwarding.start()

    async def seated(self) -> None:
        """Return when every lane of every pool has its seat."""
        await asyncio.gather(*(pool.seated() for pool in self._pools))

    @property
    def broken(self) -> tuple[str, ...]:
        """The lanes and forwarders that ended though nobody had them end."""
        return (*(name for pool in self._pools for name in pool.broken), *self._forwarding.broken)

    @property
    def unseated(self) -> tuple[str, ...]:
        """The lanes and forwarders that are still waiting for their seat in the group."""
        return (*(name for pool in self._pools for name in pool.unseated), *self._forwarding.unseated)

    @property
    def posts(self) -> list[Post]:
        """What the pools hold, for who looks whether it goes on."""
        return [*(post for pool in self._pools for post in pool.posts), *self._forwarding.posts]

    @property
    def loads(self) -> dict[tuple[str, str], Carrying]:
        """By pool and lane, what is carried."""
        each = zip(self._names, self._pools, strict=True)
        return {(name, lane.value): load for name, pool in each for lane, load in pool.loads.items()}

    @property
    def held(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """By pool and lane, the partitions held."""
        found: dict[tuple[str, str], list[int]] = {}
        for post in (post for pool in self._pools for post in pool.posts):
            found.setdefault((post.holder[0], post.holder[1]), []).append(post.partition)
        return {place: tuple(sorted(numbers)) for place, numbers in found.items()}

    @property
    def breakers(self) -> dict[str, bool]:
        """By pool, whether Telnyx counts as away here."""
        return {name: pace.is_broken for name, pace in zip(self._names, self._paces, strict=True)}

    async def stop(self) -> None:
        """Take no more, end what is in flight within the drain time, report it, and close the clients."""
        await asyncio.gather(self._forwarding.stop(), *(pool.drain(self._drain_seconds) for pool in self._pools))
        await asyncio.gather(*(client.close() for client in self._clients))


def rates_of(account: Account, chosen: Worker) -> Rates:
    """What Telnyx lets an account do, and when it counts as away."""
    return Rates(
        requests_per_second=account.requests_per_second,
        dials_per_second=account.dials_per_second,
        failures_max=chosen.breaker_failures_max,
    )


def pool_settings(name: str, account: Account, chosen: Worker) -> PoolSettings:
    """What bounds an account's pool, in the workers' units."""
    return PoolSettings(
        name=name,
        concurrency={
            Lane.URGENT: account.urgent_concurrency or chosen.concurrency.urgent,
            Lane.ACTION: account.action_concurrency or chosen.concurrency.action,
            Lane.DIAL: account.dial_concurrency or chosen.concurrency.dial,
        },
        limits=Limits(
            budget_ms=round(chosen.attempt_budget_seconds * 1000),
            try_ms=round(chosen.try_timeout_seconds * 1000),
            connect_ms=round(chosen.connect_timeout_seconds * 1000),
        ),
        waiting_ms=round(chosen.waiting_notice_seconds * 1000),
        handover_ms=round(chosen.drain_seconds * 1000),
    )


def _client(account: Account, chosen: Worker) -> Telnyx:
    return Telnyx(account.base_url, _key_of(account), connect_ms=round(chosen.connect_timeout_seconds * 1000))


def _key_of(account: Account) -> Callable[[], str]:
    return lambda: account.read_api_key() or ""


def idle(workers: Workers) -> str | None:
    """For readiness: which lanes stand still."""
    if workers.broken:
        return f"{', '.join(workers.broken)} broke off: a bug; its work stands still"
    return f"{', '.join(workers.unseated)}: no seat in the group yet" if workers.unseated else None
