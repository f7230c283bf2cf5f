"""Questions by HTTP, and what went wrong with one in a sentence that repeats neither key nor address."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

SECONDS_MAX: Final = 5.0
BODY_BYTES_MAX: Final = 64 * 1024


class NoAnswer(Exception):
    """Nobody answered; the message says why, and what may be the matter."""


@asynccontextmanager
async def web() -> AsyncIterator[httpx.AsyncClient]:
    """A client that follows nothing and heeds no proxy, as workers do not."""
    async with httpx.AsyncClient(timeout=SECONDS_MAX, follow_redirects=False, trust_env=False) as client:
        yield client


async def ask(client: httpx.AsyncClient, method: str, url: str, **more: dict[str, str]) -> httpx.Response:
    """One question. Raises NoAnswer."""
    try:
        return await client.request(method, url, **more)  # type: ignore[arg-type] # headers, and nothing else
    except httpx.TimeoutException:
        raise NoAnswer(
            f"it does not answer within {SECONDS_MAX:g} s: a firewall, or a port that nobody serves"
        ) from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise NoAnswer(reason(error)) from None


async def connect(host: str, port: int, *, encrypted: bool) -> None:
    """Connect, with TLS where wanted, and say nothing. Raises NoAnswer."""
    context = ssl.create_default_context() if encrypted else None
    try:
        async with asyncio.timeout(SECONDS_MAX):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except TimeoutError:
        raise NoAnswer(
            f"it does not answer within {SECONDS_MAX:g} s: a firewall, or a port that nobody serves"
        ) from None
    except OSError as error:
        raise NoAnswer(reason(error)) from None
    writer.close()


def reason(error: BaseException) -> str:
    """Why a connection did not come about, by the first of its causes that says it."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return f"its certificate is not trusted: {cause.verify_message}"
            case ssl.SSLError():
                return "it does not speak TLS as we do: http where https is served, or the other way round?"
            case socket.gaierror():
                return "its name is not known: a slip in the address, or a name server that does not answer"
            case ConnectionRefusedError():
                return "nobody listens there"
            case OSError() if cause.strerror:
                return cause.strerror
        cause = cause.__cause__ or cause.__context__
    said = str(error).lower()
    if "certificate" in said:
        return "its certificate is not trusted"
    if ("name" in said and "resol" in said) or "getaddrinfo" in said or "not known" in said:
        return "its name is not known: a slip in the address, or a name server that does not answer"
    if "refused" in said or "connection attempts failed" in said:
        return "nobody listens there"
    return f"the connection broke ({type(error).__name__})"
