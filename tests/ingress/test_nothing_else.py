"""The public port serves nothing but webhooks, and says of itself no more than it must."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Final

import pytest

from tests.ingress.desk import Desk, Opened, event

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
# What the other ports serve, what frameworks serve unasked, and what scanners ask for.
ELSEWHERE: Final = (
    "/",
    "/metrics",
    "/healthz",
    "/readyz",
    "/startz",
    "/loglevel",
    "/v2/calls",
    "/v2/calls/v3:a/actions/hangup",
    "/docs",
    "/openapi.json",
    "/version",
    "/favicon.ico",
    "/webhooks",
    "/webhooks/",
    "/webhooks/telnyx/",
    "/webhooks/telnyx/main/",
    "/webhooks/telnyx/main/dials",
    "/webhooks/telnyx/main/dials/c1",
    "/webhooks/telnyx/main/dials/c1/mac/more",
    "/webhooks/telnyx/../../metrics",
    "/webhooks/telnyx/%2e%2e/%2e%2e/metrics",
    "//metrics",
    "/WEBHOOKS/TELNYX",
    "/cordboard.v1.DispatcherService/Submit",
)
ADDRESSES: Final = ("/webhooks/telnyx", "/webhooks/telnyx/main", "/webhooks/telnyx/main/dials/c1/mac")
# Nothing of who made it, nor with what.
TOLD: Final = {"date", "content-type", "content-length", "connection", "allow"}


async def asked(desk: Desk, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Ask by a socket, because clients tidy up what they are given."""
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
    writer.write(f"{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    told = b"" if method == "HEAD" else await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return int(head[0].split()[1]), headers, told


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_every_other_path_is_nowhere(desk: Desk, path: str):
    """
    By whatever method, with whatever body: 404, the same words, and nothing is written.
    """
    answers = [await asked(desk, method, path, event()) for method in METHODS]

    assert [status for status, _, _ in answers] == [404] * len(METHODS)
    assert {told for _, _, told in answers if told} == {b'{"result":"unknown_path","message":"nothing is here"}'}
    assert desk.log.appends == 0


@pytest.mark.parametrize("path", ADDRESSES)
async def test_every_other_method_is_not_allowed(desk: Desk, path: str):
    """
    405, which names the one that is.
    """
    answers = {method: await asked(desk, method, path) for method in METHODS if method != "POST"}

    assert {(status, headers["allow"]) for status, headers, _ in answers.values()} == {(405, "post")}
    assert desk.log.appends == 0


async def test_no_answer_tells_what_serves_it(open_desk: Opened):
    """
    Neither by a header nor by its words: no server, no framework, no version.
    """
    desk = await open_desk()
    asks = [(method, path) for method in METHODS for path in (*ADDRESSES, "/", "/metrics")]

    for method, path in asks:
        _, headers, told = await asked(desk, method, path)
        assert set(headers) <= TOLD
        words = told.decode().lower()
        assert [
            word for word in ("uvicorn", "starlette", "python", "cordboard", version("cordboard")) if word in words
        ] == []


async def test_what_is_no_http_is_told_no_more(desk: Desk):
    """
    Not even by the server beneath: 400, in its fewest words.
    """
    for garbage in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"hello\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
        writer.write(garbage)
        answer = await reader.read()
        writer.close()

        head, _, told = answer.partition(b"\r\n\r\n")
        names = {line.split(b":")[0].decode().lower() for line in head.split(b"\r\n")[1:]}
        assert (head.startswith(b"HTTP/1.1 400"), names <= TOLD, told) == (
            True,
            True,
            b"Invalid HTTP request received.",
        )
