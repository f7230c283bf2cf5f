"""The embedded log's file: held by one process, checked before it is touched, created whole or not at all.

Rule 1: a file that is not ours, damaged, or newer than this program is refused and stays byte for byte as it was. So
its header is read as plain bytes first, and SQLite looks at it read-only before it may write.
Rule 2: a new file appears under its name only when it is complete and on disk; no half-made log is ever opened.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cordboard.log.port import LogInUse, LogUnusable

APPLICATION_ID: Final = 0x43424C47  # "CBLG"
# Settings of a file: when it was copied, and when it was made a log again (Unix ms).
BACKED_UP: Final = "backed_up_ms"
RESTORED: Final = "restored_ms"
VERSION: Final = 2  # The highest that is known: of a file that was restored, which older programs must not open.
_PLAIN: Final = 1
_MODE: Final = 0o600  # What callers say and press is in there; SQLite gives its other files the mode of this one.
# What a commit may leave in the write-ahead log before its pages are copied home: large enough that a page written by
# many commits is copied once (a quarter less CPU per record than SQLite's 1,000), small enough to be read at a restart.
_CHECKPOINT_PAGES: Final = 4_000
_JOURNAL_BYTES_MAX: Final = 64 * 1024 * 1024
_CACHE_KIB: Final = 32 * 1024

_, *_named = re.split(
    r"^-- (\w+) --\n", Path(__file__).with_name("embedded.sql").read_text("utf-8"), flags=re.MULTILINE
)
QUERIES: Final = dict(zip(_named[::2], _named[1::2], strict=True))


class Hold:
    """One process's hold on a log, for as long as it lives; the operating system ends it with the process."""

    def __init__(self, path: Path) -> None:
        """Take the hold. Raises LogInUse, naming the process that has it."""
        self._path = beside(path, ".lock")
        while True:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                holder = os.read(self._file, 32).decode("ascii", "replace").strip() or "unknown"
                os.close(self._file)
                message = f"the log {path} is in use by process {holder}: one process at a time may hold it"
                raise LogInUse(message) from None
            if self._is_current():
                break
            os.close(self._file)  # Its last holder removed it between our two steps.
        os.truncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self._path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give it up; the lock file goes with it."""
        self._path.unlink(missing_ok=True)
        os.close(self._file)


def prepare(path: Path) -> None:
    """Check the file, or create it. Raises LogUnusable with the file untouched."""
    if path.exists():
        check_header(path)
        _check_pages(path)
    elif beside(path, "-wal").exists():
        raise LogUnusable(
            f"{beside(path, '-wal')} is there but {path} is not: bring back the one or move away the other"
        )
    else:
        _create(path)


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one connection that writes. What it acknowledged has been fsynced."""
    connection = connect(path, "rw")
    for pragma in (
        "synchronous = FULL",
        "fullfsync = ON",  # macOS: its plain fsync does not reach the platter.
        "checkpoint_fullfsync = ON",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
        f"journal_size_limit = {_JOURNAL_BYTES_MAX}",
        f"cache_size = -{_CACHE_KIB}",
        "secure_delete = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that sees what has been committed, while the writer writes."""
    connection = connect(path, "rw")  # Not "ro": the last connection to close must be able to tidy up.
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    return connection


def beside(path: Path, suffix: str) -> Path:
    """The file of this suffix that goes with another."""
    return path.with_name(path.name + suffix)


def connect(path: Path, options: str) -> sqlite3.Connection:
    """A connection; `options` as in SQLite's addresses, such as "rw"."""
    # Transactions are begun and ended by hand; the connection wanders between the loop and the thread that commits.
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={options}", uri=True, isolation_level=None, check_same_thread=False
    )


def check_header(path: Path) -> None:
    """Look whether it is a log that this program knows. Raises LogUnusable, OSError."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise LogUnusable(f"{path} is not a Cordboard log, or its beginning is damaged; it was left as it is")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise LogUnusable(f"{path} is an SQLite file of another program; it was left as it is")
    version = int.from_bytes(header[60:64], "big")
    if version > VERSION:
        raise LogUnusable(
            f"{path} was written by a newer Cordboard (format {version}; this one knows up to {VERSION}); "
            "it was left as it is"
        )
    # An older version would be migrated here, by one script per step; there is none yet.


def must_not_be_a_backup(path: Path, settings: Mapping[str, int]) -> None:
    """Nobody goes on with a backup as if it were the log: what waited in it may have been sent. Raises LogUnusable."""
    if settings.get(BACKED_UP, 0) > settings.get(RESTORED, 0):
        raise LogUnusable(f"{path} is a backup: `cordboard restore` makes a log of it, by which nothing is sent twice")


def _check_pages(path: Path) -> None:
    # Without a write-ahead log nothing but the file itself need be looked at, and SQLite makes no files beside it.
    shared = beside(path, "-shm")
    walled, shared_before = beside(path, "-wal").exists(), shared.exists()
    try:
        with contextlib.closing(connect(path, "ro" if walled else "ro&immutable=1")) as connection:
            verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict == "ok":
        return
    if walled and not shared_before:
        shared.unlink(missing_ok=True)
    raise LogUnusable(f"{path} is damaged ({' '.join(verdict.split())}); it was left as it is")


def _create(path: Path) -> None:
    draft = beside(path, ".new")
    new_file(draft)
    with contextlib.closing(connect(draft, "rwc")) as connection:
        connection.executescript(
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {_PLAIN}; {QUERIES['schema']}"
        )
        connection.execute("PRAGMA journal_mode = WAL")
    put_in_place(draft, path)


def new_file(path: Path) -> None:
    """An empty file for its owner alone, instead of one that was left behind."""
    for left in (path, beside(path, "-wal"), beside(path, "-shm"), beside(path, "-journal")):
        left.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE))


def put_in_place(draft: Path, path: Path) -> None:
    """Give a file that is complete its name; both outlive the machine when this returns."""
    for place in (draft, path.parent):
        if place == path.parent:
            draft.replace(path)
        handle = os.open(place, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
