"""The spool's file: an SQLite database in WAL mode, fsynced at each commit, held by one process, readable by its owner.

A file that is damaged, or another program's, is refused and left as it is. What was being written when the process or
the machine died is there whole or not at all.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from cordboard.log.port import Headers, LogError, NewRecord
from cordboard.log.sealing import Sealing, Unopened, place

APPLICATION_ID: Final = 0x43425350  # "CBSP"
VERSION: Final = 1
_PLACE: Final = place("spool", None)  # What its entries are sealed for, where there is a key.
_MODE: Final = 0o600  # What callers say and press is in there; SQLite gives its other files the mode of this one.
_JOURNAL_BYTES_MAX: Final = 4 * 1024 * 1024


class SpoolUnusable(LogError):
    """The spool cannot be opened; it was left as it is."""


class Entry(NamedTuple):
    """One webhook: its records, written by us."""

    taken_ms: int
    value: bytes


class Spooled(NamedTuple):
    """One webhook as it stands in the spool."""

    number: int
    entry: Entry


class Census(NamedTuple):
    """How many webhooks there are, and their bytes."""

    events: int
    size: int


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """A record on the disk; fields are only ever added, at the end, with a default. The topic is the reader's."""

    key: bytes | None
    value: bytes
    headers: Headers = ()


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[_Kept])


def encoded(records: Sequence[NewRecord]) -> bytes:
    """The records of one webhook, which belong together."""
    return _encoder.encode([_Kept(record.key, record.value, record.headers) for record in records])


def decoded(value: bytes, topic: str) -> list[NewRecord]:
    """The same again, for a topic."""
    return [NewRecord(topic, kept.key, kept.value, kept.headers) for kept in _decoder.decode(value)]


class SpoolFile:
    """The file, for one thread at a time."""

    def __init__(self, folder: Path, sealing: Sealing | None = None) -> None:
        """Open it, or create it. Raises SpoolUnusable."""
        self._sealing = sealing or Sealing()
        path = folder / "spool.sqlite3"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE))
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
                synced(folder)
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.OperationalError as error:
            held = error.sqlite_errorname == "SQLITE_BUSY"
            why = "another process has it: each ingress needs a folder of its own" if held else str(error)
            raise SpoolUnusable(f"the spool {path} (ingress.spool) cannot be opened: {why}") from error
        except (sqlite3.DatabaseError, OSError, ValueError) as error:
            raise SpoolUnusable(f"the spool {path} (ingress.spool) cannot be opened: {error}") from error

    def _prepare(self) -> None:
        ask = self._connection.execute
        ask("PRAGMA locking_mode = EXCLUSIVE")
        known, version = _number(ask("PRAGMA application_id")), _number(ask("PRAGMA user_version"))
        is_new = not _number(ask("PRAGMA page_count"))
        if not is_new and known != APPLICATION_ID:
            raise ValueError("it is a file of another program; it was left as it is")
        if version > VERSION:
            raise ValueError(f"a newer Cordboard wrote it (format {version}; this one knows up to {VERSION})")
        if not is_new and (verdict := ask("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise ValueError(f"it is damaged ({verdict}); it was left as it is")
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "fullfsync = ON",  # macOS: its plain fsync does not reach the platter.
            "checkpoint_fullfsync = ON",
            f"journal_size_limit = {_JOURNAL_BYTES_MAX}",
        ):
            ask(f"PRAGMA {pragma}")
        if is_new:
            ask("BEGIN IMMEDIATE")
            ask(f"PRAGMA application_id = {APPLICATION_ID}")
            ask(f"PRAGMA user_version = {VERSION}")
            ask("CREATE TABLE webhook (number INTEGER PRIMARY KEY, taken_ms INTEGER, value BLOB) STRICT")
            ask("COMMIT")

    def sealed(self, value: bytes) -> bytes:
        """An entry's value as it is to lie on the disk."""
        return self._sealing.seal(_PLACE, value) if self._sealing.newest else value

    def opened(self, value: bytes) -> bytes:
        """An entry's value as it was. Raises Unopened."""
        if not self._sealing.concerns(value, is_strict=True):
            return value
        try:
            return self._sealing.open(_PLACE, value)
        except Unopened as error:
            raise Unopened(error.why, f"a webhook {error}") from None

    def census(self) -> Census:
        """What is there. It looks at every webhook, so it is for the start."""
        return Census(
            *self._connection.execute("SELECT count(*), coalesce(sum(length(value)), 0) FROM webhook").fetchone()
        )

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep webhooks, all or none; durable when this returns. Raises sqlite3.Error."""
        self._in_one("INSERT INTO webhook (taken_ms, value) VALUES (?, ?)", entries)

    def oldest(self, count: int) -> list[Spooled]:
        """The first webhooks in their order. Raises sqlite3.Error."""
        rows = self._connection.execute("SELECT number, taken_ms, value FROM webhook ORDER BY number LIMIT ?", (count,))
        return [Spooled(number, Entry(taken_ms, value)) for number, taken_ms, value in rows]

    def remove(self, last: int) -> int | None:
        """Forget all webhooks up to this one; when the oldest of the others was taken. Raises sqlite3.Error."""
        self._in_one("DELETE FROM webhook WHERE number <= ?", [(last,)])
        first = self._connection.execute("SELECT taken_ms FROM webhook ORDER BY number LIMIT 1").fetchone()
        return None if first is None else int(first[0])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _in_one(self, query: str, rows: Sequence[tuple[object, ...]]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(query, rows)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def _number(cursor: sqlite3.Cursor) -> int:
    return int(cursor.fetchone()[0])


def synced(folder: Path) -> None:
    """What was made in a folder outlives the machine when this returns. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
