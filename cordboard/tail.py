"""The tail: one reader that follows a topic, from its end or from where it is told, for everybody in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from cordboard.log.port import Log, LogError, Reader, Record, TopicPartition

RETRY_SECONDS: Final = 0.5
_log = structlog.get_logger(__name__)


class Tail:
    """Follows all partitions of a topic; `hear` is told of every record from when `start` returned."""

    def __init__(self, log: Log, topic: str, hear: Callable[[Record], None]) -> None:
        self._log = log
        self._topic = topic
        self._hear = hear
        self._task: asyncio.Task[None] | None = None
        self._reading = False
        self._reader: Reader | None = None
        self._moved = asyncio.Event()

    @property
    def healthy(self) -> bool:
        """Whether it hears what is said: for readiness."""
        return self._reading

    async def start(self, positions: Mapping[TopicPartition, int] | None = None) -> None:
        """Take up position: there, or at the end. Raises LogError."""
        reader = self._log.reader(positions or await positions_at_end(self._log, self._topic))
        self._reading = True
        self._task = asyncio.create_task(self._follow(reader), name=f"tail of {self._topic}")
        self._task.add_done_callback(self._ended)

    async def reach(self, ends: Mapping[TopicPartition, int], seconds: float) -> bool:
        """Wait until everything before these was heard, for so long at most. Returns whether it was."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._has_reached(ends):
                    self._moved.clear()
                    await self._moved.wait()
        return self._has_reached(ends)

    def _has_reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        positions = self._reader.positions() if self._reader is not None else {}
        return all(positions.get(at, 0) >= end for at, end in ends.items())

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._reading = False
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("a topic is not heard any more", topic=self._topic, exc_info=error)

    async def _follow(self, reader: Reader) -> None:
        try:
            while True:
                self._reader = reader
                self._moved.set()
                try:
                    for record in await reader.read():
                        self._hear(record)
                except LogError as error:
                    self._reading = False
                    _log.warning("a topic cannot be read; it is tried again", topic=self._topic, why=str(error))
                    reader = await self._again(reader)
        finally:
            await reader.close()

    async def _again(self, reader: Reader) -> Reader:
        """Go on with a new reader where the last one stood, once the log answers again."""
        positions = dict(reader.positions())
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                await positions_at_end(self._log, self._topic)
                await reader.close()
                following = self._log.reader(positions)
            except LogError:
                continue
            self._reading = True
            return following


async def positions_at_end(log: Log, *topics: str) -> dict[TopicPartition, int]:
    """Where all partitions of topics end now. Raises LogError."""
    every = [TopicPartition(topic, number) for topic in topics for number in range(log.partitions(topic))]
    return {at: await log.end(at) for at in every}
