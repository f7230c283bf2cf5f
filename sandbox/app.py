"""The doors: Telnyx's API below /v2 and the sandbox's own routes below /sandbox, as one ASGI application."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from sandbox.api import Api, Reply
from sandbox.control import Control
from sandbox.station import Station

# Set by the sandbox's server in the scope's extensions: closes the connection, after what was sent so far.
HANG_UP: Final = "sandbox.hang_up"
_BODY_BYTES_MAX: Final = 4 * 1024 * 1024


class ConnectionCut(ConnectionError):
    """The connection was cut without an answer; raised where there is no connection to cut (a test transport)."""


class App:
    """The ASGI application around a station.

    Requests to /v2 do not pass through the router: they are what a benchmark measures, and have only three shapes.
    """

    def __init__(self, station: Station) -> None:
        self.station = station
        self._api = Api(station)
        self._control = Starlette(routes=list(Control(station).routes()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"].startswith("/v2"):
            await self._serve(scope, receive, send)
        else:
            await self._control(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw_path = scope.get("raw_path") or scope["path"].encode()
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        body = await _read(receive)
        reply = await self._api.handle(
            scope["method"], raw_path.partition(b"?")[0].decode("latin-1"), authorization.decode("latin-1"), body
        )
        try:
            if reply.cut:
                await _hang_up(scope, receive)
            else:
                await _answer(reply, scope, receive, send)
        finally:
            self.station.webhooks.send(reply.events)


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if size <= _BODY_BYTES_MAX:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _answer(reply: Reply, scope: Scope, receive: Receive, send: Send) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
    headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if reply.short:
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        await _hang_up(scope, receive)
    else:
        await send({"type": "http.response.body", "body": reply.body})


async def _hang_up(scope: Scope, receive: Receive) -> None:
    close = scope.get("extensions", {}).get(HANG_UP)
    if close is None:
        raise ConnectionCut
    close()
    # Return only when the server knows that the client is gone: before that it would answer 500 in our place.
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
