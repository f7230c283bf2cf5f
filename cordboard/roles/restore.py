"""A log brought back from a backup, so that nothing which was accepted before is ever sent.

A backup knows nothing of what came after it. What waited in it may have been sent since, and a dial that is sent again
rings a real person twice. So the log that comes out of it says that it was restored (`cordboard/orders.py`): whatever
was accepted by then and has no result ends UNKNOWN, and workers find nothing in their lanes. Hangups and rejects are
sent all the same: a second one does nothing. And each account takes no commands until an operator resumes it: what its
senders repeat may be what was lost, and would be taken for new.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cordboard import orders
from cordboard.clock import Clock
from cordboard.log import backup, datafile
from cordboard.log.backup import Copied, CopyRefused, Progress
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import LogUnavailable
from cordboard.roles.topics import specs_of, topics_of
from cordboard.settings import Settings


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done. `aside` are the files that were moved out of the way."""

    copied: Copied
    log: Path
    aside: list[Path]
    accounts: list[str]


async def restore(settings: Settings, source: Path, clock: Clock, progress: Progress, *, replace: bool) -> Restored:
    """Put a backup in the place of the log. Raises LogError, with what was there left as it was."""
    path = settings.log.path
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        hold = datafile.Hold(path)
    except OSError as error:
        raise LogUnavailable(f"the log {path} cannot be held: {error}") from error
    try:
        return await _restore(settings, source, clock, progress, replace=replace)
    except (sqlite3.Error, OSError) as error:
        raise LogUnavailable(f"{source} cannot be restored to {path}: {error}") from error
    finally:
        hold.release()


async def _restore(settings: Settings, source: Path, clock: Clock, progress: Progress, *, replace: bool) -> Restored:
    path, now_ms = settings.log.path, clock.now_ms()
    if not replace and any(datafile.beside(path, suffix).exists() for suffix in ("", "-wal")):
        raise CopyRefused(f"{path} is there already: with --replace it is moved aside, and kept")
    draft = datafile.beside(path, ".restoring")
    copied = await asyncio.to_thread(backup.unpack, source, draft, topics_of(settings).prefix, now_ms, progress)
    try:
        await _say_so(settings, draft, copied, clock)
        stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
        aside = backup.set_aside(path, stamp)
        if settings.recorder.kind == "sqlite":  # Its positions are those of the log that was.
            aside += backup.set_aside(settings.recorder.path, stamp)
        datafile.put_in_place(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return Restored(copied, path, aside, sorted(settings.accounts))


async def _say_so(settings: Settings, draft: Path, copied: Copied, clock: Clock) -> None:
    """Open it as what it is to be, which shows that these settings fit, and write into it what it is."""
    topics = topics_of(settings)
    log = await EmbeddedLog.open(draft, specs_of(settings), settings.log.partitions, clock, topics.inputs)
    comment = f"restored from a backup of {iso(copied.taken_ms)}"
    try:
        closing = [
            orders.pause(topics.control, account, paused=True, closed=True, comment=comment)
            for account in sorted(settings.accounts)
        ]
        await log.append([orders.restore(topics.control, comment), *closing])
    finally:
        await log.close()


def iso(time_ms: int) -> str:
    """A time for people."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
