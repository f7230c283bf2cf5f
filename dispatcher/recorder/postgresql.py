"""The recorder's tables in PostgreSQL. A few connections, opened when they are needed, and anew when they broke."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg

from dispatcher.recorder.database import QUERIES, Row, Session, TablesUnavailable

_CONNECT_SECONDS: Final = 5.0
_STATEMENT_SECONDS: Final = 60.0


class PostgresqlDatabase:
    """At most `connections_max` transactions at once. `url` gives the address, anew for each pool of connections."""

    def __init__(self, url: Callable[[], str], connections_max: int = 1, *, read_only: bool = False) -> None:
        self._url = url
        self._connections_max = connections_max
        self._read_only = read_only
        # Who searches has every search planned for what it asks: what is left out makes all the difference.
        self._planning = {"plan_cache_mode": "force_custom_plan"} if read_only else dict[str, str]()
        self._pool: Any = None
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """See the port."""
        with _translated():
            pool = await self._opened()
            patience = _CONNECT_SECONDS + _STATEMENT_SECONDS
            async with (
                pool.acquire(timeout=patience) as connection,
                connection.transaction(readonly=self._read_only),
            ):
                yield _Session(connection)

    async def close(self) -> None:
        """See the port."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    self._address(),
                    min_size=0,
                    max_size=self._connections_max,
                    timeout=_CONNECT_SECONDS,
                    command_timeout=_STATEMENT_SECONDS,
                    server_settings={"application_name": "cordboard recorder", **self._planning},
                )
            return self._pool

    def _address(self) -> str:
        try:
            return self._url()
        except ValueError as error:
            raise TablesUnavailable("the file with the database's address holds none") from error


class _Session:
    """One transaction."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, query: str, *values: object) -> list[Row]:
        """See the port."""
        return [tuple(row) for row in await self._connection.fetch(QUERIES[query], *values)]

    async def many(self, query: str, rows: Sequence[Row]) -> list[Row]:
        """See the port."""
        text = QUERIES[query]
        if rows and "RETURNING" in text:
            return [tuple(row) for row in await self._connection.fetchmany(text, rows)]
        if rows:
            await self._connection.executemany(text, rows)
        return []

    async def script(self, text: str) -> None:
        """See the port."""
        await self._connection.execute(text)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        what = str(error).partition("\n")[0]  # What comes behind may repeat values.
        raise TablesUnavailable(f"PostgreSQL: {type(error).__name__}: {what}") from error
    except (OSError, TimeoutError) as error:
        raise TablesUnavailable(f"PostgreSQL cannot be reached: {type(error).__name__}: {error}") from error
