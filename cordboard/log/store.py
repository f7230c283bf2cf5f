"""The embedded log's SQL: what it reads at the start and behind the tail, and one batch written in one transaction.

Only COMMIT waits for the disk, so only COMMIT runs on a thread (group_commit.py). Everything else here runs on the
event loop: the sqlite3 module gives up the interpreter lock around every row, and a second thread that works row by
row beside a busy loop waits for the lock, up to 5 ms, at every one of them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from cordboard.log import datafile
from cordboard.log.datafile import QUERIES
from cordboard.log.partition import Partition
from cordboard.log.port import Appended, Headers, LogUnavailable, NewRecord, Record, TopicPartition

_encode_headers: Final = msgspec.msgpack.Encoder().encode
_decode_headers: Final = msgspec.msgpack.Decoder(Headers).decode

CommitKey = tuple[str, str, int]
"""A consumer group, a topic, a partition."""


class Trim(NamedTuple):
    """A partition is to begin at `start`, where the log's time had reached `start_ms`."""

    partition: Partition
    start: int
    start_ms: int


@dataclass(slots=True)
class Batch:
    """What one transaction writes; all its records carry one time."""

    time_ms: int
    rows: list[tuple[int, int, int, bytes | None, bytes, bytes | None]] = field(default_factory=list)
    fresh: dict[Partition, list[Record]] = field(default_factory=dict)
    pages: dict[tuple[int, str], bytes | None] = field(default_factory=dict)
    claims: dict[int, int] = field(default_factory=dict)
    positions: dict[tuple[int, str], int] = field(default_factory=dict)
    commits: dict[CommitKey, int] = field(default_factory=dict)
    trims: list[Trim] = field(default_factory=list)
    settings: dict[str, int] = field(default_factory=dict)

    def add(self, partition: Partition, new: NewRecord) -> Appended:
        """Give a record its place."""
        offset = partition.next
        partition.next = offset + 1
        topic, number = partition.at
        key, value, headers = new.key, new.value, new.headers
        packed = _encode_headers(headers) if headers else None
        self.rows.append((partition.ident, offset, self.time_ms, key, value, packed))
        record = Record(topic, number, offset, self.time_ms, key, value, headers)
        fresh = self.fresh.get(partition)
        if fresh is None:
            self.fresh[partition] = [record]
        else:
            fresh.append(record)
        return Appended(number, offset, self.time_ms)

    def undo(self) -> None:
        """Take the places back: nothing of this was written."""
        for partition in self.fresh:
            partition.next = partition.end

    def publish(self) -> None:
        """Show what was committed to those who read."""
        for trim in self.trims:
            trim.partition.forget(trim.start)
        for partition, records in self.fresh.items():
            partition.extend(records)


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Give SQLite's errors the port's name."""
    try:
        yield
    except sqlite3.Error as error:
        raise LogUnavailable(f"the log's file cannot be read: {error}") from error


class Store:
    """Two connections to one file: one writes, one reads what has been committed."""

    def __init__(self, path: Path) -> None:
        """Open a file that `datafile.prepare` has passed."""
        self._writer = datafile.connect_writer(path)
        self._reader = datafile.connect_reader(path)

    def write(self, batch: Batch) -> None:
        """Do all of a batch but make it durable. Raises sqlite3.Error; then `rollback` is due."""
        if self._writer.in_transaction:  # An earlier rollback failed; there is no going on without one.
            self._writer.execute("ROLLBACK")
        self._writer.execute("BEGIN IMMEDIATE")
        many = self._many
        many("trim", [(trim.partition.ident, trim.start) for trim in batch.trims])
        many("set_start", [(trim.start, trim.start_ms, trim.partition.ident) for trim in batch.trims])
        many("add_record", batch.rows)
        many("put_page", [(*place, page) for place, page in batch.pages.items() if page is not None])
        many("drop_page", [place for place, page in batch.pages.items() if page is None])
        many("set_claim", batch.claims.items())
        many("set_position", [(*place, offset) for place, offset in batch.positions.items()])
        many("set_commit", [(*place, offset) for place, offset in batch.commits.items()])
        many("set_setting", batch.settings.items())

    def commit(self) -> None:
        """Make the batch durable: returns after the fsync. The one call here that waits for the disk."""
        self._writer.execute("COMMIT")

    def rollback(self) -> None:
        """Forget a batch that failed; if even that fails, the next `write` tries again."""
        with contextlib.suppress(sqlite3.Error):
            if self._writer.in_transaction:  # SQLite itself rolls back after the worst errors.
                self._writer.execute("ROLLBACK")

    def create_sources(self, missing: Iterable[TopicPartition], settings: dict[str, int]) -> None:
        """Create partitions, and store settings, before anything runs."""
        with self._writer:  # This commits, or rolls back.
            self._writer.execute("BEGIN IMMEDIATE")
            self._many("add_source", missing)
            self._many("set_setting", settings.items())

    def settings(self) -> dict[str, int]:
        """What the log was created with."""
        return dict(self._rows("settings"))

    def partitions(self) -> dict[TopicPartition, Partition]:
        """Every partition of every topic ever declared."""
        return {
            TopicPartition(topic, number): Partition(
                ident, TopicPartition(topic, number), start, start if last is None else last + 1
            )
            for ident, topic, number, start, _, last in self._rows("sources")
        }

    def latest_ms(self) -> int:
        """The highest time that a record was ever given, or higher."""
        trimmed = [start_ms for _, _, _, _, start_ms, _ in self._rows("sources")]
        return max([time_ms for (time_ms,) in self._rows("latest_ms")] + trimmed, default=0)

    def claims(self) -> dict[int, int]:
        """The last epoch by partition."""
        return dict(self._rows("claims"))

    def positions(self) -> dict[tuple[int, str], int]:
        """Owners' positions by partition and topic."""
        return {(partition, topic): offset for partition, topic, offset in self._rows("positions")}

    def commits(self) -> dict[CommitKey, int]:
        """Groups' committed offsets."""
        return {(group, topic, partition): offset for group, topic, partition, offset in self._rows("commits")}

    def records(self, partition: Partition, offset: int, count: int) -> list[Record]:
        """Records from the file, from an offset on, oldest first."""
        topic, number = partition.at
        return [
            Record(topic, number, at, time_ms, key, value, _decode_headers(headers) if headers else ())
            for at, time_ms, key, value, headers in self._rows("records", partition.ident, offset, count)
        ]

    def time_at(self, partition: Partition, offset: int) -> int:
        """When the record at an offset was taken; 0 for one that is gone."""
        found = self._rows("time_at", partition.ident, offset)
        return int(found[0][0]) if found else 0

    def pages(self, partition: int, after: str, count: int) -> list[tuple[str, bytes]]:
        """A partition's pages whose keys come after one, in order."""
        return self._rows("pages", partition, after, count)

    def close(self) -> None:
        """Close both connections; the last one copies the write-ahead log home and removes it."""
        self._reader.close()
        self._writer.close()

    def _many(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        if rows:
            self._writer.executemany(QUERIES[query], rows)

    def _rows(self, query: str, *values: object) -> list[Any]:
        with reading():
            return self._reader.execute(QUERIES[query], values).fetchall()
