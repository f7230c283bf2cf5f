"""HTTP ports over TLS: who is let in, and that a request says by which names its sender is known."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cordboard import http_server
from cordboard.http_caller import caller_of
from cordboard.http_server import HttpServer
from cordboard.operations import operations_server
from cordboard.settings import Operations
from cordboard.tls.renewing import Renewing, ServerContext
from tests.tls.made import Made, serial, serial_shown


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "made")


async def whoami(request: Request) -> Response:
    names = caller_of(request.scope)
    return JSONResponse(None if names is None else sorted(names.every))


def served(made: Made, *, asks: bool) -> HttpServer:
    app = Starlette(routes=[Route("/", whoami)])
    return HttpServer(app, "127.0.0.1", 0, tls=ServerContext(Renewing(made.files(asks=asks))))


@pytest.fixture
async def asking(made: Made) -> AsyncIterator[HttpServer]:
    async with served(made, asks=True) as server:
        yield server


async def test_without_certificates_of_clients(made: Made):
    """
    Encrypted, and nobody is known by name; in the clear nobody is answered.
    """
    async with served(made, asks=False) as server, httpx.AsyncClient(verify=made.client_context()) as client:
        assert server.url.startswith("https://")
        assert (await client.get(server.url)).json() is None
        with pytest.raises(httpx.TransportError):
            await client.get(server.url.replace("https", "http"))


async def test_a_caller_is_known_by_its_certificate(made: Made, asking: HttpServer):
    """
    On each request of a connection.
    """
    pair = made.issue("billing", "billing.example", "spiffe://here/billing")
    async with httpx.AsyncClient(verify=made.client_context(pair)) as client:
        for _ in range(2):
            assert (await client.get(asking.url)).json() == ["billing", "billing.example", "spiffe://here/billing"]


async def test_who_shows_no_certificate_or_a_wrong_one_is_let_nowhere(made: Made, asking: HttpServer):
    """
    None, one that has expired, one of another authority.
    """
    other = Made(made.folder / "other")
    for pair in (None, made.expired("late"), other.issue("stranger")):
        async with httpx.AsyncClient(verify=made.client_context(pair)) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(asking.url)


async def test_a_server_whose_authority_is_another_is_not_believed(made: Made, asking: HttpServer):
    """
    As everywhere.
    """
    other = Made(made.folder / "other")
    async with httpx.AsyncClient(verify=other.client_context()) as client:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(asking.url)


async def test_the_operations_port_asks_nobody(made: Made):
    """
    Probes and Prometheus have no certificates; and what is renewed is shown there, too.
    """
    context = ServerContext(Renewing(made.files(asks=True)), asks=False)
    server = operations_server(Operations(port=0), {}, CollectorRegistry(), tls=context)
    async with server, httpx.AsyncClient(verify=made.client_context()) as client:
        assert (await client.get(f"{server.url}/readyz")).json()["ready"]
        made.issue("server", "localhost")
        assert await serial_shown(server.port, made.client_context()) == serial(made.server)


async def test_a_handshake_that_does_not_come_is_cut_off(made: Made, monkeypatch: pytest.MonkeyPatch):
    """
    Silence, or half of it: nobody holds a connection by that.
    """
    monkeypatch.setattr(http_server, "_HANDSHAKE_SECONDS_MAX", 0.05)
    async with served(made, asks=False) as server:
        for beginning in (b"", b"\x16\x03\x01\x02\x00"):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(beginning)

            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
