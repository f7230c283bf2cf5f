"""The endpoint to which an account's webhooks go on: one request for one event, over connections of its own.

Body and headers are those that Telnyx sent, so that whoever checks the signature finds it right. Nothing is redirected
or remembered, and no exception of another library leaves: some of them carry the address, whose query may be a secret.
"""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

from cordboard.cloudevents import header, trace_of
from cordboard.log.port import Record
from cordboard.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER
from workers.core.forwarding import Answer, TryResult, result_of
from workers.transport import GarbledAnswer, TruthfulTransport

# Many servers close a connection that idled for 5 s; what is sent on it at that moment is lost.
_IDLE_SECONDS_MAX: Final = 4.0
# So much of an answer is read, unkept, so that its connection can be used again.
_ANSWER_BYTES_MAX: Final = 64 * 1024
_CARRIED: Final = (SIGNATURE_HEADER, TIMESTAMP_HEADER)

# The first row that fits decides.
_MEANING: Final[dict[type[Exception], TryResult]] = {
    httpx.ConnectError: TryResult.UNREACHABLE,
    httpx.ConnectTimeout: TryResult.UNREACHABLE,
    httpx.PoolTimeout: TryResult.UNREACHABLE,
    TimeoutError: TryResult.TIMED_OUT,
    httpx.TimeoutException: TryResult.TIMED_OUT,
    GarbledAnswer: TryResult.FAILED,
    Exception: TryResult.BROKEN_OFF,
}


class Endpoint:
    """Posts events to one address. A simulation gives its own `transport`, which then carries everything."""

    def __init__(self, url: str, *, timeout_ms: int, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Prepare; nothing is connected yet."""
        self._url = httpx.URL(url)
        self._seconds = timeout_ms / 1_000
        self._extensions = {
            "timeout": dict.fromkeys(("connect", "pool"), self._seconds) | {"read": None, "write": None}
        }
        self._transport = transport or TruthfulTransport(idle_seconds_max=_IDLE_SECONDS_MAX)

    def __repr__(self) -> str:
        return f"<Endpoint {self._url.host}>"

    async def post(self, record: Record) -> Answer:
        """Post one event once, and say what came of it. Raises nothing but CancelledError."""
        status = 0
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._transport.handle_async_request(self._request(record))
                status = response.status_code
                await _read_out(response)
        except Exception as error:
            if not status:
                return Answer(next(meant for kind, meant in _MEANING.items() if isinstance(error, kind)))
        return Answer(result_of(status), status)  # A status stays true when the body behind it breaks off.

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def _request(self, record: Record) -> httpx.Request:
        headers = [
            (b"Host", self._url.netloc),
            (b"Accept-Encoding", b"identity"),
            (b"Content-Type", b"application/json"),
            (b"User-Agent", b"cordboard"),
            (b"Content-Length", str(len(record.value)).encode()),
        ]
        carried = [(name, header(record.headers, name)) for name in _CARRIED]
        carried.append(("traceparent", trace_of(header(record.headers, "traceparent"))))
        headers += [(name.encode(), value.encode()) for name, value in carried if value]
        request = httpx.Request(
            "POST", self._url, headers=headers, stream=httpx.ByteStream(record.value), extensions=self._extensions
        )
        request.read()
        return request


async def _read_out(response: httpx.Response) -> None:
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - what an async transport gives.
    size = 0
    try:
        async for chunk in response.stream:
            size += len(chunk)
            if size > _ANSWER_BYTES_MAX:
                break
    finally:
        await response.aclose()
