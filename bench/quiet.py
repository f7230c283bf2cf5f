"""What a quiet call costs: bytes of its page, and of memory in a process that has restored many of them.

The pages are those of calls that the run has made, copied under other keys: each call has had its tens of commands.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from bench import processes
from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.topics import Topics
from dispatcher.core.memory import ENTRY_BYTES
from dispatcher.core.page import Page, decode, encode

_PARTITIONS: Final = 4
_PAGES_AT_ONCE: Final = 1_000
_COMMANDS_MAX: Final = 32  # Those with more are of cells with few calls.
_TOPICS: Final = Topics()


async def weigh(folder: Path, samples: Path, sandbox_url: str, calls: int) -> dict[str, Any]:
    """Weigh so many calls like those in the log `samples`, in `folder`."""
    pages = _pages(samples, calls)
    for name in ("empty", "full"):
        (folder / name).mkdir(parents=True)
    await _write(folder / "empty" / processes.LOG, [])
    await _write(folder / "full" / processes.LOG, pages)
    without, started_empty = await _started(folder / "empty", sandbox_url)
    with_calls, started_full = await _started(folder / "full", sandbox_url)
    return {
        "calls": calls,
        "commands_per_call": round(sum(len(page.ended) for page in pages) / ENTRY_BYTES / calls, 1),
        "page_bytes": round(sum(len(page.key) + len(encode(page)) for page in pages) / calls),
        "file_bytes": round(_size(folder / "full") - _size(folder / "empty")) // calls,
        "memory_bytes": round((with_calls - without) / calls),
        "start_seconds_empty": round(started_empty, 2),
        "start_seconds": round(started_full, 2),
    }


def _pages(samples: Path, calls: int) -> list[Page]:
    with closing(sqlite3.connect(samples)) as connection:
        found = [value for (value,) in connection.execute("SELECT value FROM page ORDER BY key")]
    return copies(found, calls)


def copies(samples: Iterable[bytes], calls: int) -> list[Page]:
    """So many pages like the quiet ones among the samples, each under a key of its own."""
    found = map(decode, samples)
    quiet = [page for page in found if 0 < len(page.ended) <= _COMMANDS_MAX * ENTRY_BYTES and not page.flights]
    assert quiet, "no call of the run is quiet"
    return [_copy(page, number) for number, page in zip(range(calls), itertools.cycle(quiet), strict=False)]


def _copy(page: Page, number: int) -> Page:
    copied = decode(encode(page))
    copied.key = f"{page.key[:-6]}{number:06}"  # As long as the original.
    return copied


async def _write(path: Path, pages: list[Page]) -> None:
    """A log that has these pages and no inputs."""
    specs = _TOPICS.specs(["bench"], _PARTITIONS)
    log = await EmbeddedLog.open(path, specs, _PARTITIONS, SystemClock(), _TOPICS.inputs)
    homes: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for page in pages:
        homes[log.partition_for(_TOPICS.commands, page.key.encode())].append((page.key, encode(page)))
    for partition, every in homes.items():
        claim = await log.claim(partition)
        for start in range(0, len(every), _PAGES_AT_ONCE):
            await log.settle(claim, every[start : start + _PAGES_AT_ONCE], [], {})
    await log.close()


async def _started(folder: Path, sandbox_url: str) -> tuple[int, float]:
    """The memory of a Cordboard that serves this log, and how long it took to be ready (seconds)."""
    started = time.perf_counter()
    async with processes.cordboard(folder, sandbox_url) as (_, pid):
        return processes.resident_bytes(pid), time.perf_counter() - started


def _size(folder: Path) -> int:
    return (folder / processes.LOG).stat().st_size
