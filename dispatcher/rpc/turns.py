"""Several topics read side by side, in turns: the port serves a reader's topics strictly one before the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Self

from cordboard.log.port import Log, Reader, Record, TopicPartition

RECORDS_MAX: Final = 100  # Of one topic, before the next one has its turn.


class Turns:
    """Reads topics, each with a reader of its own. To be closed in the end: it is a context manager."""

    def __init__(self, log: Log, topics: tuple[str, ...], positions: Mapping[TopicPartition, int]) -> None:
        self._readers = [
            log.reader({at: offset for at, offset in positions.items() if at.topic == topic}) for topic in topics
        ]
        self._reading: dict[asyncio.Task[list[Record]], Reader] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop reading."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)
        for reader in self._readers:
            await reader.close()

    def interrupt(self) -> None:
        """Make a waiting `read` return at once."""
        for reader in self._readers:
            reader.interrupt()

    async def read(self, timeout_seconds: float) -> list[Record]:
        """The next records of every topic that has any; none when the time is over or it was interrupted."""
        busy = set(self._reading.values())
        for reader in self._readers:
            if reader not in busy:
                self._reading[asyncio.ensure_future(reader.read(timeout_seconds, RECORDS_MAX))] = reader
        done, _ = await asyncio.wait(self._reading, return_when=asyncio.FIRST_COMPLETED)
        found: list[Record] = []
        for task in done:
            del self._reading[task]
            found += task.result()
        return found
