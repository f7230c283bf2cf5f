"""What follows a body in pieces: no headers, whatever it says, and no more of it than of a head."""

from __future__ import annotations

import asyncio

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from cordboard.http_server import HttpServer

HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the names of the headers that it is given, once it has the body."""
    while (await receive()).get("more_body"):
        pass
    await JSONResponse([name.decode() for name, _ in scope["headers"]])(scope, receive, send)


async def test_a_trailer_is_no_header() -> None:
    """
    It would count for the one that came before it: a token, an account, a signature.
    """
    async with HttpServer(app, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HEAD + b"authorization: Bearer another\r\n\r\n")
        answer = await reader.readuntil(b"]")
        writer.close()

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'["host","transfer-encoding"]')


async def test_a_trailer_without_end_is_cut_off() -> None:
    """
    It is neither of the head nor of the body, and would be bounded by nothing.
    """
    async with HttpServer(app, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HEAD + b"x: ")
        try:
            async with asyncio.timeout(20):
                while True:
                    writer.write(b"a" * 65_536)
                    await writer.drain()
        except ConnectionError:
            pass


async def test_small_pieces_are_no_trailer() -> None:
    """
    A body may come a byte at a time, with more around it than in it.
    """
    async with HttpServer(app, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HEAD.partition(b"2\r\n")[0])
        for _ in range(40):
            writer.write(b"1\r\na\r\n" * 1_000)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
