"""`make test-alerts`: the five worst alerts in a real Prometheus, on real processes, under the faults they are for.

Each is silent while all is well, fires under its fault, and is silent again when that is over. Not collected otherwise,
because each takes about a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from brokers import Cluster
from cordboard.client import Client, CommandRefused
from cordboard.v1 import Command, Dial, Hangup
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.alerts.watching import Prometheus, until
from tests.e2e.apart import Pieces, ready
from tests.e2e.process import Cordboard

FAULTS: dict[str, dict[str, Any]] = {
    "CordboardTelnyxDown": {"on": "request", "status": 503},
    "CordboardOutcomesUnknown": {"on": "request", "match": {"action": "dial"}, "cut": "after"},
    "CordboardCredentialsRefused": {"on": "request", "status": 401, "error": {"errors": [{"code": "10009"}]}},
    "CordboardNoWebhooks": {"on": "webhook", "drop": True},
}


@pytest.fixture
async def sandbox() -> AsyncIterator[Server]:
    async with Server(SandboxSettings(port=0, speed=10.0)) as server:
        yield server


@contextlib.asynccontextmanager
async def traffic(target: str) -> AsyncIterator[None]:
    """Two calls a second are dialled, and hung up, whatever becomes of them."""

    async def call() -> None:
        dial = Dial(to="+12025559908", from_number="+12025550199", connection_id="test")
        with contextlib.suppress(CommandRefused, grpc.aio.AioRpcError):
            answer = await door.execute(Command(command_id=str(uuid.uuid4()), dial=dial), timeout=5)
            for leg in answer.result.dialed:
                hangup = Command(command_id=str(uuid.uuid4()), call_control_id=leg.call_control_id, hangup=Hangup())
                await door.submit(hangup, timeout=5)

    async def calls() -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(call())
                await asyncio.sleep(0.5)

    async with Client(target) as door:
        calling = asyncio.create_task(calls())
        try:
            yield
        finally:
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)


async def all_is_well(prometheus: Prometheus) -> None:
    """Commands succeed, webhooks come, and nothing fires."""

    async def well() -> bool:
        succeeded = await prometheus.value('sum(rate(cordboard_results_total{state="SUCCEEDED"}[15s]))')
        return succeeded > 0 and await prometheus.value("sum(rate(cordboard_events_total[15s]))") > 0

    await until(well, "calls")
    assert await prometheus.firing() == set()


async def fires(prometheus: Prometheus, alert: str) -> None:
    async def is_firing() -> bool:
        return alert in await prometheus.firing()

    await until(is_firing, f"{alert} to fire")


async def falls_silent(prometheus: Prometheus) -> None:
    async def is_silent() -> bool:
        return not await prometheus.firing()

    await until(is_silent, "all alerts to fall silent")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("alert", FAULTS)
async def test_it_fires_under_its_fault(alert: str, tmp_path: Path, sandbox: Server):
    """
    All roles as one process, on the embedded log.
    """
    cordboard = Cordboard(tmp_path / "cordboard", sandbox.base_url, sandbox.public_key)
    cordboard.start()
    try:
        await ready(cordboard)
        sandbox.settings.webhook_url = cordboard.webhook_url
        seen = Prometheus(tmp_path / "prometheus", [cordboard.places["operations"]])
        async with seen as prometheus, traffic(cordboard.target):
            await all_is_well(prometheus)
            sandbox.station.faults.set([FAULTS[alert]])
            await fires(prometheus, alert)
            sandbox.station.faults.set([])
            await falls_silent(prometheus)
    finally:
        cordboard.abandon()


@pytest.mark.timeout(900)
async def test_a_broker_that_is_frozen_leaves_partitions_without_progress(
    tmp_path: Path, sandbox: Server, own_brokers: None
):
    """
    It accepts and does not answer: nobody can tell whether the partitions go on.
    """
    with Cluster(tmp_path / "kafka") as cluster:
        names = ("dispatcher-1", "worker-1", "ingress")
        keys = (cluster.bootstrap_servers, "alerts", sandbox.base_url, sandbox.public_key)
        async with Pieces(tmp_path, *keys, names) as pieces:
            sandbox.settings.webhook_url = pieces.webhook_url
            ports = [pieces[name].places["operations"] for name in names]
            async with Prometheus(tmp_path / "prometheus", ports) as prometheus, traffic(pieces.target):
                await all_is_well(prometheus)
                cluster.node(1).freeze()
                try:
                    await fires(prometheus, "CordboardPartitionUnjudged")
                finally:
                    cluster.node(1).thaw()
                await falls_silent(prometheus)
