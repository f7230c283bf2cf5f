"""The embedded log's file: what is refused stays as it was."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from cordboard.clock import SystemClock
from cordboard.log.datafile import VERSION
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import LogUnavailable, LogUnusable, NewRecord
from tests.log.kinds import COMMANDS, INPUTS, PARTITIONS, TOPICS


async def opened(path: Path) -> EmbeddedLog:
    return await EmbeddedLog.open(path, TOPICS, PARTITIONS, SystemClock(), INPUTS)


async def written(path: Path) -> EmbeddedLog:
    log = await opened(path)
    for _ in range(20):
        await log.append([NewRecord(COMMANDS, b"%d" % n, b"x" * 300) for n in range(100)])
    return log


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def modes_in(directory: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


def of_another_kind(path: Path) -> None:
    path.write_bytes(b"It was a dark and stormy night; the rain fell in torrents. " * 100)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def of_another_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE their (data)")
    connection.commit()
    connection.close()


def with_version(path: Path, version: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def with_damaged_pages(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for page in range(20, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xaa" * 64
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50_000])


@pytest.mark.parametrize("make", [of_another_kind, empty, of_another_program])
async def test_a_foreign_file_is_refused_and_untouched(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """
    What is not a log is named and left as it was, with nothing beside it.
    """
    path = tmp_path / "log.db"
    make(path)
    before = contents(tmp_path)

    with pytest.raises(LogUnusable, match=r"log\.db is .*left as it is"):
        await opened(path)

    assert contents(tmp_path) == before


@pytest.mark.parametrize("damage", [with_damaged_pages, cut_short])
async def test_a_damaged_file_is_refused_and_untouched(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """
    Damage anywhere in the file is found before anything is written.
    """
    path = tmp_path / "log.db"
    await (await written(path)).close()
    damage(path)
    before = contents(tmp_path)

    with pytest.raises(LogUnusable, match=r"damaged.*left as it is"):
        await opened(path)

    assert contents(tmp_path) == before


async def test_a_damaged_file_of_a_killed_process_is_refused_and_untouched(tmp_path: Path) -> None:
    """
    The same with a write-ahead log that was never copied home.
    """
    log = await written(tmp_path / "log.db")
    await log.append([NewRecord(COMMANDS, b"%d" % n, b"x" * 3_000) for n in range(6_000)])  # Copied home,
    await log.append([NewRecord(COMMANDS, b"", b"")])  # so that its place is used again.
    (tmp_path / "dead").mkdir()
    path = tmp_path / "dead" / "log.db"
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"log.db{suffix}", f"{path}{suffix}")
    await log.close()
    with_damaged_pages(path)
    before = contents(path.parent)

    with pytest.raises(LogUnusable, match="damaged"):
        await opened(path)

    assert contents(path.parent) == before


async def test_a_newer_file_is_refused_and_untouched(tmp_path: Path) -> None:
    """
    A log of a newer version is not guessed at; both versions are named.
    """
    path = tmp_path / "log.db"
    await (await written(path)).close()
    with_version(path, VERSION + 1)
    before = contents(tmp_path)

    with pytest.raises(LogUnusable, match=rf"newer.*{VERSION + 1}.*{VERSION}"):
        await opened(path)

    assert contents(tmp_path) == before


async def test_a_write_ahead_log_without_its_file_is_refused(tmp_path: Path) -> None:
    """
    Part of a log is not overwritten by a new one.
    """
    (tmp_path / "log.db-wal").write_bytes(b"something")

    with pytest.raises(LogUnusable, match=r"log\.db-wal is there but"):
        await opened(tmp_path / "log.db")

    assert contents(tmp_path) == {"log.db-wal": b"something"}


async def test_a_path_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """
    A directory that is not there is an error with the path in it, not a stack trace from below.
    """
    with pytest.raises(LogUnavailable, match=r"nowhere/log\.db cannot be opened"):
        await opened(tmp_path / "nowhere" / "log.db")


async def test_a_creation_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    """
    A half-made file never has the log's name, and is no hindrance.
    """
    (tmp_path / "log.db.new").write_bytes(b"half")

    await (await opened(tmp_path / "log.db")).close()

    assert list(contents(tmp_path)) == ["log.db"]


async def test_a_new_log_is_its_owners_only(tmp_path: Path) -> None:
    """
    What callers say and press is in there: nobody else on the machine may read it, whatever the umask.
    """
    before = os.umask(0)
    try:
        log = await opened(tmp_path / "log.sqlite3")
        await log.append([NewRecord(COMMANDS, b"A", b"secret")])
        modes = modes_in(tmp_path)
        await log.close()
    finally:
        os.umask(before)

    assert modes == {0o600}
