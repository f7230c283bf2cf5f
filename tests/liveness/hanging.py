"""A log that stops answering where a test says so, without a word: the thing that liveness is there for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from cordboard.log.port import Appended, Claim, GroupListener, Log, Member, NewRecord, Reader, Record, TopicPartition

VERBS: Final = ("read", "settle", "end", "append", "commit")


class Hanging:
    """Stands before a log. `hang("read", "settle")` has these hang until `go_on`; the rest is as ever."""

    def __init__(self, inner: Log) -> None:
        self._inner = inner
        self._open = {verb: asyncio.Event() for verb in VERBS}
        self.hanging: set[str] = set()  # Who waits in vain at this moment, or did.
        self.go_on()

    def hang(self, *verbs: str) -> None:
        for verb in verbs:
            self._open[verb].clear()

    def go_on(self) -> None:
        self.hanging.clear()
        for event in self._open.values():
            event.set()

    async def passed(self, verb: str) -> None:
        if not self._open[verb].is_set():
            self.hanging.add(verb)
            await self._open[verb].wait()

    @property
    def healthy(self) -> bool:
        return self._inner.healthy

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        await self.passed("append")
        return await self._inner.append(records)

    def partitions(self, topic: str) -> int:
        return self._inner.partitions(topic)

    def partition_for(self, topic: str, key: bytes) -> int:
        return self._inner.partition_for(topic, key)

    async def start(self, at: TopicPartition) -> int:
        return await self._inner.start(at)

    async def end(self, at: TopicPartition) -> int:
        await self.passed("end")
        return await self._inner.end(at)

    async def offset_at(self, at: TopicPartition, time_ms: int) -> int:
        return await self._inner.offset_at(at, time_ms)

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        return _HangingReader(self, self._inner.reader(positions))

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        return _HangingMember(self, await self._inner.join(group, topic, listener, name))

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        return await self._inner.holders(group, topic)

    async def claim(self, partition: int) -> Claim:
        return await self._inner.claim(partition)

    def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        return self._inner.pages(claim)

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        await self.passed("settle")
        await self._inner.settle(claim, pages, outputs, positions)

    async def close(self) -> None:
        await self._inner.close()


class _HangingReader:
    def __init__(self, log: Hanging, inner: Reader) -> None:
        self._log = log
        self._inner = inner

    async def read(self, timeout_seconds: float | None = None, records_max: int = 500) -> list[Record]:
        await self._log.passed("read")
        return await self._inner.read(timeout_seconds, records_max)

    async def read_past(self, time_ms: int) -> bool:
        return await self._inner.read_past(time_ms)

    def positions(self) -> Mapping[TopicPartition, int]:
        return self._inner.positions()

    def interrupt(self) -> None:
        self._inner.interrupt()

    async def close(self) -> None:
        await self._inner.close()


class _HangingMember:
    def __init__(self, log: Hanging, inner: Member) -> None:
        self._log = log
        self._inner = inner

    async def commit(self, offsets: Mapping[int, int]) -> None:
        await self._log.passed("commit")
        await self._inner.commit(offsets)

    async def committed(self, partition: int) -> int | None:
        return await self._inner.committed(partition)

    async def leave(self) -> None:
        await self._inner.leave()
