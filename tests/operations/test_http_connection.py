"""The bounds of an HTTP connection, each met by somebody on a real socket who means no good."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cordboard import http_connection
from cordboard.http_connection import Bounds, Peers
from cordboard.http_server import HttpServer

GET = b"GET /quick HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST /quick HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n"
LARGE = 8 * 1024 * 1024


class Served:
    """A server with a page that answers, one that waits, and one that says much."""

    def __init__(self, bounds: Bounds) -> None:
        self.entered, self.release = asyncio.Event(), asyncio.Event()
        routes = [
            Route("/quick", self._quick, methods=["GET", "POST"]),
            Route("/slow", self._slow),
            Route("/much", self._much),
        ]
        self.server = HttpServer(Starlette(routes=routes), "127.0.0.1", 0, bounds=bounds, drain_seconds=0.1)

    async def _quick(self, request: Request) -> Response:
        return PlainTextResponse("quick")

    async def _slow(self, request: Request) -> Response:
        self.entered.set()
        await self.release.wait()
        return PlainTextResponse("done")

    async def _much(self, request: Request) -> Response:
        return Response(b"x" * LARGE)

    @property
    def connections(self) -> set[Any]:
        assert self.server._server is not None
        return self.server._server.server_state.connections

    async def connect(self, *said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        for part in said:
            writer.write(part)
        return reader, writer

    async def is_left(self) -> None:
        """Return once no connection is left."""
        while self.connections:  # noqa: ASYNC110  # a set has no event to wait for
            await asyncio.sleep(0.001)


@asynccontextmanager
async def served(**bounds: Any) -> AsyncIterator[Served]:
    one = Served(Bounds(**bounds))
    async with one.server:
        yield one


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The status line, and the body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head.partition(b"\r\n")[0], await reader.readexactly(length)


@pytest.mark.parametrize(
    "filler", [b"x-long: " + b"x" * 100_000, b"x-a: b\r\n" * 90 + b"x-long: " + b"x" * 40_000, b"x-a: b\r\n" * 20_000]
)
async def test_a_head_without_end_is_cut_off(filler: bytes):
    """
    Whether many headers or one endless one: past the bound the connection is closed, with 400 where that gets through.
    """
    async with served() as one:
        reader, _ = await one.connect(b"GET /quick HTTP/1.1\r\nhost: a\r\n", filler)

        with suppress(ConnectionResetError):  # What was still under way resets the connection.
            assert (await reader.read()).startswith(b"HTTP/1.1 400")
        await one.is_left()


async def test_so_many_headers_and_no_more():
    """
    Few bytes, but many of them: a hundred pass, one more does not.
    """
    async with served() as one:
        for count, status in ((99, b"HTTP/1.1 200 OK"), (100, b"HTTP/1.1 400 Bad Request")):
            reader, _ = await one.connect(b"GET /quick HTTP/1.1\r\nhost: a\r\n", b"x: y\r\n" * count, b"\r\n")

            assert (await answer(reader))[0] == status


@pytest.mark.parametrize("beginning", [b"", b"\r\n", b"GET /quick HTTP/1.1\r\nhost: a\r\n", b"GET /qui"])
async def test_a_head_that_does_not_come_is_cut_off(beginning: bytes):
    """
    Neither silence nor half a head keeps a connection open.
    """
    async with served(head_seconds_max=0.05) as one:
        reader, _ = await one.connect(beginning)

        assert await reader.read() == b""


async def test_a_head_that_comes_byte_by_byte_is_cut_off():
    """
    Its time counts from its beginning, not from its last byte.
    """
    async with served(head_seconds_max=0.1) as one:
        reader, writer = await one.connect(b"GET /quick HTTP/1.1\r\n")
        cut = asyncio.ensure_future(reader.read())
        while not cut.done():
            writer.write(b"x")
            await asyncio.wait((cut,), timeout=0.01)

        assert cut.exception() is not None or cut.result() == b""


async def test_a_request_in_time_is_not_cut_off_later():
    """
    The bound is for the head: once that has come, the answer may take as long as it likes.
    """
    async with served() as one, httpx.AsyncClient() as client:
        asked = asyncio.create_task(client.get(f"{one.server.url}/slow"))
        await one.entered.wait()

        (connection,) = one.connections
        assert connection._timer is None

        one.release.set()
        assert (await asked).text == "done"


async def test_a_connection_may_rest_and_not_for_ever():
    """
    A second request comes over the same connection; after that, silence ends it.
    """
    async with served(idle_seconds_max=0.05) as one:
        reader, writer = await one.connect(GET)
        assert await answer(reader) == (b"HTTP/1.1 200 OK", b"quick")
        writer.write(GET)
        assert await answer(reader) == (b"HTTP/1.1 200 OK", b"quick")

        assert await reader.read() == b""


async def test_what_begins_no_request_does_not_keep_a_connection_open():
    """
    An empty line between requests is passed over, and gives no more than the time of a head.
    """
    async with served(head_seconds_max=0.05) as one:
        reader, writer = await one.connect(GET)
        await answer(reader)
        writer.write(b"\r\n")

        assert await reader.read() == b""


async def test_what_is_left_of_a_body_after_the_answer_has_a_moment():
    """
    The page never wanted it; who goes on dripping it is cut off, who ends it may ask again.
    """
    async with served(rest_seconds_max=0.05) as one:
        reader, writer = await one.connect(POST)
        assert await answer(reader) == (b"HTTP/1.1 200 OK", b"quick")
        writer.write(b"x")
        assert await reader.read() == b""

    async with served() as one:
        reader, writer = await one.connect(POST)
        await answer(reader)
        writer.write(b"x" * 1_000_000 + GET)
        assert await answer(reader) == (b"HTTP/1.1 200 OK", b"quick")


async def test_who_does_not_take_the_answer_is_cut_off():
    """
    It lies in memory here until then.
    """
    async with served(write_seconds_max=0.05) as one:
        with socket.create_connection(("127.0.0.1", one.server.port)) as deaf:
            deaf.sendall(b"GET /much HTTP/1.1\r\nhost: a\r\n\r\n")
            while not one.connections:  # noqa: ASYNC110  # a set has no event to wait for
                await asyncio.sleep(0.001)

            await one.is_left()


async def test_who_takes_it_slowly_gets_it_whole():
    """
    As long as it goes on.
    """
    async with served(write_seconds_max=5) as one:
        reader, _ = await one.connect(b"GET /much HTTP/1.1\r\nhost: a\r\n\r\n")
        _, body = await answer(reader)

        assert len(body) == LARGE


async def test_more_connections_than_there_may_be_are_closed_at_once():
    """
    With 503, before they have said anything; when one goes, the next may come.
    """
    async with served(connections_max=2) as one:
        kept = [await one.connect(GET) for _ in range(2)]
        for reader, _ in kept:
            await answer(reader)
        reader, _ = await one.connect()
        assert (await reader.read()).startswith(b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n")

        kept[0][1].close()
        while len(one.connections) > 1:  # noqa: ASYNC110  # a set has no event to wait for
            await asyncio.sleep(0.001)
        reader, _ = await one.connect(GET)
        assert await answer(reader) == (b"HTTP/1.1 200 OK", b"quick")


async def test_one_address_cannot_have_them_all():
    """
    Others come in while one address is at its bound.
    """
    async with served(connections_max=10, connections_per_peer_max=2) as one:
        kept = [await one.connect(GET) for _ in range(2)]
        for reader, _ in kept:
            await answer(reader)
        reader, _ = await one.connect(GET)
        assert (await reader.read()).startswith(b"HTTP/1.1 503")

        reader, writer = await asyncio.open_connection("127.0.0.1", one.server.port, local_addr=("127.0.0.2", 0))
        writer.write(GET)
        assert await answer(reader) == (b"HTTP/1.1 200 OK", b"quick")


def test_an_address_counts_as_what_one_customer_has():
    """
    Of IPv6 a network of 64 bits; an IPv4 address in IPv6's clothes is the IPv4 address.
    """
    of: Callable[[str], str] = http_connection._counted_as

    assert of("2001:db8::1") == of("2001:db8::ffff:1") != of("2001:db8:0:1::1")
    assert of("::ffff:192.0.2.7") == of("192.0.2.7") == "192.0.2.7"
    assert of("fe80::1%eth0") == "fe80::/64"
    assert (of(""), of("a:b")) == ("", "a:b")


def test_refusals_of_connections_are_said_once_a_minute(monkeypatch: pytest.MonkeyPatch):
    """
    They come in floods.
    """
    said: list[dict[str, object]] = []
    monkeypatch.setattr(http_connection._log, "warning", lambda event, **facts: said.append(facts))
    peers = Peers(Bounds(connections_max=1))

    stays = [peers.come("192.0.2.7", now) for now in (0.0, 0.0, 59.0, 60.0)]

    assert stays == [True, False, False, False]
    assert [facts["in_all"] for facts in said] == [2, 4]
    for _ in stays:
        peers.go("192.0.2.7")
    assert peers.come("192.0.2.7", 61.0)
