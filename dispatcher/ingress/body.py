"""Reading a body from somebody who may mean no good: within bounds of size and time."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import ClientDisconnect, Request

from dispatcher.ingress.answers import Refused, Result

# A body that is somewhat too large is read to its end, unkept: a sender cut off while it writes never hears why.
_READ_ON: Final = 8


async def read_body(request: Request, bytes_max: int, seconds_max: float) -> bytes:
    """The body as it came. Raises Refused for one that is too large, too slow or broken off."""
    if int(request.headers.get("content-length", "0")) > bytes_max * _READ_ON:
        raise Refused(Result.TOO_LARGE)
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(seconds_max):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= bytes_max:
                    body += chunk
                elif size > bytes_max * _READ_ON:
                    break
    except TimeoutError:
        raise Refused(Result.TOO_SLOW) from None
    except ClientDisconnect:
        raise Refused(Result.BROKEN_OFF) from None
    if size > bytes_max:
        raise Refused(Result.TOO_LARGE)
    return bytes(body)
