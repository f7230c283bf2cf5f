"""The embedded log: the port on one SQLite file, for one process on one machine, with no server beside it.

What the file and the transactions do is in datafile.py, store.py and group_commit.py; here the port's verbs are put
together from them. A `settle` is one part of one transaction, so nothing is ever owed: pages, outputs and positions
become true at once.
"""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cordboard.clock import Clock
from cordboard.log import datafile
from cordboard.log.claims import Claims
from cordboard.log.declaration import declare
from cordboard.log.group_commit import BatchEnded, GroupCommit
from cordboard.log.groups import Group
from cordboard.log.partition import Partition
from cordboard.log.port import (
    Appended,
    Claim,
    GroupListener,
    LogUnavailable,
    Member,
    NewRecord,
    Reader,
    Record,
    TopicPartition,
    TopicSpec,
)
from cordboard.log.reader import EmbeddedReader
from cordboard.log.retention import Retention
from cordboard.log.store import Batch, CommitKey, Store, Trim

_PAGES_AT_ONCE: Final = 256


class EmbeddedLog:
    """The log of one process. Make it with `open`; the event loop that opened it is the only one to use it."""

    @classmethod
    async def open(
        cls,
        path: Path,
        topics: Sequence[TopicSpec],
        ledger_partitions: int,
        clock: Clock,
        inputs: Sequence[str],
        *,
        retention_seconds: float = 60.0,
        observe: Callable[[BatchEnded], None] | None = None,
    ) -> EmbeddedLog:
        """Open the log, or create it; topics that it does not have yet are added.

        `inputs` are the topics that an owner reads; they have as many partitions as the ledger. `retention_seconds` is
        how often old records are looked for. Raises LogInUse, LogUnusable (the file is left untouched), LogUnavailable
        when the path cannot be used, and LogError when a partition count is not the stored one.
        """
        try:
            hold = datafile.Hold(path)
        except OSError as error:
            raise LogUnavailable(f"the log {path} cannot be opened: {error}") from error
        try:
            await asyncio.to_thread(datafile.prepare, path)
            store = await asyncio.to_thread(Store, path)
            try:
                datafile.must_not_be_a_backup(path, store.settings())
                partitions = declare(store, topics, ledger_partitions, inputs)
                log = cls(hold, store, {spec.name: spec for spec in topics}, partitions, clock, inputs, observe)
            except BaseException:
                store.close()
                raise
        except (sqlite3.Error, OSError) as error:
            hold.release()
            raise LogUnavailable(f"the log {path} cannot be opened: {error}") from error
        except BaseException:
            hold.release()
            raise
        log._retention.start(retention_seconds)
        return log

    def __init__(
        self,
        hold: datafile.Hold,
        store: Store,
        specs: Mapping[str, TopicSpec],
        partitions: Mapping[TopicPartition, Partition],
        clock: Clock,
        inputs: Sequence[str],
        observe: Callable[[BatchEnded], None] | None,
    ) -> None:
        self._hold = hold
        self._store = store
        self._specs = specs
        self._partitions = partitions
        self._claims = Claims(store.claims(), store.positions(), inputs)
        self._stored_commits = store.commits()
        self._groups: dict[tuple[str, str], Group] = {}
        self._readers: set[EmbeddedReader] = set()
        self._retention = Retention(self)
        self._closed = False
        self._commits = GroupCommit(store, clock, self._durable, observe)

    @property
    def healthy(self) -> bool:
        """See the port. After a failure the log tries by itself, every second, whether the disk is back."""
        return self._commits.healthy and not self._closed

    @property
    def ahead_ms(self) -> int:
        """How far the log's time is ahead of this machine's clock (milliseconds)."""
        return self._commits.ahead_ms

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See the port."""
        placed = [(self._place(record), record) for record in records]
        return await self._commits.write(lambda batch: [batch.add(place, record) for place, record in placed])

    def partitions(self, topic: str) -> int:
        """See the port."""
        return self._specs[topic].partitions

    def partition_for(self, topic: str, key: bytes) -> int:
        """See the port."""
        return zlib.crc32(key) % self._specs[topic].partitions

    async def start(self, at: TopicPartition) -> int:
        """See the port."""
        return self._open_partition(at).start

    async def end(self, at: TopicPartition) -> int:
        """See the port."""
        return self._open_partition(at).end

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        """See the port."""
        return self._offset_at(self._open_partition(at), time_ms)

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See the port. A position that retention has overtaken goes on at the oldest record kept."""
        reader = EmbeddedReader(self, {self._open_partition(at): offset for at, offset in positions.items()})
        self._readers.add(reader)
        return reader

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        """See the port."""
        self._must_be_open()
        seats = self._groups.get((group, topic))
        if seats is None:
            seats = self._groups[group, topic] = Group(group, topic, self.partitions(topic), self)
        return await seats.add(listener, name)

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        """See the port."""
        self._must_be_open()
        seats = self._groups.get((group, topic))
        return {} if seats is None else seats.holders()

    async def claim(self, partition: int) -> Claim:
        """See the port. Raises PositionsLost."""
        return await self._commits.write(
            lambda batch: self._claims.claim(partition, batch), lambda: self._claims.vacate(partition)
        )

    async def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        """See the port. Raises Fenced."""
        after = ""
        while True:
            self._must_be_open()
            self._claims.check(claim)
            pages = self._store.pages(claim.partition, after, _PAGES_AT_ONCE)
            for page in pages:
                yield page
            if len(pages) < _PAGES_AT_ONCE:
                return
            after = pages[-1][0]
            await asyncio.sleep(0)  # A big ledger is read in pieces; others go on meanwhile.

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        """See the port. One transaction; owners of other partitions that settle at the same time share it."""
        placed = [(self._place(record), record) for record in outputs]
        partition = claim.partition

        def apply(batch: Batch) -> None:
            self._claims.check(claim)
            for key, page in pages:
                batch.pages[partition, key] = page
            for place, record in placed:
                batch.add(place, record)
            for topic, offset in positions.items():
                batch.positions[partition, topic] = offset

        try:
            await self._commits.write(apply, lambda: self._claims.void(claim))
        except asyncio.CancelledError:
            self._claims.void(claim)  # Whoever does not wait does not know.
            raise

    async def retain(self) -> None:
        """Look for old records now rather than at the next regular time; see retention.py for what goes."""
        await self._retention.run()

    async def close(self) -> None:
        """See the port. Readers that wait are told; everything raises LogUnavailable from here on."""
        if self._closed:
            return
        self._closed = True
        self._retention.stop()
        for reader in self._readers:
            reader.stop()
        await self._commits.close()
        await asyncio.to_thread(self._store.close)
        self._hold.release()

    # What readers, groups and retention need of the log.

    def records(self, partition: Partition, offset: int, count: int) -> list[Record]:
        """Records from the file."""
        return self._store.records(partition, offset, count)

    def time_at(self, partition: Partition, offset: int) -> int:
        """When a record that is in the log was taken."""
        tail = partition.read(offset, 1)
        return tail[0].time_ms if tail else self._store.time_at(partition, offset)

    def none_older(self, partition: Partition, time_ms: int) -> bool:
        """Whether all future records of a partition, those now being written included, are of `time_ms` or later."""
        committing = self._commits.committing_since_ms()
        if partition.next != partition.end and committing is not None and committing < time_ms:
            return False
        return self._commits.now_ms() >= time_ms

    async def store_commits(self, offsets: Mapping[CommitKey, int]) -> None:
        """Store a group's offsets, durably."""
        await self._commits.write(lambda batch: batch.commits.update(offsets))

    def stored_commit(self, key: CommitKey) -> int | None:
        """A group's stored offset."""
        self._must_be_open()
        return self._stored_commits.get(key)

    def expired(self) -> Iterator[tuple[Partition, int]]:
        """The partitions whose topics are not kept forever, and the offset before which each may be forgotten.

        Never past what an owner has settled: what was accepted is decided, however long nobody was there to do it.
        """
        now_ms = self._commits.now_ms()
        for at, partition in self._partitions.items():
            spec = self._specs.get(at.topic)
            if spec is not None and spec.retention_ms is not None:
                old = self._offset_at(partition, now_ms - spec.retention_ms)
                settled = self._claims.settled_to(*at)
                yield partition, old if settled is None else min(old, settled)

    async def trim(self, partition: Partition, start: int) -> None:
        """Forget the records before an offset."""
        trim = Trim(partition, start, self.time_at(partition, start - 1))
        await self._commits.write(lambda batch: batch.trims.append(trim))

    # The rest is ours.

    def _durable(self, batch: Batch) -> None:
        self._claims.durable(batch)
        self._stored_commits |= batch.commits

    def _must_be_open(self) -> None:
        if self._closed:
            raise LogUnavailable("the log is closed")

    def _open_partition(self, at: TopicPartition) -> Partition:
        self._must_be_open()
        return self._partitions[at]

    def _place(self, record: NewRecord) -> Partition:
        number = record.partition
        if number is None:
            number = self.partition_for(record.topic, record.key or b"")
        return self._partitions[TopicPartition(record.topic, number)]

    def _offset_at(self, partition: Partition, time_ms: int) -> int:
        offsets = range(partition.start, partition.end)  # Times never go back, so they need no index.
        return partition.start + bisect_left(offsets, time_ms, key=lambda offset: self.time_at(partition, offset))
