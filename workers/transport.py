"""The road to Telnyx: httpx-aiohttp's transport, made to tell the truth about what was sent.

aiohttp beneath httpx costs a seventh of the CPU of httpx's own pool, but httpx-aiohttp reports "sent, then dropped" as
a failed connect. A dial that is resent on such a report is a second phone call. The exception of aiohttp, kept as
`__cause__`, knows better: it is mapped here, and `ConnectError`, `ConnectTimeout` mean again what httpx says.

aiohttp also resends by itself: a PUT on a reused connection that breaks goes out once more, unseen. Here it does not.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Final

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport


class GarbledAnswer(httpx.RemoteProtocolError):
    """Something answered, and it was not HTTP."""


# The first row that fits decides. Everything below the connector's errors may have been sent.
_TRUTH: Final[Mapping[type[BaseException], type[httpx.TransportError]]] = {
    aiohttp.ConnectionTimeoutError: httpx.ConnectTimeout,
    aiohttp.ClientConnectorError: httpx.ConnectError,  # Refused, unknown name, TLS: raised before anything is written.
    TimeoutError: httpx.ReadTimeout,
    aiohttp.ServerDisconnectedError: httpx.RemoteProtocolError,
    aiohttp.ClientResponseError: GarbledAnswer,
    BaseException: httpx.ReadError,
}


def truth(error: BaseException) -> httpx.TransportError:
    """Say in httpx's terms what an exception of aiohttp, or of its mapping, really means.

    The text is the exception's name only: some of aiohttp's carry the request's headers, and with them the key.
    """
    cause = error.__cause__ if isinstance(error, httpx.TransportError) and error.__cause__ is not None else error
    meaning = next(ours for theirs, ours in _TRUTH.items() if isinstance(cause, theirs))
    return meaning(type(cause).__name__)


async def _no_unseen_resend(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from resending a PUT by itself: it does so only on exceptions that it recognises."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # Nothing was sent, and aiohttp does not resend on it.
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise httpx.RemoteProtocolError(type(error).__name__) from error


class _TruthfulStream(httpx.AsyncByteStream):
    """The body of an answer; breaks with httpx's exceptions only."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._stream:
                yield chunk
        except (httpx.TransportError, aiohttp.ClientError, OSError) as error:
            raise truth(error) from None

    async def aclose(self) -> None:
        await self._stream.aclose()


class TruthfulTransport(AiohttpTransport):
    """An httpx transport on aiohttp whose connect errors mean that nothing was sent.

    `idle_seconds_max` is how long an idle connection is trusted: one that the server closed meanwhile breaks only after
    the request was written to it, and then nobody knows. The number of connections is bounded by the lanes, not here.
    """

    def __init__(self, *, idle_seconds_max: float, verify: ssl.SSLContext | bool = True) -> None:
        self._idle_seconds_max = idle_seconds_max
        super().__init__(verify=verify, trust_env=False, client=self._session)

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=self._idle_seconds_max, ssl=self.ssl_context)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            middlewares=(_no_unseen_resend,),
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, once. Raises httpx.TransportError, of the kind that the cause deserves."""
        try:
            response = await super().handle_async_request(request)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise truth(error) from None
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - what httpx-aiohttp always gives.
        response.stream = _TruthfulStream(response.stream)
        return response
