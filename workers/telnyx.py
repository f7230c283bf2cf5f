"""The client: one try of one released request, over any httpx transport, as a value that says what is certain.

Nothing in here raises for what the network or Telnyx does, nothing is resent, redirected or remembered (no cookies),
and no exception of another library leaves: some of them carry the headers, and with them the key.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Final

import httpx

from cordboard.work import Repeat, Work
from workers.core.outcome import Answer, Ending, NoAnswer, Reply
from workers.transport import GarbledAnswer, TruthfulTransport

ANSWER_BYTES_MAX: Final = 64 * 1024
# A dial goes over a new connection or one idle for less than 5 s; the rest may be resent if a stale one breaks.
DIAL_IDLE_SECONDS_MAX: Final = 4.0
IDLE_SECONDS_MAX: Final = 30.0

# Dot segments would be folded away on the road, and a query or fragment cut off: the request would be another one.
_PATH: Final = re.compile(r"(?:/(?!(?:\.|%2[eE]){1,2}(?:/|$))[A-Za-z0-9._~:=@!$&'()*+,;%-]+)+")
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


_WORDS: Final[dict[type[Exception], str]] = {
    httpx.ConnectTimeout: "no connection could be had in time",
    httpx.PoolTimeout: "no connection could be had in time",
    httpx.ConnectError: "no connection could be had",
    TimeoutError: "no answer came in time",
    httpx.TimeoutException: "no answer came in time",
    httpx.RemoteProtocolError: "the connection was closed without an answer",
    httpx.NetworkError: "the connection broke",
    FileNotFoundError: "the API key cannot be read",
    PermissionError: "the API key cannot be read",
    httpx.InvalidURL: "it is not a path that can be asked for",
}


class Telnyx:
    """Sends work to one account of Telnyx.

    `key` is asked before each request, so that a replaced key is used at once; it is kept nowhere where it could be
    shown. A simulation gives its own `transport`, which then carries everything.
    """

    def __init__(
        self,
        base_url: str,
        key: Callable[[], str],
        *,
        connect_ms: int = 1_000,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare a client for a base URL such as https://api.telnyx.com/v2; nothing is connected yet."""
        self._base = base_url.rstrip("/")
        self._key = key
        # The pool's limit bounds name lookup and connection together, so that one timeout means "nothing was sent".
        connect = connect_ms / 1_000
        self._extensions = {"timeout": {"connect": connect, "pool": connect, "read": None, "write": None}}
        self._headers = _headers(httpx.URL(self._base))
        # No httpx client around it: cookies, redirects and authentication are what we do not want, and took a fifth of
        # the CPU of a request.
        self._transport = transport or TruthfulTransport(idle_seconds_max=IDLE_SECONDS_MAX)
        self._dials = transport or TruthfulTransport(idle_seconds_max=DIAL_IDLE_SECONDS_MAX)

    def __repr__(self) -> str:
        return f"<Telnyx {self._base}>"

    async def send(self, work: Work, timeout_ms: int) -> Reply:
        """Send a request once and say what came of it within `timeout_ms`. Raises nothing but CancelledError."""
        try:
            request = self._request(work)
        except Exception as error:
            return NoAnswer(unsent=True, why=_why(error))  # Not even a request: no key, or no path.
        transport = self._dials if work.repeat is Repeat.UNSENT else self._transport
        answer: list[Answer] = []
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                await self._exchange(transport, request, answer)
        except _UNSENT as error:
            return NoAnswer(unsent=True, why=_why(error))
        except GarbledAnswer:
            return Answer(0)
        except Exception as error:
            # A timeout, a broken connection, or anything unforeseen: it may have been sent.
            return answer[-1] if answer else NoAnswer(unsent=False, why=_why(error))
        return answer[-1]

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()
        if self._dials is not self._transport:
            await self._dials.aclose()

    def _request(self, work: Work) -> httpx.Request:
        if not _PATH.fullmatch(work.path):
            raise httpx.InvalidURL("not a path of plain segments")
        authorization = (b"Authorization", b"Bearer " + self._key().strip().encode("ascii"))
        request = httpx.Request(
            work.method,
            self._base + work.path,
            headers=[*self._headers, *_headers_of(work.body), authorization],
            stream=httpx.ByteStream(work.body),  # As `content` it would have httpx look for headers that are missing.
            extensions=self._extensions,
        )
        request.read()
        return request

    async def _exchange(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request, answer: list[Answer]
    ) -> None:
        """Put what is known into `answer` as it becomes known: a status stays true when its body breaks off."""
        response = await transport.handle_async_request(request)
        status, limits = response.status_code, _limits(response)
        body = bytearray()
        answer.append(Answer(status, b"", Ending.BROKEN, *limits))
        try:
            async for chunk in _content(response):
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    answer.append(Answer(status, bytes(body[:ANSWER_BYTES_MAX]), Ending.CUT, *limits))
                    return
            answer.append(Answer(status, bytes(body), Ending.WHOLE, *limits))
        finally:
            await response.aclose()


def _why(error: Exception) -> str:
    """What happened, in words for whoever reads the result. Never the error's own text: it may carry the headers."""
    said = next((words for kind, words in _WORDS.items() if isinstance(error, kind)), "the request failed")
    return f"{said} ({type(error).__name__})"


def _headers(base: httpx.URL) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"Host", base.netloc),
        (b"Accept", b"application/json"),
        (b"Accept-Encoding", b"identity"),  # Nothing to unpack: what is read is what is bounded.
        (b"User-Agent", b"cordboard"),
    )


def _headers_of(body: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """What a question does not have: a body, and with it a length and a type."""
    if not body:
        return ()
    return ((b"Content-Length", str(len(body)).encode()), (b"Content-Type", b"application/json"))


def _limits(response: httpx.Response) -> tuple[str, str]:
    """What the answer says of Telnyx's limit: when it is reset, where it was hit, and what remains of it."""
    headers = response.headers
    reset = headers.get("x-ratelimit-reset", "") if response.status_code == 429 else ""
    return reset, headers.get("x-ratelimit-remaining", "")


def _content(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes; unpacked only where the answer was packed against our word."""
    packed = any(name.lower() == b"content-encoding" for name, _ in response.headers.raw)
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - what an async transport gives.
    return response.aiter_bytes() if packed else aiter(response.stream)
