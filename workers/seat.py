"""A lane's seat in its group: which partitions are ours, and the commits that make them so.

Nothing is sent that the group's commit does not already cover, so that no work record is ever sent by two workers: a
crash between the commit and the socket loses the request, which the dispatcher's timers see, and repeats none. Whoever
takes a partition over learns from its last 90 s which works were seen, starts at the commit, and sends nothing below.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from cordboard.clock import Clock
from cordboard.log.port import Fenced, Log, LogError, Member, TopicPartition
from cordboard.work import Work, decode_work
from workers.core.attempt import IN_LANE
from workers.membership import RETRY_MS, Membership
from workers.tenancy import Tenancy, WorkId


@dataclass(slots=True, eq=False)
class Taken:
    """A work as it was read from a partition of ours."""

    work: Work
    offset: int
    tenancy: Tenancy
    taken_ms: int
    held: str = IN_LANE  # What kept it so far.
    told_waiting: bool = False


class Seat(Membership):
    """Holds the partitions of one lane."""

    def __init__(
        self,
        *,
        log: Log,
        clock: Clock,
        topic: str,
        memory_ms: int,
        handover_ms: int,
        on_change: Callable[[], None],
        on_trouble: Callable[[str, LogError], None],
    ) -> None:
        super().__init__(log=log, topic=topic, handover_ms=handover_ms, on_change=on_change, on_trouble=on_trouble)
        self._clock = clock
        self._memory_ms = memory_ms
        self._tenancies: dict[int, Tenancy] = {}
        self._commits = asyncio.Lock()  # A revocation waits for the commit under way, then knows what it covers.

    def tenancy(self, partition: int) -> Tenancy | None:
        """The open hold on a partition."""
        return self._tenancies.get(partition)

    def reserved(self) -> int:
        """How many works are reserved and not started."""
        return sum(tenancy.reserved for tenancy in self._tenancies.values())

    def held(self) -> dict[TopicPartition, int | None]:
        """Where each partition held is to be read on; None for one that is not taken over yet."""
        return {TopicPartition(self._topic, number): one.position for number, one in self._tenancies.items()}

    async def assigned(self, partitions: frozenset[int]) -> None:
        """Hold these partitions too. They are taken over by `positions`: the group must not wait for that."""
        for partition in partitions:
            self._tenancies[partition] = Tenancy(partition, self._memory_ms)
        self._change()

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Start nothing more, resend nothing, commit back what was not sent, and let end what is on its way."""
        ending = [self._tenancies.pop(partition) for partition in partitions if partition in self._tenancies]
        for tenancy in ending:
            tenancy.closed.set()
        self._change()
        running = [task for tenancy in ending for task in tenancy.running]
        deadline = asyncio.get_running_loop().time() + self._handover_ms / 1_000
        await self._give_back(ending, deadline)
        if running:
            # What still runs then may report later; it sends nothing again and commits nothing.
            await asyncio.wait(running, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))

    async def positions(self) -> dict[TopicPartition, int]:
        """Take over what is new, and say where to read on, for all partitions held. Raises LogUnavailable."""
        self.changed = False
        for tenancy in list(self._tenancies.values()):
            if tenancy.position is None and self._member is not None:
                await self._take_over(tenancy, self._member)
        held = self._tenancies.items()
        return {TopicPartition(self._topic, n): t.position for n, t in held if t.position is not None}

    async def _take_over(self, tenancy: Tenancy, member: Member) -> None:
        at = TopicPartition(self._topic, tenancy.partition)
        oldest, committed = await self._log.start(at), await member.committed(tenancy.partition)
        position = oldest if committed is None else max(oldest, committed)
        since = await self._log.offset_at(at, self._clock.now_ms() - self._memory_ms)
        if since < position:
            await self._learn(tenancy, at, since, position)
        tenancy.position = position

    async def _learn(self, tenancy: Tenancy, at: TopicPartition, since: int, until: int) -> None:
        """Remember the works below the commit, which are somebody's already."""
        reader = self._log.reader({at: since})
        try:
            while tenancy.open and reader.positions()[at] < until:
                for record in await reader.read(timeout_seconds=1.0):
                    work = readable(record.value)
                    if record.offset < until and work is not None:
                        tenancy.is_first(WorkId.of(work), record.time_ms)
        finally:
            await reader.close()

    async def reserve(self, works: Sequence[Taken], positions: Mapping[Tenancy, int]) -> None:
        """Commit `positions`, and with them these works; tries until the log takes it, unless the tenancy ends.

        Afterwards `Tenancy.start` knows which works are covered.
        """
        while not self._stopped.is_set():
            async with self._commits:
                wanted = {tenancy: offset for tenancy, offset in positions.items() if tenancy.open}
                try:
                    covered = await self._commit(wanted)
                except LogError as error:
                    trouble = error
                else:
                    for taken in works:
                        if taken.tenancy in covered:
                            taken.tenancy.reserve((taken.offset,))
                    return
            await self._trouble("reserve", trouble)

    async def _commit(self, wanted: Mapping[Tenancy, int]) -> set[Tenancy]:
        """Commit offsets and say for which tenancies it holds; a fenced one ends. Raises LogError but Fenced."""
        if not wanted or self._member is None:
            return set()
        try:
            await self._member.commit({tenancy.partition: offset for tenancy, offset in wanted.items()})
        except Fenced as error:
            if len(wanted) > 1:  # One lost partition does not make us lose the others.
                alone = [await self._commit({tenancy: offset}) for tenancy, offset in wanted.items()]
                return set().union(*alone)
            next(iter(wanted)).closed.set()
            self._on_trouble("reserve", error)
            return set()
        return set(wanted)

    async def _give_back(self, ending: Iterable[Tenancy], deadline: float) -> None:
        """Commit the true positions back, for as long as the handover lasts; what fails stays with the timers."""
        async with self._commits:
            for tenancy in ending:
                offset = tenancy.give_back()
                while offset is not None and self._member is not None:
                    try:
                        await self._member.commit({tenancy.partition: offset})
                        break
                    except LogError as error:
                        self._on_trouble("give back", error)
                        if isinstance(error, Fenced) or asyncio.get_running_loop().time() >= deadline:
                            break
                    await asyncio.sleep(RETRY_MS / 1_000)


def readable(value: bytes) -> Work | None:
    """Read a work record's value, or None."""
    try:
        return decode_work(value)
    except msgspec.MsgspecError:
        return None
