"""A log that may come late: an ingress with a spool takes webhooks from its start, whether the log is there or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final, Self

import structlog
from prometheus_client import CollectorRegistry

from cordboard.clock import Clock
from cordboard.log.port import Appended, LogError, LogUnavailable, NewRecord
from cordboard.roles.log import OpenLog, open_log
from cordboard.settings import Settings

_PAUSE_SECONDS: Final = 1.0
_log: Final = structlog.get_logger(__name__)


class LateLog:
    """Takes records once the log is open, which is tried until it is."""

    @classmethod
    async def open(cls, settings: Settings, clock: Clock, registry: CollectorRegistry) -> Self:
        """Try once to open the log; where it is away, go on trying. Raises LogError where that would be of no use."""
        late = cls(settings, clock, registry)
        try:
            await late._try()
        except LogUnavailable as error:
            late._why = str(error)
            _log.warning("the log is away; it is opened as soon as it is there", why=late._why)
            late._trying = asyncio.create_task(late._try_again(), name="opening the log")
        return late

    def __init__(self, settings: Settings, clock: Clock, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._clock = clock
        self._registry = registry
        self._opened: OpenLog | None = None
        self._trying: asyncio.Task[None] | None = None
        self._why = ""

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """As the log's port has it."""
        if self._opened is None:
            raise LogUnavailable(self._why)
        return await self._opened.log.append(records)

    async def close(self) -> None:
        """Open it no more, and close it."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.wait((self._trying,))
        if self._opened is not None:
            await self._opened.log.close()

    def is_there(self) -> Awaitable[str | None] | str | None:
        """For readiness: why there is no log, or what is wrong with it."""
        return self._why if self._opened is None else self._opened.checks["log"]()

    def clock_is_right(self) -> Awaitable[str | None] | str | None:
        """For readiness: nobody can tell before the log is open, and then its own check does."""
        return None if self._opened is None else self._opened.checks["clock"]()

    async def _try(self) -> None:
        # A try that fails has registered metrics; those of the one that does not are shown.
        metrics = CollectorRegistry()
        self._opened = await open_log(self._settings, self._clock, metrics)
        self._registry.register(metrics)

    async def _try_again(self) -> None:
        while self._opened is None:
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                await self._try()
            except (LogError, OSError, ValueError) as error:  # The latter two: of a file with a secret.
                if str(error) != self._why:
                    _log.warning("the log cannot be opened yet", why=str(error))
                self._why = str(error)
        _log.warning("the log is open")
