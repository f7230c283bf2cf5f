"""Both kinds of databases: what the recorder's tests say holds on each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dispatcher.recorder.database import Database
from dispatcher.recorder.postgresql import PostgresqlDatabase
from dispatcher.recorder.sqlite import SqliteDatabase

# Opens the same database again, for somebody else who writes or reads.
Opening = Callable[..., Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """A fresh database of each kind."""
    if request.param == "sqlite":
        return lambda **more: SqliteDatabase(tmp_path / "recorded.sqlite3", read_only=more.get("read_only", False))
    url = request.getfixturevalue("postgresql").url
    return lambda **more: PostgresqlDatabase(lambda: url, **more)
