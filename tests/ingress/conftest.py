"""The running ingress, for the tests that ask it over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry

from cordboard.settings import Account, Ingress, Settings
from dispatcher.ingress import IngressMetrics, ingress_server
from tests.ingress.desk import KEY, OTHER_KEY, SECRET, TOPIC, Clock, Desk, Log, Opened, opened_spool, public


@pytest.fixture
async def open_desk() -> AsyncIterator[Opened]:
    running: list[Desk] = []

    async def open_it(default: str | None = None, accounts: tuple[str, ...] = ("main",), **limits: object) -> Desk:
        main = {"webhook_public_key": public(KEY), "public_url": "https://x.example", "dial_url_secret": SECRET}
        keys = {"main": main, "other": {"webhook_public_key": public(OTHER_KEY)}, "keyless": {}}
        settings = Settings(
            accounts={name: Account.model_validate(keys[name]) for name in accounts},
            default_account=default,
            ingress=Ingress.model_validate({"port": 0, **limits}),
        )
        log, clock, registry = Log(), Clock(), CollectorRegistry()
        spool = await opened_spool(settings, log, clock, registry)
        server = ingress_server(settings, log, TOPIC, clock, IngressMetrics(registry), spool)
        await server.start()
        running.append(Desk(server, httpx.AsyncClient(base_url=server.url), log, clock, registry, spool))
        return running[-1]

    yield open_it
    for desk in running:
        await desk.client.aclose()
        await desk.server.stop()
        if desk.spool is not None:
            await desk.spool.close()


@pytest.fixture
async def desk(open_desk: Opened) -> Desk:
    return await open_desk()
