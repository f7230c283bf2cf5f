"""What a quiet call costs: bytes of its page on disk, and of memory after a restart, beside a log without calls."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from bench import processes
from bench.cells import Measured
from bench.truth import Faulty


async def weigh(folder: Path, empty: Path, sandbox_url: str, calls: int) -> dict[str, Any]:
    """Weigh the pages in `folder`, a log in which each of so many calls has had a command; `empty` has had none."""
    page_bytes = _page_bytes(folder / "log.sqlite3")
    without = await _resident(empty, sandbox_url)
    started = time.perf_counter()
    with_calls = await _resident(folder, sandbox_url)
    return {
        "calls": calls,
        "page_bytes": round(page_bytes / calls),
        "resident_bytes": round((with_calls - without) / calls),
        "restart_seconds": round(time.perf_counter() - started, 2),
    }


async def _resident(folder: Path, sandbox_url: str) -> int:
    async with processes.cordboard(folder, sandbox_url) as (_, pid):
        return processes.resident_bytes(pid)


def _page_bytes(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT sum(length(CAST(key AS BLOB)) + length(value)) FROM page"
        return int(connection.execute(query).fetchone()[0])


def checked(measured: Measured, faulty: Faulty) -> None:
    """Nothing is weighed that did not happen."""
    assert not faulty, faulty
    assert not measured.failures, measured.failures
