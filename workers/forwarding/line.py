"""The line of one call: its events posted one after another, each until it is taken or given up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from cordboard.clock import Clock
from cordboard.letters import dead_letter
from cordboard.log.port import Log, LogError, Record
from cordboard.topics import Topics
from workers.core.forwarding import Again, Answer, Backlog, GivenUp, Parcel, Patience, judge
from workers.forwarding.events import Abandoned, Delivered, LogTrouble, Observer, TriedInVain
from workers.forwarding.seat import Hold
from workers.membership import RETRY_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardSettings:
    """What bounds the forwarding of an account; times in milliseconds."""

    account: str
    patience: Patience = field(default_factory=Patience)
    in_hand_max: int = 1_000  # Events in hand of each partition.
    in_hand_bytes_max: int = 16 * 1024 * 1024  # Their bytes; what one read brings may exceed it.
    read_max: int = 100  # Records of one read.
    concurrency: int = 64  # Requests at once.
    handover_ms: int = 3_000  # How long a partition's end may take.


class Poster(Protocol):
    """One request of one event; `workers.forwarding.Endpoint` is the real one."""

    async def post(self, record: Record) -> Answer:
        """Post once; never raises for what the network does."""


class Carrier:
    """Carries the events of calls to an endpoint, so many at once."""

    def __init__(
        self,
        settings: ForwardSettings,
        *,
        log: Log,
        topics: Topics,
        endpoint: Poster,
        clock: Clock,
        rng: random.Random,
        observe: Observer,
    ) -> None:
        self._account = settings.account
        self._patience = settings.patience
        self._slots = asyncio.Semaphore(settings.concurrency)
        # Half of the slots are for what was never tried: however many calls hang, those that do not get on.
        self._slots_again = asyncio.Semaphore(max(1, settings.concurrency // 2))
        self._log = log
        self._dead_letters = topics.dead_letters
        self._endpoint = endpoint
        self._clock = clock
        self._rng = rng
        self._observe = observe

    async def carry(self, hold: Hold, first: Parcel, tried: Callable[[Hold], None]) -> None:
        """See the line of a call to its end, or to the hold's; `tried` is called after each try."""
        backlog = hold.backlog
        assert backlog is not None  # noqa: S101 - what it holds was read.
        parcel: Parcel | None = first
        while parcel is not None:
            came = await self._deliver(hold, backlog, parcel)
            if came is False:
                return
            if came is True:
                parcel = backlog.done(parcel)
            tried(hold)
            if isinstance(came, Again):
                await asyncio.sleep(came.ms / 1_000)

    async def _deliver(self, hold: Hold, backlog: Backlog, parcel: Parcel) -> Again | bool:
        """Try once, unless the hold has ended (False); True where the event is done."""
        async with self._slots_again if parcel.is_failing else nullcontext(), self._slots:
            if hold.closed.is_set():
                return False
            with _on_its_way(hold):
                answer = await self._endpoint.post(parcel.record)
        parcel.tries += 1
        hold.tries += 1
        now_ms = self._clock.now_ms()
        judged = judge(parcel, answer, now_ms, self._patience, self._rng.random())
        if judged is None:
            self._observe(Delivered(parcel, max(0, now_ms - parcel.record.time_ms) / 1_000))
            return True
        backlog.failed(parcel)
        self._observe(TriedInVain(parcel, answer))
        if isinstance(judged, Again):
            return judged
        await self._set_aside(parcel, answer, judged)
        return True

    async def _set_aside(self, parcel: Parcel, answer: Answer, why: GivenUp) -> None:
        """Make a dead letter of an event; it is not done before that is durable."""
        letter = dead_letter(
            self._dead_letters,
            parcel.record,
            f"forwarding to the endpoint of {self._account} was given up: {why.value}",
            f"{parcel.tries} tries, the last one: {answer.result.value} {answer.status or ''}".strip(),
        )
        while True:
            try:
                await self._log.append([letter])
                break
            except LogError as error:
                self._observe(LogTrouble("set aside", str(error)))
                await asyncio.sleep(RETRY_MS / 1_000)
        self._observe(Abandoned(parcel, answer, why))


@contextmanager
def _on_its_way(hold: Hold) -> Iterator[None]:
    """This task is not to be broken off at once where the hold ends."""
    here = asyncio.current_task()
    assert here is not None  # noqa: S101 - a line is a task.
    hold.posting.add(here)
    try:
        yield
    finally:
        hold.posting.discard(here)
