"""What is kept on this machine or in a database: the embedded log, the spool, the recorder's tables."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

from cordboard.cli.checks.findings import Finding, Looking, error, ok, warning
from cordboard.roles.recorder import database_of
from cordboard.settings import Settings
from dispatcher.recorder.database import MIGRATIONS, TablesUnavailable

_GIB: Final = 1024**3
_LOG_ROOM: Final = 2 * _GIB  # A week of a busy desk's topics.
_TABLES_ROOM: Final = _GIB
_NO_TABLES: Final = ("no such table: migration", 'relation "migration" does not exist')
_FREE: Final = "free some, or name a folder on another disk"


async def storage(looking: Looking) -> AsyncIterator[Finding]:
    """Each of them where it is used."""
    settings = looking.settings
    if settings.log.kind == "embedded":
        for finding in _folder("log.path", settings.log.path.parent, _LOG_ROOM):
            yield finding
    if settings.ingress.spool is None:
        if settings.log.kind == "kafka":
            yield ok("ingress.spool", "not set: while Kafka is away webhooks are answered 503, and Telnyx tries again")
    else:
        for finding in _folder("ingress.spool", settings.ingress.spool, settings.ingress.spool_bytes_max):
            yield finding
    async for finding in _recorder(settings):
        yield finding


def _folder(subject: str, folder: Path, room: int) -> Iterator[Finding]:
    """Whether files can be made in a folder, or it itself, and whether so many bytes fit."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        yield error(subject, f"{there} is a file, and must be a folder", "name another one, or move the file away")
        return
    if not os.access(there, os.W_OK | os.X_OK):
        sentence = f"{there} cannot be written by user {os.geteuid()}" + (
            "" if there == folder else f", to make {folder}"
        )
        yield error(subject, sentence, f"give it to that user (chown {os.geteuid()} {there}), or name another folder")
        return
    free = shutil.disk_usage(there).free
    if free < room:
        yield warning(subject, f"{folder} has {_size(free)} left, and up to {_size(room)} may be needed", _FREE)
    else:
        yield ok(subject, f"{folder} can be written, and has {_size(free)} left")


def _size(count: int) -> str:
    unit, name = (_GIB, "GiB") if count >= _GIB else (1024**2, "MiB")
    return f"{count / unit:.1f} {name}"


async def _recorder(settings: Settings) -> AsyncIterator[Finding]:
    chosen = settings.recorder
    if chosen.kind == "none":
        yield ok("recorder", "none: nothing is recorded, so calls that are over are not told")
        return
    if chosen.kind == "sqlite":
        for finding in _folder("recorder.path", chosen.path.parent, _TABLES_ROOM):
            yield finding
        if not chosen.path.exists():
            return  # It will be made.
    subject = "recorder.path" if chosen.kind == "sqlite" else "recorder.url"
    try:
        yield _versions(subject, await _migrations(settings))
    except (TablesUnavailable, OSError) as why:
        yield error(subject, f"the tables cannot be read: {why}", "docs/recorder.md says what the database must allow")


async def _migrations(settings: Settings) -> set[int]:
    database = database_of(settings, read_only=True)
    try:
        async with database.transaction() as session:
            return {int(number) for (number,) in await session.rows("migrations")}
    except TablesUnavailable as why:
        if any(words in str(why) for words in _NO_TABLES):
            return set()
        raise
    finally:
        await database.close()


def _versions(subject: str, done: set[int]) -> Finding:
    if newer := done - MIGRATIONS.keys():
        sentence = f"the tables are of version {max(newer)}, and this program knows {max(MIGRATIONS)}"
        return error(subject, sentence, "use the program that made them, or another database")
    if not done:
        return ok(subject, "the database answers; the recorder makes its tables when it starts")
    return ok(subject, f"the database answers; its tables are of version {max(done)}")
