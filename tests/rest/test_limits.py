"""What goes on to Telnyx is bounded, too; and the settings of a port's connections reach every port."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from cordboard.clock import SystemClock
from cordboard.operations import operations_server
from cordboard.settings import Operations, Settings
from dispatcher.ingress import IngressMetrics, ingress_server
from dispatcher.rest import RestServer, passing
from tests.ingress import desk
from tests.promises.stage import Stage

HEAD = b"POST /v2/messages HTTP/1.1\r\nhost: a\r\nauthorization: Bearer key\r\ncontent-length: 1000\r\n\r\n{"
BOUND = {"port": 0, "connections_max": 1, "connections_per_peer_max": 1}


@pytest.mark.parametrize(("name", "drips"), [("_SILENT_SECONDS_MAX", False), ("_BODY_SECONDS_MAX", True)])
async def test_a_body_for_telnyx_that_does_not_come_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, drips: bool
):
    """
    Neither silence nor a byte now and then holds a connection, and one of Telnyx's, for ever.
    """
    monkeypatch.setattr(passing, name, 0.2)
    async with Stage(tmp_path) as stage:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(stage.rest_url.rpartition(":")[2]))
        writer.write(HEAD)
        answered = asyncio.ensure_future(reader.readline())
        while drips and not answered.done():
            writer.write(b" ")
            await asyncio.wait((answered,), timeout=0.01)

        assert (await answered).startswith(b"HTTP/1.1 408")
        writer.close()


async def second(port: int) -> bytes:
    """What a second connection is told while there is a first one."""
    _, first = await asyncio.open_connection("127.0.0.1", port)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told = await reader.readline()
    first.close()
    writer.close()
    return told


async def test_the_bounds_of_connections_are_those_of_the_settings(tmp_path: Path):
    """
    Of the webhook port, the REST door and the operations port.
    """
    settings = Settings(ingress=BOUND, rest=BOUND, operations=BOUND)
    metrics = IngressMetrics(CollectorRegistry())
    ingress = ingress_server(settings, desk.Log(), desk.TOPIC, desk.Clock(), metrics)
    operations = operations_server(Operations.model_validate(BOUND), {}, CollectorRegistry())
    async with ingress, operations:
        told = [await second(server.port) for server in (ingress, operations)]

    assert told == [b"HTTP/1.1 503 Service Unavailable\r\n"] * 2
    acceptance: Any = None  # It is not to be opened.
    rest = RestServer(settings, acceptance, SystemClock(), registry=CollectorRegistry())
    assert rest._server._bounds == settings.rest.bounds()
