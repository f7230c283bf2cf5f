"""Dropping what is older than is kept: each call as a whole, once nothing was recorded of it for so long."""

from __future__ import annotations

import asyncio
from typing import Final

from cordboard.clock import Clock
from dispatcher.recorder.database import TablesUnavailable
from dispatcher.recorder.events import Dropped, Observer, Trouble
from dispatcher.recorder.tables import Tables

CALLS: Final = 100  # In one transaction, so that who records does not wait for long.
PAUSE_SECONDS: Final = 60.0
_BREATH_SECONDS: Final = 0.05  # Between two transactions: who records has its turn.


class Retention:
    """Looks for old calls at regular times. `tables` are its own: it does not wait for who records."""

    def __init__(self, tables: Tables, keep_ms: int, clock: Clock, observe: Observer) -> None:
        self._tables = tables
        self._keep_ms = keep_ms
        self._clock = clock
        self._observe = observe
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look from now on."""
        self._task = asyncio.create_task(self._run(), name="recorder's retention")

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        await self._tables.close()

    async def drop(self) -> int:
        """Drop everything that is too old now; how many calls that were. Raises TablesUnavailable."""
        dropped = 0
        while count := await self._tables.drop_older(self._clock.now_ms() - self._keep_ms, CALLS):
            dropped += count
            self._observe(Dropped(count))
            await asyncio.sleep(_BREATH_SECONDS)
        return dropped

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                await self.drop()
            except TablesUnavailable as error:
                self._observe(Trouble("drop", str(error)))
