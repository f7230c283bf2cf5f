"""What the transport says was sent, against real sockets. Four cases decide whether a dial may be repeated."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import aiohttp
import httpx
import pytest

from workers.transport import GarbledAnswer, TruthfulTransport, truth


class Server(Protocol):
    url: str
    requests: list[bytes]
    connections: int

    def then(self, *answers: bytes, hang_up: bool = False) -> None: ...

    def then_nothing(self) -> None: ...


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = TruthfulTransport(idle_seconds_max=30)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        yield client


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


class TestTheFourCases:
    async def test_a_refused_connection_sent_nothing(self, client: httpx.AsyncClient, closed_port: int) -> None:
        """
        Nobody listens: a connect error, and it is certain that nothing was sent.
        """
        with pytest.raises(httpx.ConnectError):
            await client.post(f"http://127.0.0.1:{closed_port}/", content=b"{}")

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    async def test_sent_and_dropped_is_no_connect_error(
        self, client: httpx.AsyncClient, server: Server, method: str
    ) -> None:
        """
        The server read the request and hung up: it may have had its effect.
        """
        server.then(b"", hang_up=True)

        with pytest.raises(httpx.RemoteProtocolError):
            await client.request(method, server.url, content=b"{}")
        assert len(server.requests) == 1

    async def test_sent_and_not_answered_is_a_read_timeout(self, client: httpx.AsyncClient, server: Server) -> None:
        """
        The server read the request and says nothing: it may have had its effect.
        """
        server.then_nothing()

        with pytest.raises(httpx.ReadTimeout):
            await client.post(server.url, content=b"{}", timeout=httpx.Timeout(5, read=0.1))
        assert len(server.requests) == 1

    async def test_a_truncated_answer_is_a_read_error(
        self, client: httpx.AsyncClient, server: Server, answer: Callable[..., bytes]
    ) -> None:
        """
        The status line came, the body broke off: the status is known all the same.
        """
        server.then(answer()[:-5], hang_up=True)
        request = client.build_request("POST", server.url, content=b"{}")
        response = await client.send(request, stream=True)

        assert response.status_code == 200
        with pytest.raises(httpx.ReadError):
            await response.aread()


class TestBeyond:
    async def test_a_put_on_a_reused_connection_is_sent_once(
        self, client: httpx.AsyncClient, server: Server, answer: Callable[..., bytes]
    ) -> None:
        """
        aiohttp alone would send it again by itself, and nobody would count it.
        """
        server.then(answer())
        await client.put(server.url, content=b"{}")
        server.then(b"", hang_up=True)

        with pytest.raises(httpx.RemoteProtocolError):
            await client.put(server.url, content=b"{}")
        assert (len(server.requests), server.connections) == (2, 1)

    async def test_a_connection_that_idled_too_long_is_not_trusted(
        self, server: Server, answer: Callable[..., bytes]
    ) -> None:
        """
        A dial on a connection that the server may have closed would be one more UNKNOWN.
        """
        server.then(answer(), answer())
        async with httpx.AsyncClient(transport=TruthfulTransport(idle_seconds_max=0.01)) as client:
            await client.post(server.url, content=b"{}")
            await asyncio.sleep(0.05)  # Longer than it may idle; a longer sleep changes nothing.
            await client.post(server.url, content=b"{}")

        assert server.connections == 2

    async def test_what_is_not_http_is_garbled(self, client: httpx.AsyncClient, server: Server) -> None:
        """
        Something answered: that is not a failed connect either.
        """
        server.then(b"220 mail.example.com ESMTP\r\n\r\n", hang_up=True)

        with pytest.raises(GarbledAnswer):
            await client.post(server.url, content=b"{}")

    async def test_a_failed_tls_handshake_sent_nothing(self, client: httpx.AsyncClient, server: Server) -> None:
        """
        No request is written before the handshake is over.
        """
        talking = await asyncio.start_server(_say_hello, "127.0.0.1", 0)
        port = talking.sockets[0].getsockname()[1]

        with pytest.raises(httpx.ConnectError):
            await client.post(f"https://127.0.0.1:{port}/", content=b"{}")
        talking.close()

    async def test_a_handshake_that_hangs_sent_nothing(self, client: httpx.AsyncClient) -> None:
        """
        The connect timeout covers the handshake.
        """
        silent = await asyncio.start_server(_say_nothing, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]

        with pytest.raises(httpx.ConnectTimeout):
            await client.post(f"https://127.0.0.1:{port}/", content=b"{}", timeout=httpx.Timeout(5, connect=0.1))
        silent.close()

    async def test_no_cookie_is_kept(
        self, client: httpx.AsyncClient, server: Server, answer: Callable[..., bytes]
    ) -> None:
        """
        The connection pool remembers connections, nothing else.
        """
        named = server.url.replace("127.0.0.1", "localhost")  # A jar would keep nothing for a bare address.
        server.then(answer(200, b"{}", "Set-Cookie: sticky=1; Path=/"), answer())
        for _ in range(2):
            await TruthfulTransport.handle_async_request(
                client._transport,  # type: ignore[arg-type]  # The fixture's own, without httpx's jar above it.
                httpx.Request("POST", named, content=b"{}", headers={"Host": "x"}),
            )

        assert b"sticky" not in server.requests[1]


class TestTruth:
    def test_the_cause_decides_and_not_its_wrapping(self) -> None:
        """
        httpx-aiohttp says ConnectTimeout for a dropped connection; its cause says what happened.
        """
        wrapped = httpx.ConnectTimeout("x")
        wrapped.__cause__ = aiohttp.ServerDisconnectedError()

        assert type(truth(wrapped)) is httpx.RemoteProtocolError

    def test_the_unforeseen_may_have_been_sent(self) -> None:
        """
        Only what is known to come before the first byte is a connect error.
        """
        assert type(truth(RuntimeError("secret"))) is httpx.ReadError
        assert "secret" not in str(truth(RuntimeError("secret")))


async def _say_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello, this is no TLS\r\n")
    await writer.drain()
    writer.close()


async def _say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    while await reader.read(100):
        pass
    writer.close()
