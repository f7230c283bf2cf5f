"""A request as the door reads it: its head as plain values, its body within bounds of size and time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.types import Receive, Scope

from cordboard.http_caller import caller_of
from cordboard.tls.names import Names
from dispatcher.rest.answers import Answer, of_case

# How long a caller waits, as the vendor's SDKs for Python and for Node say it (seconds).
_PATIENCE_HEADERS: Final = ("x-stainless-read-timeout", "x-stainless-timeout")
_MARGIN_SECONDS_MAX: Final = 2.0
# A body that is somewhat too large is read to its end, unkept: a caller cut off while it writes never hears why.
_READ_ON: Final = 8


class TurnedAway(Exception):
    """A request that is answered before anything was accepted."""

    def __init__(self, said: Answer) -> None:
        super().__init__(said.reason)
        self.answer = said


class Gone(Exception):
    """The caller has hung up."""


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the body. `path` is percent-encoded, `query` without its question mark."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    raw_headers: tuple[tuple[bytes, bytes], ...]
    client: str
    names: Names | None = None  # In the certificate of who asks.

    def patience(self, seconds_max: float) -> float:
        """How long the answer may take (seconds): no longer than who asks waits for it, where that is said."""
        said = (_seconds(self.headers.get(name, "")) for name in _PATIENCE_HEADERS)
        caller = next((seconds for seconds in said if seconds is not None), seconds_max)
        return min(seconds_max, caller - min(_MARGIN_SECONDS_MAX, caller * 0.1))


def head_of(scope: Scope) -> Head:
    """The head of a request."""
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    raw = tuple((bytes(name), bytes(value)) for name, value in scope["headers"])
    return Head(
        method=scope["method"],
        path=raw_path.partition(b"?")[0].decode("latin-1"),
        query=scope.get("query_string", b"").decode("latin-1"),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw},
        raw_headers=raw,
        client=(scope.get("client") or ("",))[0],
        names=caller_of(scope),
    )


async def read_body(head: Head, receive: Receive, bytes_max: int, seconds_max: float) -> bytes:
    """The body. Raises TurnedAway for one that is too large or too slow, Gone for one that breaks off."""
    length = head.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > bytes_max * _READ_ON:
        raise TurnedAway(_too_large(bytes_max))
    body, size, more = bytearray(), 0, True
    try:
        async with asyncio.timeout(seconds_max):
            while more and size <= bytes_max * _READ_ON:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part, more = message.get("body", b""), message.get("more_body", False)
                size += len(part)
                if size <= bytes_max:
                    body += part
    except TimeoutError:
        said = f"The request body did not come within {seconds_max:g} s."
        raise TurnedAway(of_case("BODY_TOO_SLOW", said)) from None
    if size > bytes_max:
        raise TurnedAway(_too_large(bytes_max))
    return bytes(body)


def object_of(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. Raises TurnedAway."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        said = "The request body must be a JSON object; {} where there is nothing to say."
        raise TurnedAway(of_case("BODY_NOT_JSON", said))
    return value


def _too_large(bytes_max: int) -> Answer:
    said = f"The request body must have at most {bytes_max} bytes."
    return of_case("COMMAND_TOO_LARGE", said)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 < seconds < math.inf else None
