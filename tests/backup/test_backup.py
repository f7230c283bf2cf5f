"""A backup is one moment of a log that goes on, whole or not there; a restored one keeps all, at new offsets."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from cordboard.clock import SystemClock
from cordboard.log.backup import CopyRefused, back_up, unpack
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import LogUnusable, NewRecord, Record, TopicPartition, TopicSpec

SPECS = [TopicSpec("t.inputs", 2, None), TopicSpec("t.work.main.dial", 2, None), TopicSpec("t.control", 1, None)]
INPUT, WORK = TopicPartition("t.inputs", 0), TopicPartition("t.work.main.dial", 0)


async def opened(path: Path) -> EmbeddedLog:
    """The log of these tests."""
    return await EmbeddedLog.open(path, SPECS, 2, SystemClock(), ["t.inputs"])


async def filled(path: Path) -> EmbeddedLog:
    """One with two inputs, of which one is settled, a page, work, and a group that has committed."""
    log = await opened(path)
    await log.append(
        [NewRecord("t.inputs", None, b"first", partition=0), NewRecord("t.inputs", None, b"2", partition=0)]
    )
    claim = await log.claim(0)
    work = NewRecord("t.work.main.dial", b"A", b"a dial", partition=0)
    await log.settle(claim, [("A", b"page")], [work, work], {"t.inputs": 1})
    member = await log.join("workers", "t.work.main.dial", Nobody())
    await member.commit({0: 1})
    return log


class Nobody:
    """A member that does nothing."""

    async def assigned(self, partitions: frozenset[int]) -> None:
        """Nothing."""

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Nothing."""


def quietly(done: int, every: int) -> None:
    """Nobody looks at the progress."""


def format_of(path: Path) -> int:
    """The number of a file's format."""
    return int.from_bytes(path.read_bytes()[60:64], "big")


async def everything(log: EmbeddedLog, at: TopicPartition) -> list[Record]:
    """All records of a partition."""
    reader = log.reader({at: await log.start(at)})
    return await reader.read(0.01)


async def test_a_backup_is_one_moment_of_a_log_that_is_written_to(tmp_path: Path) -> None:
    """
    What is written while it is made is not in it, and the writer is not held up.
    """
    log = await filled(tmp_path / "log")
    told: list[tuple[int, int]] = []

    def meanwhile(done: int, every: int) -> None:
        other = sqlite3.connect(tmp_path / "log", isolation_level=None)
        other.execute("INSERT OR REPLACE INTO setting VALUES ('meanwhile', 1)")
        other.close()
        told.append((done, every))

    back_up(tmp_path / "log", tmp_path / "copy", 7, meanwhile)
    await log.append([NewRecord("t.inputs", None, b"later", partition=0)])
    await log.close()

    kept = sqlite3.connect(tmp_path / "copy")
    settings = dict(kept.execute("SELECT * FROM setting").fetchall())
    kept.close()
    assert ("meanwhile" in settings, settings["backed_up_ms"]) == (False, 7)
    unpack(tmp_path / "copy", tmp_path / "again", "t", 8, lambda done, every: None)
    copy = await opened(tmp_path / "again")
    assert [one.value for one in await everything(copy, INPUT)] == [b"first", b"2"]
    assert told[-1][0] == told[-1][1] > 0
    await copy.close()


async def test_a_backup_is_its_owners_alone_and_one_file(tmp_path: Path) -> None:
    """
    What callers say is in it; and who moves it has nothing to forget.
    """
    log = await filled(tmp_path / "log")
    back_up(tmp_path / "log", tmp_path / "copies", 0, quietly)
    await log.close()

    assert stat.S_IMODE((tmp_path / "copies").stat().st_mode) == 0o600
    assert [name for name in os.listdir(tmp_path) if name.startswith("copies")] == ["copies"]


async def test_a_backup_is_written_over_nothing(tmp_path: Path) -> None:
    """
    Not over another backup, and least of all over the log.
    """
    log = await filled(tmp_path / "log")
    with pytest.raises(CopyRefused, match="is there already"):
        back_up(tmp_path / "log", tmp_path / "log", 0, quietly)
    await log.close()


async def test_what_is_no_log_is_not_backed_up(tmp_path: Path) -> None:
    """
    Another program's file is refused, and nothing is left of the try.
    """
    (tmp_path / "log").write_bytes(b"no log" * 100)
    with pytest.raises(LogUnusable, match="is not a Cordboard log"):
        back_up(tmp_path / "log", tmp_path / "copy", 0, quietly)
    assert os.listdir(tmp_path) == ["log"]


async def test_a_restored_log_has_all_but_work_at_offsets_that_never_were(tmp_path: Path) -> None:
    """
    Pages, positions and what is still to be read are there; a group that had work left finds none.
    """
    log = await filled(tmp_path / "log")
    before = await log.end(INPUT)
    back_up(tmp_path / "log", tmp_path / "copy", 1_000, quietly)
    await log.close()

    copied = unpack(tmp_path / "copy", tmp_path / "again", "t", 2_000, quietly)
    log = await opened(tmp_path / "again")
    claim = await log.claim(0)

    assert copied.taken_ms == 1_000
    assert [value async for _, value in log.pages(claim)] == [b"page"]
    assert await log.start(INPUT) == 2_000_000 > before
    assert [(one.offset - 2_000_000, one.value) for one in await everything(log, INPUT)] == [(0, b"first"), (1, b"2")]
    assert claim.positions == {"t.inputs": 2_000_001}
    assert await everything(log, WORK) == []
    member = await log.join("workers", "t.work.main.dial", Nobody())
    assert (await member.committed(0) or 0) <= await log.start(WORK) == await log.end(WORK)
    await log.close()


async def test_who_reads_on_from_before_a_restore_finds_the_end(tmp_path: Path) -> None:
    """
    Also of a partition that is empty: there is nothing between where it was and where it is.
    """
    log = await filled(tmp_path / "log")
    back_up(tmp_path / "log", tmp_path / "copy", 1_000, quietly)
    await log.close()
    unpack(tmp_path / "copy", tmp_path / "again", "t", 2_000, quietly)
    log = await opened(tmp_path / "again")
    empty = TopicPartition("t.inputs", 1)
    reader = log.reader({empty: 0})

    assert await reader.read(0.01) == []
    assert reader.positions() == {empty: await log.end(empty)}
    await log.close()


async def test_a_restored_log_is_not_for_programs_that_do_not_know_of_it(tmp_path: Path) -> None:
    """
    They would send what waits in it: so it says that it is newer, which a log that was never restored does not.
    """
    log = await filled(tmp_path / "log")
    back_up(tmp_path / "log", tmp_path / "copy", 1_000, quietly)
    await log.close()
    unpack(tmp_path / "copy", tmp_path / "again", "t", 2_000, quietly)

    assert (format_of(tmp_path / "log"), format_of(tmp_path / "again")) == (1, 2)


async def test_a_log_may_be_restored_again_and_again(tmp_path: Path) -> None:
    """
    Its offsets go on with the clock, and do not run away.
    """
    log = await filled(tmp_path / "0")
    await log.close()
    for number, now_ms in enumerate((1_000, 2_000, 2_000)):
        back_up(tmp_path / str(number), tmp_path / f"copy{number}", now_ms, quietly)
        unpack(tmp_path / f"copy{number}", tmp_path / str(number + 1), "t", now_ms, quietly)
    log = await opened(tmp_path / "3")

    assert await log.start(INPUT) == 2_001_000
    assert len(await everything(log, INPUT)) == 2
    await log.close()


async def test_a_backup_of_another_prefix_is_refused(tmp_path: Path) -> None:
    """
    What workers would send stands under its own: it would be neither found nor taken out.
    """
    log = await filled(tmp_path / "log")
    back_up(tmp_path / "log", tmp_path / "copy", 0, quietly)
    await log.close()

    with pytest.raises(LogUnusable, match=r"no topics of prefix other: log\.topic_prefix must be"):
        unpack(tmp_path / "copy", tmp_path / "again", "other", 0, quietly)
    assert not (tmp_path / "again").exists()


async def test_a_damaged_backup_is_no_log(tmp_path: Path) -> None:
    """
    It is found before anything is replaced, and left as it is.
    """
    log = await filled(tmp_path / "log")
    for number in range(50):
        await log.append([NewRecord("t.inputs", None, bytes([number]) * 4_000)])
    back_up(tmp_path / "log", tmp_path / "copy", 0, quietly)
    await log.close()
    with (tmp_path / "copy").open("r+b") as file:
        file.seek(40_000)
        file.write(os.urandom(20_000))
    damaged = (tmp_path / "copy").read_bytes()

    with pytest.raises(LogUnusable, match="copy is damaged"):
        unpack(tmp_path / "copy", tmp_path / "again", "t", 0, quietly)
    assert (tmp_path / "copy").read_bytes() == damaged
    assert not (tmp_path / "again").exists()


async def test_nobody_goes_on_with_a_backup_by_itself(tmp_path: Path):
    """
    Put in the log's place by hand it is refused, and left as it is: what waited in it may have been sent.
    """
    log = await filled(tmp_path / "log.sqlite3")
    back_up(tmp_path / "log.sqlite3", tmp_path / "copy.sqlite3", 1_000, lambda done, every: None)
    await log.close()
    with pytest.raises(LogUnusable, match="is a backup: `cordboard restore` makes a log of it"):
        await opened(tmp_path / "copy.sqlite3")

    await (await opened(tmp_path / "log.sqlite3")).close()
