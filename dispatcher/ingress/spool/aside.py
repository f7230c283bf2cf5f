"""What the log refuses for ever: out of the spool's way, as a dead letter, or else as a file beside the spool.

Such a webhook was acknowledged, so it is never dropped, and never quietly: a line and a count tell of each.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from cordboard.letters import LETTER_BYTES_MAX, dead_letter
from cordboard.log.port import Appending, NewRecord, Record, RecordRefused, size_of
from dispatcher.ingress.spool.file import Spooled, synced
from dispatcher.ingress.spool.metrics import SpoolMetrics

_MODE: Final = 0o600
_log: Final = structlog.get_logger(__name__)


class Aside:
    """Where webhooks go that the log will not have."""

    def __init__(self, folder: Path, log: Appending, dead_letters: str, metrics: SpoolMetrics) -> None:
        self._folder = folder
        self._log = log
        self._topic = dead_letters
        self._metrics = metrics

    async def as_letter(self, spooled: Spooled, records: Sequence[NewRecord], why: str) -> bool:
        """Write its records among the dead letters, whole; False where they are refused there, too. Raises LogError."""
        came = [Record(one.topic, -1, -1, spooled.entry.taken_ms, one.key, one.value, one.headers) for one in records]
        if not came or any(size_of(one) > LETTER_BYTES_MAX for one in came):
            return False
        try:
            await self._log.append([dead_letter(self._topic, one, f"the log refused it: {why}") for one in came])
        except RecordRefused:
            return False
        self._metrics.set_aside.labels("dead_letters").inc()
        _log.error("the log refuses a webhook for ever; it is a dead letter now", why=why, topic=self._topic)
        return True

    def as_file(self, spooled: Spooled, why: str) -> None:
        """Keep it beside the spool, as it stood there; durable when this returns. Raises OSError."""
        path = self._folder / f"refused-{spooled.entry.taken_ms}-{spooled.number}.msgpack"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _MODE)
        with open(handle, "wb") as file:
            file.write(spooled.entry.value)
            file.flush()
            os.fsync(handle)
        synced(self._folder)
        self._metrics.set_aside.labels("file").inc()
        _log.error("the log refuses a webhook for ever; it is a file now", why=why, file=str(path))
