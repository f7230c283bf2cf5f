"""The probes as kubelet asks them, put to a process that serves, and to one whose log is away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client import CollectorRegistry

from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.settings import Settings
from tests.deploy.manifests import Object, everything

PROBES = ("startup", "liveness", "readiness")
KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

of_all = pytest.mark.parametrize(
    "container", [pytest.param(one.container, id=f"{name}-{one.name}") for name, one in everything()]
)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """All roles; each probe finds what it asks, whichever role it is for."""
    settings = Settings(
        accounts={"main": {"api_key": "k", "webhook_public_key": KEY}},
        log={"path": tmp_path / "log.sqlite3", "partitions": 1},
        **{name: {"port": 0} for name in ("grpc", "ingress", "rest", "operations")},
    )
    async with Desk(settings, SystemClock(), random.Random(1), CollectorRegistry()) as desk:
        yield desk


async def passes(probe: Object, desk: Desk) -> bool:
    """As kubelet judges: any 2xx or 3xx; SERVING of the service that is named."""
    if "httpGet" in probe:
        async with httpx.AsyncClient(timeout=probe["timeoutSeconds"]) as client:
            return (await client.get(f"{desk.operations.url}{probe['httpGet']['path']}")).status_code < 400
    async with grpc.aio.insecure_channel(f"127.0.0.1:{desk.grpc_port}") as channel:
        asked = health_pb2.HealthCheckRequest(service=probe["grpc"]["service"])
        told = await health_pb2_grpc.HealthStub(channel).Check(asked, timeout=probe["timeoutSeconds"])
        return bool(told.status == health_pb2.HealthCheckResponse.SERVING)


async def become(container: Object, desk: Desk, wanted: dict[str, bool]) -> None:
    """Readiness over gRPC is asked for once a second, so it may take one."""
    async with asyncio.timeout(20):
        while (told := {name: await passes(container[f"{name}Probe"], desk) for name in PROBES}) != wanted:
            assert told["liveness"] == wanted["liveness"]
            await asyncio.sleep(0.1)


@of_all
async def test_a_process_without_its_log_is_not_ready_and_is_left_alone(container: Object, desk: Desk):
    """
    It is sent nothing, and not started anew; when the log is back, it goes on.
    """
    everything_well = dict.fromkeys(PROBES, True)
    await become(container, desk, everything_well)

    log = desk._checks["log"]
    desk._checks["log"] = lambda: "away"
    await become(container, desk, everything_well | {"readiness": False})

    desk._checks["log"] = log
    await become(container, desk, everything_well)
