"""The log as the embedded one keeps it: one process holds it, and writes are real when their group's sync has returned.

While one batch is being synced the next one gathers; nothing is shown or acknowledged before. A crash keeps what was
acknowledged, loses what waits, and of the batch in hand keeps everything or nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, Final

from cordboard.log.cruelty import Step
from cordboard.log.groups import Group
from cordboard.log.memory import MemoryLog
from cordboard.log.port import (
    Appended,
    AppendUncertain,
    Claim,
    Fenced,
    GroupListener,
    LogError,
    LogUnavailable,
    Member,
    NewRecord,
    Reader,
    TopicPartition,
)
from simulation.breakage import Breakage, Broken
from simulation.broker import JournalBroker
from simulation.faults import WriteFate
from simulation.loop import Life, Standing
from simulation.reading import DelayedReader

_UNHEARD: Final = frozenset({WriteFate.LOSE, WriteFate.LOSE_ACK, WriteFate.LATE})
_NO_WORD: Final = "the log did not acknowledge a write"


def _failure(fate: WriteFate) -> LogError | None:
    """What a writer is told. Made anew each time: an exception holds on to whoever it was raised in."""
    if fate is WriteFate.REFUSE:
        return LogUnavailable("the log cannot be written")
    return AppendUncertain(_NO_WORD) if fate in _UNHEARD else None


@dataclass(slots=True)
class _Request:
    """What somebody wants written: `check` may refuse it when its batch is gathered, `apply` makes it true."""

    check: Callable[[], None]
    apply: Callable[[], Any]
    done: asyncio.Future[Any]
    fate: WriteFate
    step: Step


class EmbeddedLikeLog(MemoryLog):
    """The log of one life; `disk` is where a sync that has begun goes on, whatever becomes of the process."""

    def __init__(
        self,
        broker: JournalBroker,
        life: Life,
        disk: Life,
        fates: Callable[[Step], WriteFate],
        rng: Random,
        broken: Broken,
    ) -> None:
        super().__init__(broker)
        self._journal = broker
        self._life = life
        self._disk = disk
        self._fates = fates
        self._rng = rng
        self._broken = broken
        self._waiting: list[_Request] = []
        self._syncing_ms: int | None = None
        self._scheduled = False
        self._epochs: dict[int, int] = {}
        self._seats: dict[tuple[str, str], Group] = {}

    def reader(self, positions: Mapping[TopicPartition, int]) -> Reader:
        """See the port."""
        self._must_be_open()
        reader = DelayedReader(self._journal, positions, lambda: 0.0, self._life, self._none_older)
        self._readers[reader] = None
        return reader

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        """See the port."""
        places = [(self._place(record), record) for record in records]
        apply = partial(self._append_all, places)
        appended: list[Appended] = await self._request(Step.APPEND, apply)
        return appended

    def _append_all(self, places: Sequence[tuple[int, NewRecord]]) -> list[Appended]:
        return [self._journal.append(place, record) for place, record in places]

    async def join(self, group: str, topic: str, listener: GroupListener, name: str = "") -> Member:
        """See the port."""
        self._must_be_open()
        seats = self._seats.get((group, topic))
        if seats is None:
            seats = self._seats[group, topic] = Group(group, topic, self.partitions(topic), self)
        return await seats.add(listener, name)

    async def holders(self, group: str, topic: str) -> Mapping[int, str]:
        """See the port."""
        self._must_be_open()
        seats = self._seats.get((group, topic))
        return {} if seats is None else seats.holders()

    async def store_commits(self, offsets: Mapping[tuple[str, str, int], int]) -> None:
        """Store a group's offsets."""
        if Breakage.NO_RESERVATION not in self._broken:
            await self._request(Step.COMMIT, lambda: self._journal.commits.update(offsets))

    def stored_commit(self, key: tuple[str, str, int]) -> int | None:
        """A group's stored offset."""
        return self._journal.commits.get(key)

    async def claim(self, partition: int) -> Claim:
        """See the port. Nothing is ever owed."""
        epoch = await self._request(Step.CLAIM, self._journal.next_number)
        self._epochs[partition] = epoch
        ledger = self._journal.ledger(partition)
        if not ledger.positions:
            ledger.positions = dict.fromkeys(self._journal.inputs, 0)
        return Claim(partition, epoch, dict(ledger.positions))

    async def pages(self, claim: Claim) -> AsyncIterator[tuple[str, bytes]]:
        """See the port. Raises Fenced."""
        self._check(claim)
        for page in list(self._journal.ledger(claim.partition).pages.items()):
            yield page

    async def settle(
        self,
        claim: Claim,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        """See the port. One transaction."""
        apply = partial(self._apply, claim.partition, pages, outputs, positions)
        try:
            await self._request(Step.OWING, apply, partial(self._check, claim))
        except BaseException:
            self._epochs.pop(claim.partition, None)
            raise

    def _apply(
        self,
        partition: int,
        pages: Sequence[tuple[str, bytes | None]],
        outputs: Sequence[NewRecord],
        positions: Mapping[str, int],
    ) -> None:
        ledger = self._journal.ledger(partition)
        for key, page in pages:
            if page is None:
                ledger.pages.pop(key, None)
            else:
                ledger.pages[key] = page
        self._journal.note_decided(partition, outputs, positions)
        ledger.positions |= positions
        if Breakage.TORN in self._broken and self._rng.random() < 0.02:
            self._life.end()  # Between the two halves of what should be one.
            return
        for output in outputs:
            self._journal.append(self._place(output), output)

    def _check(self, claim: Claim) -> None:
        self._must_be_open()
        if self._epochs.get(claim.partition) != claim.epoch:
            raise Fenced(f"partition {claim.partition}: claim {claim.epoch} is void")

    def _none_older(self, time_ms: int) -> bool:
        return self._syncing_ms is None or self._syncing_ms >= time_ms

    async def _request(self, step: Step, apply: Callable[[], Any], check: Callable[[], None] | None = None) -> Any:
        self._must_be_open()
        fate = self._fates(step)
        if fate is WriteFate.STOP_BEFORE:
            self._life.end()
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(check or self._must_be_open, apply, done, fate, step))
        if not self._scheduled and self._syncing_ms is None:
            self._schedule()
        return await done

    def _schedule(self) -> None:
        self._scheduled = True
        asyncio.get_running_loop().call_soon(self._begin, context=self._life.context)

    def _begin(self) -> None:
        """Gather a batch, and have the disk sync it."""
        self._scheduled = False
        waiting, self._waiting = self._waiting, []
        batch: list[_Request] = []
        for request in waiting:
            try:
                request.check()
                batch.append(request)
            except LogError as error:
                _answer(request, None, error)
        if not batch:
            return
        self._syncing_ms = self._journal.now_ms()
        if Breakage.UNSYNCED in self._broken:
            for request in batch:
                if request.step in (Step.APPEND, Step.COMMIT):
                    _answer(request, [Appended(0, 0, self._syncing_ms)], None)
        seconds = self._rng.uniform(0.001, 0.012) if self._rng.random() < 0.97 else self._rng.uniform(0.1, 0.8)
        loop = asyncio.get_running_loop()
        loop.call_later(seconds, self._synced, batch, self._syncing_ms, context=self._disk.context)

    def _synced(self, batch: list[_Request], time_ms: int) -> None:
        """The sync is over: everything in the batch is true or nothing; only the living hear of it."""
        fate = next((one.fate for one in batch if one.fate is not WriteFate.GO), WriteFate.GO)
        failure = LogUnavailable("cut off") if self._life.cut_off else _failure(fate)
        self._syncing_ms = None
        # What died with its process in the middle of the sync is there after it, or not.
        is_kept = failure is None and (not self._is_dead or self._rng.random() < 0.5)
        results = [self._real(request, time_ms) for request in batch] if is_kept else [None] * len(batch)
        if fate is WriteFate.STOP_AFTER:
            self._life.end()
        for request, result in zip(batch, results, strict=True):
            _answer(request, result, failure)
        if self._waiting:
            self._schedule()

    def _real(self, request: _Request, time_ms: int) -> Any:
        with self._journal.writing(f"{self._life.name}: {request.step}", time_ms):
            return request.apply()

    @property
    def _is_dead(self) -> bool:
        return self._life.standing is Standing.DEAD


def _answer(request: _Request, result: Any, error: Exception | None) -> None:
    if request.done.done():
        return
    if error is not None:
        request.done.set_exception(error)
    else:
        request.done.set_result(result)
