"""A log whose values are sealed: it stands before a log of any kind, and is itself one.

Sealed are the values of the topics that it is told, and all pages; keys and headers stay as they are, because logs
place, compact and route by them, and are bound to the value instead. What was written before a topic was sealed, or
while it was, is read either way.

Rule 1: a value that cannot be opened in a sealed topic is never passed over. Its reader returns what stands before it,
and raises Unopened from then on, where it stands, until the key is there; and so do the pages of a claim.
Rule 2: in other topics anybody may write what only looks sealed. What does not open there is handed on as it stands,
and becomes what any record becomes that nobody can read.

Without a key nothing is sealed; what is found sealed is then told of by the same rules.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Final

from cordboard.log.port import (
    Appended,
    Claim,
    GroupListener,
    Log,
    Member,
    NewRecord,
    Reader,
    Record,
    TopicPartition,
)
from cordboard.log.sealing import Sealing, Unopened, place

Observer = Callable[[str, str], None]
"""Told of a topic in which a value does not open, and why."""


def _ignore(topic: str, why: str) -> None:
    pass


class SealedLog:
    """See the port for what is not said here. `ledger` is the name under which pages are sealed."""

    def __init__(
        self, inner: Log, sealing: Sealing, topics: Collection[str], ledger: str, observe: Observer = _ignore
    ) -> None:
        self._inner: Final = inner
        self._sealing = sealing
        self._topics = frozenset(topics)
        self._ledger = ledger
        self._observe = observe

    @property
    def healthy(self) -> bool:
        """See the port."""
        return self._inner.healthy

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See the port."""
        return await self._inner.append(self._sealed(records))

    def partitions(self, topic: str) -> int:
        """See the port."""
        return self._inner.partitions(topic)

    def partition_for(self, topic: str, key: bytes) -> int:
        """See the port."""
        return self._inner.partition_for(topic, key)

    async def start(self, at: TopicPartition) -> int:
        """See the port."""
        return await self._inner.start(at)

    async def end(self, at: TopicPartition) -> int:
        """See the port."""
        return await self._inner.end(at)

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        """See the port."""
        return await self._inner.offset_at(at, time_ms)

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See the port. Its `read` raises Unopened."""
        return SealedReader(self._inner.reader(positions), self._opened)

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        """See the port."""
        return await self._inner.join(group, topic, listener, name)

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        """See the port."""
        return await self._inner.holders(group, topic)

    async def claim(self, partition: int) -> Claim:
        """See the port."""
        return await self._inner.claim(partition)

    async def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        """See the port. Raises Unopened."""
        async for key, value in self._inner.pages(claim):
            try:
                yield key, self._opened_page(key, value)
            except Unopened as error:
                self._observe(self._ledger, error.why)
                raise Unopened(error.why, f"a page of partition {claim.partition} {error}") from None

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        """See the port. What pages owe is sealed with them, and sent again as it was sealed."""
        sealed = [(key, None if value is None else self._page(key, value)) for key, value in pages]
        await self._inner.settle(claim, sealed, self._sealed(outputs), positions)

    async def close(self) -> None:
        """See the port."""
        await self._inner.close()

    def _page(self, key: str, value: bytes) -> bytes:
        return self._sealing.seal(place(self._ledger, key.encode()), value) if self._sealing.newest else value

    def _opened_page(self, key: str, value: bytes) -> bytes:
        if not self._sealing.concerns(value, is_strict=True):
            return value
        return self._sealing.open(place(self._ledger, key.encode()), value)

    def _sealed(self, records: Sequence[NewRecord]) -> Sequence[NewRecord]:
        if not self._sealing.newest:
            return records
        return [self._sealed_record(one) if one.topic in self._topics else one for one in records]

    def _sealed_record(self, one: NewRecord) -> NewRecord:
        value = self._sealing.seal(place(one.topic, one.key, one.headers), one.value)
        return NewRecord(one.topic, one.key, value, one.headers, one.partition)

    def _opened(self, record: Record) -> Record:
        is_strict = record.topic in self._topics
        if not self._sealing.concerns(record.value, is_strict=is_strict):
            return record
        try:
            value = self._sealing.open(place(record.topic, record.key, record.headers), record.value)
        except Unopened as error:
            if not is_strict:
                return record
            self._observe(record.topic, error.why)
            where = f"{record.topic}/{record.partition}/{record.offset}"
            raise Unopened(error.why, f"the record {where} {error}") from None
        at, time_ms = (record.topic, record.partition, record.offset), record.time_ms
        return Record(*at, time_ms, record.key, value, record.headers)


class SealedReader:
    """Opens what another reader reads."""

    def __init__(self, inner: Reader, opened: Callable[[Record], Record]) -> None:
        self._inner = inner
        self._opened = opened
        self._held: list[Record] = []  # Read, and not returned; the first of them could not be opened.

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        """See the port. Raises Unopened, as long as what comes next cannot be opened."""
        if not self._held:
            self._held = await self._inner.read(timeout_seconds, records_max)
        returned: list[Record] = []
        try:
            for record in self._held[:records_max]:
                returned.append(self._opened(record))  # noqa: PERF401 - what came before one that fails is returned.
        except Unopened:
            if not returned:
                raise
        self._held = self._held[len(returned) :]
        return returned

    async def read_past(self, time_ms: int) -> bool:
        """See the port."""
        return not any(record.time_ms < time_ms for record in self._held) and await self._inner.read_past(time_ms)

    def positions(self) -> Mapping[TopicPartition, int]:
        """See the port."""
        return {**self._inner.positions(), **{record.source: record.offset for record in reversed(self._held)}}

    def interrupt(self) -> None:
        """See the port."""
        self._inner.interrupt()

    async def close(self) -> None:
        """See the port."""
        await self._inner.close()
