"""Copies of the embedded log's file: made while a process writes to it, and made ready to be one again.

Rule 1: a copy is one moment of the log, read under one snapshot however long that takes, and appears under its name
only when it is complete, checked and on disk. No file is ever written over.
Rule 2: what a copy held for the workers is taken out before it is a log again: it may have been sent since. Nothing
else is; what was decided about before counts as it did.
Rule 3: no offset of the life that was lost comes again. Whoever remembers one from then (a watcher's cursor, a
recorder's tables) finds that it is no longer kept, and not another record.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cordboard.log import datafile
from cordboard.log.datafile import QUERIES
from cordboard.log.port import LogError, LogUnusable

_PAGES_AT_ONCE: Final = 1_024  # 4 MiB: enough to be fast, and others have their turn on the disk.
# Offsets go on from the microsecond: no log ever takes so many records that it would catch up with the clock.
_OFFSETS_A_MS: Final = 1_000

Progress = Callable[[int, int], None]
"""Told how many pages of how many are copied."""


class CopyRefused(LogError):
    """There is something where a copy should go; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy. `taken_ms` is the moment that it shows (Unix ms): that of the backup, else of its latest record."""

    taken_ms: int
    size: int


def back_up(log: Path, target: Path, now_ms: int, progress: Progress) -> Copied:
    """Copy the log, whoever writes to it meanwhile. Raises LogUnusable, CopyRefused, sqlite3.Error, OSError."""
    datafile.check_header(log)
    if target.exists():
        raise CopyRefused(f"{target} is there already, and a backup is written over nothing: choose another name")
    draft = datafile.beside(target, ".new")
    datafile.new_file(draft)
    try:
        _copy(log, "rw", draft, progress)
        with contextlib.closing(datafile.connect(draft, "rw")) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")  # One file, with nothing beside it.
            copy.execute(QUERIES["set_setting"], (datafile.BACKED_UP, now_ms))
            _must_be_whole(copy, "quick_check", log)
        datafile.put_in_place(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return Copied(now_ms, target.stat().st_size)


def unpack(backup: Path, draft: Path, prefix: str, now_ms: int, progress: Progress) -> Copied:
    """Make a log of a backup, at `draft`; `prefix` is that of its topics' names.

    Raises LogUnusable with the backup left as it is and no draft; sqlite3.Error, OSError.
    """
    datafile.check_header(backup)
    datafile.new_file(draft)
    try:
        walled = datafile.beside(backup, "-wal").exists()
        _copy(backup, "ro" if walled else "ro&immutable=1", draft, progress)
        with contextlib.closing(datafile.connect(draft, "rw")) as copy:
            _must_be_whole(copy, "integrity_check", backup)
            if not copy.execute(QUERIES["has_topics"], (f"{prefix}.*",)).fetchone()[0]:
                why = f"{backup} has no topics of prefix {prefix}: log.topic_prefix must be the one it was made under"
                raise LogUnusable(why)
            copy.execute("PRAGMA journal_mode = WAL")
            taken_ms = _begin_anew(copy, f"{prefix}.work.*", now_ms)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return Copied(taken_ms, draft.stat().st_size)


def set_aside(log: Path, stamp: str) -> list[Path]:
    """Move a log, and what SQLite keeps beside it, out of the way. Returns the files under their new names."""
    moved = []
    for suffix in ("", "-wal", "-shm"):
        file = datafile.beside(log, suffix)
        if file.exists():
            moved.append(file.rename(file.with_name(f"{log.name}.replaced-{stamp}{suffix}")))
    return moved


def _copy(source: Path, options: str, draft: Path, progress: Progress) -> None:
    with (
        contextlib.closing(datafile.connect(source, options)) as read,
        contextlib.closing(datafile.connect(draft, "rw")) as written,
    ):
        # Without a snapshot of its own the copy would begin again whenever somebody writes.
        read.execute("PRAGMA query_only = ON")
        read.execute("BEGIN")
        read.execute(QUERIES["settings"]).fetchall()
        read.backup(written, pages=_PAGES_AT_ONCE, progress=lambda _, left, every: progress(every - left, every))


def _must_be_whole(copy: sqlite3.Connection, check: str, origin: Path) -> None:
    try:
        verdict = str(copy.execute(f"PRAGMA {check}(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise LogUnusable(f"{origin} is damaged ({' '.join(verdict.split())}); it was left as it is")


def _begin_anew(copy: sqlite3.Connection, work_topics: str, now_ms: int) -> int:
    """Take out what workers would send, and move all offsets to where none was; the moment that the copy shows."""
    settings = dict(copy.execute(QUERIES["settings"]).fetchall())
    latest_ms = max((time for (time,) in copy.execute(QUERIES["latest_ms"])), default=0)
    furthest = copy.execute(QUERIES["furthest_start"]).fetchone()[0] or 0
    start = max(now_ms, furthest // _OFFSETS_A_MS + 1) * _OFFSETS_A_MS
    copy.execute("BEGIN IMMEDIATE")
    copy.execute(QUERIES["empty_sources"], (latest_ms, work_topics))
    copy.execute(QUERIES["empty_records"], (work_topics,))
    for query in ("move_records", "move_positions", "move_commits", "move_starts"):
        copy.execute(QUERIES[query], (start,))
    copy.execute(QUERIES["set_setting"], (datafile.RESTORED, now_ms))
    copy.execute(
        f"PRAGMA user_version = {datafile.VERSION}"
    )  # A program that does not know of it would send what waits.
    copy.execute("COMMIT")
    return int(settings.get(datafile.BACKED_UP, latest_ms))
