"""A watch that goes on: where the connection breaks, it takes up again after the last response that was taken."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Self

import grpc
import grpc.aio

from cordboard.client.errors import refusal_in
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from cordboard.v1.dispatcher_service_pb2 import WatchRequest, WatchResponse

RETRY_SECONDS_MIN: Final = 0.1
RETRY_SECONDS_MAX: Final = 5.0


class Watch:
    """Iterate over it for responses, each with an item. One task at a time.

    `cursor` is where to go on after what was handed out: keep it, and a new watch resumes there, also after a restart.
    Raises CommandRefused for what trying again does not mend, such as CURSOR_EXPIRED.
    """

    def __init__(self, stub: stubs.DispatcherServiceAsyncStub, request: WatchRequest) -> None:
        self._stub = stub
        self._request = request
        self._call: Any = None
        self._failures = 0
        self._was_heard = False  # On the call that is under way.
        self.cursor = request.cursor

    async def positioned(self) -> str:
        """Return once nothing that happens from now on will be missed; gives the cursor of this place."""
        while not self.cursor:
            await self._next()
        return self.cursor

    def cancel(self) -> None:
        """Stop watching."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WatchResponse:
        while True:
            response = await self._next()
            if response is not None and response.WhichOneof("item"):
                return response

    async def _next(self) -> WatchResponse | None:
        """The next response; None where the call broke off and is to be made anew."""
        if self._call is None:
            request = WatchRequest()
            request.CopyFrom(self._request)
            request.cursor = self.cursor
            self._call, self._was_heard = self._stub.Watch(request), False
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            self._call = None
            await self._recover(error)
            return None
        if response is grpc.aio.EOF:  # A server that ends a watch without a word: ask again.
            self._call = None
            return None
        self._failures, self._was_heard, self.cursor = 0, True, response.cursor
        return response  # type: ignore[no-any-return] # the call is typed for servers of both kinds

    async def _recover(self, error: grpc.aio.AioRpcError) -> None:
        refused = refusal_in(error)
        # Who was let in, and is not any more, may have a new token by now.
        is_stale = error.code() is grpc.StatusCode.UNAUTHENTICATED and self._was_heard
        if error.code() is not grpc.StatusCode.UNAVAILABLE and not is_stale:
            raise refused or error
        backoff = min(RETRY_SECONDS_MIN * 2**self._failures, RETRY_SECONDS_MAX)
        self._failures = min(self._failures + 1, 10)
        await asyncio.sleep(max(backoff, (refused and refused.retry_delay) or 0))
