"""Watch: results, completions and events as they happen, handed on from a cursor or from now.

Each watch has a reader of its own for each topic, and what they read goes out before they read on: who takes it slowly
is behind in the log, not in this process's memory. The topics take turns, so that a flow of results never starves the
events. The cursor of a response covers everything up to it, also what its filter left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, Protocol

from cordboard.access import ANYBODY, Caller
from cordboard.log.port import Log, LogError, TopicPartition
from cordboard.tail import positions_at_end
from cordboard.topics import Topics
from cordboard.v1 import dispatcher_service_pb2 as service
from dispatcher.acceptance.permitting import account_of, refusing
from dispatcher.acceptance.refusals import log_unavailable, shutting_down
from dispatcher.acceptance.stopping import Stopping
from dispatcher.rpc import cursor
from dispatcher.rpc.asking import check
from dispatcher.rpc.filtering import Filter
from dispatcher.rpc.turns import Turns

# After so long with nothing wanted a response carries the cursor only, so that it does not outlive what is kept.
QUIET_SECONDS_MAX: Final = 30.0


class Wire(Protocol):
    """What a watch needs of gRPC."""

    def send_initial_metadata(self, initial_metadata: Any) -> Awaitable[None]:
        """Let the caller know that it is served."""

    def write(self, message: Any) -> Awaitable[None]:
        """Send a response; returns when there is room for the next."""


class Watching:
    """Serves watches."""

    def __init__(self, log: Log, topics: Topics, stopping: Stopping) -> None:
        self._log = log
        self._topics = (topics.results, topics.events)
        self._stopping = stopping

    async def watch(self, request: service.WatchRequest, wire: Wire, caller: Caller = ANYBODY) -> None:
        """Hand on until the caller hangs up. Raises Refused, also when this process stops."""
        check(request)
        account_of(request.account, caller)
        try:
            positions = await self._positions(request.cursor)
            async with Turns(self._log, self._topics, positions) as turns:
                with self._stopping.telling(turns.interrupt):
                    await self._follow(Filter(request, caller), wire, turns, positions)
        except LogError as error:
            raise log_unavailable("The log cannot be read now; watch again from the last cursor.") from error
        raise shutting_down()

    async def _positions(self, given: str) -> dict[TopicPartition, int]:
        if given:
            return await cursor.read(self._log, self._topics, given)
        return await positions_at_end(self._log, *self._topics)

    async def _follow(self, filtered: Filter, wire: Wire, turns: Turns, positions: dict[TopicPartition, int]) -> None:
        await wire.send_initial_metadata(())
        await wire.write(self._standing_at(positions))
        loop = asyncio.get_running_loop()
        said = loop.time()
        while not self._stopping.begun:
            for record in await turns.read(QUIET_SECONDS_MAX):
                positions[record.source] = record.offset + 1
                with refusing():  # Who is known no longer is told nothing more.
                    response = filtered.response(record)
                if response is not None:
                    response.cursor = cursor.write(self._topics, positions)
                    await wire.write(response)
                    said = loop.time()
            if loop.time() - said >= QUIET_SECONDS_MAX:
                await wire.write(self._standing_at(positions))
                said = loop.time()

    def _standing_at(self, positions: dict[TopicPartition, int]) -> service.WatchResponse:
        return service.WatchResponse(cursor=cursor.write(self._topics, positions))
