"""What is no command goes on to Telnyx as it came: path, query, headers and body, both ways, as they stream.

Only the key is the account's, also where the caller is known by a key of ours, and what concerns one connection alone
(as HTTP calls it, hop-by-hop) stays on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final

import httpx
from starlette.types import Receive, Send

from dispatcher.rest.answers import NO_RETRY, Answer, of_case
from dispatcher.rest.requests import Gone, Head, TurnedAway

_CONNECT_SECONDS: Final = 5.0
_SILENT_SECONDS_MAX: Final = 10.0  # Between two parts of a caller's body.
_BODY_SECONDS_MAX: Final = 300.0  # For all of them.
_OF_ONE_CONNECTION: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Passing:
    """Hands requests on. `transport` is the network, unless a test has its own."""

    def __init__(self, seconds_max: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`seconds_max` is how long Telnyx may be silent."""
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=4.0)
        self._transport = transport or httpx.AsyncHTTPTransport(limits=limits, trust_env=False)
        silent = {"read": seconds_max, "write": seconds_max}
        self._timeouts = {"connect": _CONNECT_SECONDS, "pool": _CONNECT_SECONDS, **silent}

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def serve(self, head: Head, path: str, base_url: str, key: str, receive: Receive, send: Send) -> int:
        """Hand a request on and its answer back; gives the status. `path` is below the API's base URL.

        Raises TurnedAway where Telnyx does not answer, Gone where the caller has hung up.
        """
        request = self._request(head, path, base_url, key, receive)
        try:
            response = await self._transport.handle_async_request(request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TurnedAway(_unanswered(error, head.method)) from None
        try:
            headers = [(name.lower(), value) for name, value in _passed(response.headers.raw)]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - what an async transport gives.
            async for chunk in response.stream:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()
        return response.status_code

    def _request(self, head: Head, path: str, base_url: str, key: str, receive: Receive) -> httpx.Request:
        base = httpx.URL(base_url)
        below = f"{base.raw_path.decode().rstrip('/')}{path}" + (f"?{head.query}" if head.query else "")
        own = (b"host", b"authorization", b"x-cordboard-account")
        headers = [(name, value) for name, value in _passed(head.raw_headers) if name.lower() not in own]
        headers.append((b"authorization", f"Bearer {key}".encode("ascii")))
        has_body = "content-length" in head.headers or "transfer-encoding" in head.headers
        if "transfer-encoding" in head.headers:
            headers.append((b"transfer-encoding", b"chunked"))
        return httpx.Request(
            head.method,
            base.copy_with(raw_path=below.encode("latin-1")),
            headers=[(b"host", base.netloc), *headers],
            stream=_Body(receive) if has_body else httpx.ByteStream(b""),
            extensions={"timeout": self._timeouts},
        )


class _Body(httpx.AsyncByteStream):
    """The caller's body as it comes. Raises TurnedAway where it does not, Gone where the caller has hung up."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop, more = asyncio.get_running_loop(), True
        end = loop.time() + _BODY_SECONDS_MAX
        while more:
            try:
                async with asyncio.timeout_at(min(loop.time() + _SILENT_SECONDS_MAX, end)):
                    message = await self._receive()
            except TimeoutError:
                raise TurnedAway(_too_slow()) from None
            if message["type"] == "http.disconnect":
                raise Gone
            more = message.get("more_body", False)
            yield message.get("body", b"")


def _too_slow() -> Answer:
    said = f"The request body did not come: {_SILENT_SECONDS_MAX:g} s of silence, or {_BODY_SECONDS_MAX:g} s in all."
    return of_case("BODY_TOO_SLOW", said)


def _passed(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers that go on, without those of one connection and those that it names for its own."""
    given = list(headers)
    own = {part.strip().lower() for name, value in given if name.lower() == b"connection" for part in value.split(b",")}
    return [(name, value) for name, value in given if name.lower() not in _OF_ONE_CONNECTION | own]


def _unanswered(error: Exception, method: str) -> Answer:
    """Never the error's own words: they may carry the request's headers."""
    if isinstance(error, _UNSENT):
        return of_case("PASSED_UNSENT", "Telnyx could not be reached; nothing was sent.")
    said = "The request was sent to Telnyx, or may have been, and no answer came."
    return of_case("PASSED_UNANSWERED", said, {} if method in _HARMLESS else NO_RETRY)
