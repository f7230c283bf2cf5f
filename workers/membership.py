"""A place in a consumer group, for whoever works off the partitions of one topic together with others.

It is taken however long the log takes to give it, and given up within a bound; what comes with it is the subclass's.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from cordboard.log.port import Log, LogError, LogUnavailable, Member
from workers.sending import sleep_unless

RETRY_MS: Final = 200


class Membership(ABC):
    """A GroupListener, from `join` to `leave`. `on_change` is called when its partitions are others than before."""

    def __init__(
        self,
        *,
        log: Log,
        topic: str,
        handover_ms: int,
        on_change: Callable[[], None],
        on_trouble: Callable[[str, LogError], None],
    ) -> None:
        self._log = log
        self._topic = topic
        self._handover_ms = handover_ms
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._member: Member | None = None
        self._seating = asyncio.Lock()
        self._stopped = asyncio.Event()
        self.changed = False
        self.taken = asyncio.Event()  # The log has given us the place.

    @property
    def topic(self) -> str:
        """Whose partitions are shared."""
        return self._topic

    @abstractmethod
    async def assigned(self, partitions: frozenset[int]) -> None:
        """Hold these partitions too."""

    @abstractmethod
    async def revoked(self, partitions: frozenset[int]) -> None:
        """Let go of these partitions."""

    async def join(self, group: str) -> None:
        """Take the place; tries until the log lets it, or `stop` is called."""
        async with self._seating:
            while self._member is None and not self._stopped.is_set():
                try:
                    self._member = await self._log.join(group, self._topic, self)
                    self.taken.set()
                except LogError as error:
                    await self._trouble("join", error)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    async def leave(self) -> None:
        """Give everything back and leave the group; takes at most the handover's time and the log's."""
        self.stop()
        async with self._seating:  # A place that is just being taken is left too, or its partitions would lie idle.
            if self._member is not None:
                await self._member.leave()

    async def leave_within(self, seconds: float) -> None:
        """Leave, for as long as that may take, and never less than two handovers; trouble is told."""
        try:
            async with asyncio.timeout(max(seconds, 2 * self._handover_ms / 1_000)):
                await self.leave()
        except LogError as error:
            self._on_trouble("leave", error)
        except TimeoutError:
            self._on_trouble("leave", LogUnavailable("no answer in time; the group will notice by itself"))

    def _change(self) -> None:
        self.changed = True
        self._on_change()

    async def _trouble(self, doing: str, error: LogError) -> None:
        self._on_trouble(doing, error)
        await sleep_unless(self._stopped, RETRY_MS)
