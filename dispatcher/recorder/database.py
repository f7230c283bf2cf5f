"""The port to a database: transactions on it, and what can go wrong. SQLite and PostgreSQL stand behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final, Protocol

_SQL: Final = Path(__file__).parent / "sql"
Row = Sequence[Any]


class TablesUnavailable(Exception):
    """The tables cannot be read or written now; the message is fit for operators, and holds no password."""


class TablesUnusable(Exception):
    """The tables are of a newer version, or of another log: nothing is read or written until somebody looks."""


class Session(Protocol):
    """One transaction. Queries are named as in sql/queries.sql; any call raises TablesUnavailable."""

    async def rows(self, query: str, *values: object) -> list[Row]:
        """Run a query, and return what it gives."""

    async def many(self, query: str, rows: Sequence[Row]) -> list[Row]:
        """Run a query for each of these rows, and return what it gives."""

    async def script(self, text: str) -> None:
        """Run statements that take and give nothing."""


class Database(Protocol):
    """A database."""

    def transaction(self) -> AbstractAsyncContextManager[Session]:
        """A transaction: kept where the block ends, taken back where it raises. Raises TablesUnavailable."""

    async def close(self) -> None:
        """Close every connection."""


def _queries(text: str) -> dict[str, str]:
    _, *named = re.split(r"^-- (\w+) --\n", text, flags=re.MULTILINE)
    return dict(zip(named[::2], map(str.strip, named[1::2]), strict=True))


def _migrations() -> dict[int, str]:
    return {int(path.name[:4]): path.read_text() for path in sorted(_SQL.glob("[0-9]*.sql"))}


QUERIES: Final = _queries((_SQL / "queries.sql").read_text())
MIGRATIONS: Final = _migrations()


async def migrate(database: Database) -> None:
    """Bring the tables to the version that this program knows. Raises TablesUnusable, and TablesUnavailable."""
    async with database.transaction() as session:
        await session.rows("create_migrations")
    async with database.transaction() as session:
        done = {number for (number,) in await session.rows("migrations")}
        if newer := done - MIGRATIONS.keys():
            raise TablesUnusable(
                f"the recorder's tables are of version {max(newer)}, and this program knows {max(MIGRATIONS)}: "
                "they are left untouched. Use the program that made them, or another database"
            )
        for number in sorted(MIGRATIONS.keys() - done):
            await session.script(MIGRATIONS[number])
            await session.rows("note_migration", number)
