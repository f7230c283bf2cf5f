"""The server around uvicorn: starting, stopping."""

from __future__ import annotations

import asyncio
import signal

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cordboard.http_server import HttpServer


def served(**more: float) -> tuple[HttpServer, asyncio.Event, asyncio.Event]:
    """A server with one page that waits: entered says that it was asked, release lets it answer."""
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> Response:
        entered.set()
        await release.wait()
        return PlainTextResponse("done")

    async def quick(request: Request) -> Response:
        return PlainTextResponse("quick")

    app = Starlette(routes=[Route("/slow", slow), Route("/quick", quick)])
    return HttpServer(app, "127.0.0.1", 0, **more), entered, release


async def ask_for_ever(client: httpx.AsyncClient, server: HttpServer) -> None:
    while True:
        await client.get(f"{server.url}/quick")


async def test_the_port_is_known_once_it_listens():
    """
    Port 0 is replaced by the one that the system picked, and it answers there.
    """
    server, _, _ = served()
    async with server, httpx.AsyncClient() as client:
        assert server.port > 0
        assert (await client.get(f"{server.url}/quick")).text == "quick"


async def test_signals_stay_with_the_process():
    """
    Whoever runs the server decides what a signal means.
    """
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    server, _, _ = served()
    async with server:
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


async def test_an_address_that_is_taken_is_an_error_at_once():
    """
    The second one is told, and the first goes on.
    """
    first, _, _ = served()
    async with first:
        second = HttpServer(Starlette(), "127.0.0.1", first.port)
        with pytest.raises(OSError, match="in use"):
            await second.start()
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{first.url}/quick")).status_code == 200


async def test_a_stop_lets_what_is_in_hand_end():
    """
    The request under way is answered; a new one finds nobody.
    """
    server, entered, release = served()
    await server.start()
    async with httpx.AsyncClient() as client:
        asked = asyncio.create_task(client.get(f"{server.url}/slow"))
        await entered.wait()
        stopping = asyncio.create_task(server.stop())
        async with httpx.AsyncClient() as other:
            with pytest.raises(httpx.TransportError):
                await ask_for_ever(other, server)
            with pytest.raises(httpx.ConnectError):
                await other.get(f"{server.url}/quick")
        release.set()

        assert (await asked).text == "done"
        await stopping
        await server.stop()


async def test_a_stop_does_not_wait_for_ever():
    """
    What does not end within the drain time is cut off.
    """
    server, entered, _ = served(drain_seconds=0.1)
    await server.start()
    async with httpx.AsyncClient() as client:
        asked = asyncio.create_task(client.get(f"{server.url}/slow"))
        await entered.wait()
        await server.stop()

        answer = await asyncio.gather(asked, return_exceptions=True)

    assert isinstance(answer[0], httpx.HTTPError) or answer[0].status_code == 500
