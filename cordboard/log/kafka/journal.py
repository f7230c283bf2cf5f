"""The Kafka log's lines: a long restore tells how far it is, so that nobody takes it for a hang."""

from __future__ import annotations

from typing import Final

import structlog

from cordboard.log.kafka.events import Claimed, Event, Overtaken, RestoreEnded, Restoring

EVERY_SECONDS: Final = 3.0
LONG_ENTRIES: Final = 10_000  # So many are announced before they are read; fewer are read by then.

_log = structlog.get_logger(__name__)


class Journal:
    """Writes what an operator wants to read: one for each log, because it remembers what it has said."""

    def __init__(self) -> None:
        self._said: dict[int, float] = {}  # By partition: how far into its restore the last line was (seconds).

    def __call__(self, event: Event) -> None:
        """Write the line of an event, if it has one."""
        match event:
            case Restoring():
                self._tell_progress(event)
            case RestoreEnded(partition):
                if self._said.pop(partition, None) is not None:
                    _tell_end(event)
            case Claimed(partition, stale=stale) if stale:
                _log.warning(
                    "pages of a process that had lost a partition were set right", partition=partition, pages=stale
                )
            case Overtaken(at, offsets):
                told = {"topic": at.topic, "partition": at.partition, "offsets": offsets}
                _log.error("retention removed records before they were read", **told)

    def _tell_progress(self, now: Restoring) -> None:
        left = now.end - now.start
        if now.partition not in self._said:
            if left >= LONG_ENTRIES or now.seconds >= EVERY_SECONDS:
                self._said[now.partition] = now.seconds
                _log.info("a partition is being restored", partition=now.partition, entries_max=left)
        elif now.seconds - self._said[now.partition] >= EVERY_SECONDS:
            self._said[now.partition] = now.seconds
            percent = round(100 * (now.offset - now.start) / left)
            told = {"partition": now.partition, "percent": percent, "entries": now.records}
            _log.info("a partition is still being restored", **told, seconds=round(now.seconds, 1))


def _tell_end(ended: RestoreEnded) -> None:
    told = {"partition": ended.partition, "entries": ended.records, "seconds": round(ended.seconds, 3)}
    if ended.is_whole:
        speed = round(ended.pages / max(ended.seconds, 0.001))
        _log.info("a partition was read back", **told, pages=ended.pages, pages_per_second=speed)
    else:
        _log.warning("a partition could not be read back", **told)
