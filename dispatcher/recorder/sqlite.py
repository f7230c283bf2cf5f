"""The recorder's tables in a file. Statements run on a thread of their own, many rows in each.

The sqlite3 module gives up the interpreter lock around every statement, and a thread that works row by row beside a
busy event loop waits for the lock at every one of them, up to 5 ms: so rows go in by the hundred.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from dispatcher.recorder.database import QUERIES, Row, Session, TablesUnavailable

_ROWS: Final = 100  # In one statement.
_BUSY_SECONDS: Final = 10.0  # Another process may be writing: whoever has calls forgotten.
_CACHE_KIB: Final = 64 * 1024
_CHECKPOINT_PAGES: Final = 8192  # 32 MiB.
_PLACEHOLDER: Final = re.compile(r"\$(\d+)")
_VALUES: Final = re.compile(r"VALUES \(([$\d, ]+)\)")

T = TypeVar("T")


class SqliteDatabase:
    """One connection, used by one transaction at a time. `read_only`: the file must be there, and is not changed."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._read_only = read_only
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder's file")
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """See the port."""
        async with self._turn:
            try:
                await self._run(self._begin)
                yield _Session(self)
                await self._run(self._commit)
            except BaseException:
                # Behind whatever the thread is still at: a cancelled block leaves its statement running.
                await asyncio.shield(self._run(self._give_up))
                raise

    async def close(self) -> None:
        """See the port."""
        async with self._turn:
            await self._run(self._give_up)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, _named(self._path, work))

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            if not self._read_only:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            elif not self._path.exists():
                raise TablesUnavailable(f"{self._path}: no recorder has written there yet")
            # Opened for writing either way: a reader of a write-ahead log may be the first to come after a crash.
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            if self._read_only:
                connection.execute("PRAGMA query_only = 1")
            else:
                connection.execute("PRAGMA journal_mode = WAL")
                # What a loss of power takes back is recorded again: positions are in the same transaction.
                connection.execute("PRAGMA synchronous = NORMAL")
                # Calls are all over their index: with little memory every batch would read it from the disk.
                connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
                connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
                self._path.chmod(0o600)
            self._connection = connection
        return self._connection

    def _begin(self) -> None:
        self._open().execute("BEGIN" if self._read_only else "BEGIN IMMEDIATE")

    def _commit(self) -> None:
        self._open().execute("COMMIT")

    def _give_up(self) -> None:
        """Close: that takes back what is not committed, and whatever is wrong, the next one opens the file anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    async def fetch(self, text: str, values: Sequence[object]) -> list[Row]:
        """Run one statement."""
        return await self._run(lambda: self._open().execute(text, values).fetchall())

    async def fetch_many(self, query: str, rows: Sequence[Row]) -> list[Row]:
        """Run one for each row, or for a hundred of them where it inserts."""
        return await self._run(lambda: list(self._each(query, rows)))

    async def execute_script(self, text: str) -> None:
        """Run several, inside the transaction."""
        await self._run(lambda: [self._open().execute(one) for one in _statements(text)])

    def _each(self, query: str, rows: Sequence[Row]) -> Iterator[Row]:
        connection, width = self._open(), _ROWS if _VALUES.search(QUERIES[query]) else 1
        for first in range(0, len(rows), width):
            some = rows[first : first + width]
            text = _text(query) if width == 1 else _wide(query, len(some))
            yield from connection.execute(text, [value for row in some for value in row]).fetchall()


class _Session:
    """One transaction."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def rows(self, query: str, *values: object) -> list[Row]:
        """See the port."""
        return await self._database.fetch(_text(query), values)

    async def many(self, query: str, rows: Sequence[Row]) -> list[Row]:
        """See the port."""
        return await self._database.fetch_many(query, rows) if rows else []

    async def script(self, text: str) -> None:
        """See the port."""
        await self._database.execute_script(text)


@cache
def _text(query: str) -> str:
    """A query with SQLite's placeholders."""
    return _PLACEHOLDER.sub(r"?\1", QUERIES[query])


@cache
def _wide(query: str, count: int) -> str:
    """An insertion of so many rows."""
    found = _VALUES.search(QUERIES[query])
    width = found[1].count("$") if found else 0
    rows = ", ".join([f"({', '.join('?' * width)})"] * count)
    return _VALUES.sub(f"VALUES {rows}", QUERIES[query])


def _statements(text: str) -> Iterator[str]:
    """The statements of a script; sqlite3's own way of running one would commit before it."""
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    yield from (one for one in lines.split(";\n") if one.strip())


def _named(path: Path, work: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        with _translated(path):
            return work()

    return run


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise TablesUnavailable(f"{path}: {error}") from error
