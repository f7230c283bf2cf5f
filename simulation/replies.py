"""The body of an answer of the simulated Telnyx, which may break in its middle."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from sandbox.api import Reply


class Body(httpx.AsyncByteStream):
    """The body of an answer; breaks in the middle where it is short."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body = self._reply.body
        if self._reply.short:
            yield body[: len(body) // 2]
            raise httpx.ReadError("broken off")
        yield body

    async def aclose(self) -> None:
        """Nothing is held."""
