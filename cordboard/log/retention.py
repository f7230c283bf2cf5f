"""Retention: forgetting what is older than its topic keeps, in steps so small that writers hardly notice.

What an owner has yet to settle is kept however old it is. Consumer groups hold nothing back: a member that has been
away for longer than the retention goes on at the oldest record kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final, Protocol

from cordboard.log.partition import Partition
from cordboard.log.port import LogError

_log: Final = logging.getLogger(__name__)
_STEP_RECORDS: Final = 500  # Takes about a millisecond, between two batches.


class Shelf(Protocol):
    """What retention needs of the log."""

    def expired(self) -> Iterable[tuple[Partition, int]]:
        """Partitions, and the offset before which each may be forgotten."""

    async def trim(self, partition: Partition, start: int) -> None:
        """Forget the records before an offset."""


class Retention:
    """Looks for old records at regular times, and when asked."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._task: asyncio.Task[None] | None = None

    def start(self, seconds: float) -> None:
        """Look every so many seconds from now on."""
        self._task = asyncio.create_task(self._run_forever(seconds))

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def run(self) -> None:
        """Look now."""
        for partition, limit in self._shelf.expired():
            while partition.start < limit:
                await self._shelf.trim(partition, min(limit, partition.start + _STEP_RECORDS))

    async def _run_forever(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.run()
            except LogError:
                _log.warning("old records could not be removed now; it is tried again", exc_info=True)
