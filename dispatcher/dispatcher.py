"""The dispatcher of one process: a seat in the group, and an owner for every partition that comes with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from cordboard.liveness import Post
from cordboard.log.port import Log, LogError, LogUnavailable, Member, PositionsLost, TopicPartition
from cordboard.topics import Topics
from dispatcher.core.page import Page
from dispatcher.finding import NotOwned, group_of
from dispatcher.owner import Owner

_log = structlog.get_logger(__name__)


REPORT_SECONDS: Final = 5.0
SEAT_SECONDS_MAX: Final = 1.0  # How long an owner waits for the seat, which may be waiting for the owner to let go.


class Dispatcher:
    """Owns what the group gives it. `make_owner` makes the owner of a partition."""

    def __init__(self, log: Log, topics: Topics, make_owner: Callable[[int], Owner]) -> None:
        self._log = log
        self._topics = topics
        self._make_owner = make_owner
        self._owners: dict[int, tuple[Owner, asyncio.Task[None]]] = {}
        self._retired: dict[int, Owner] = {}  # Until the group has spread anew: most of them come back, pages and all.
        self._member: Member | None = None
        self._seated = asyncio.Event()
        self._reporting: asyncio.Task[None] | None = None

    async def start(self, name: str = "") -> None:
        """Take a seat; partitions come as the group decides.

        `name` is the address (host:port) at which the other dispatchers reach this process's door.
        """
        self._member = await self._log.join(group_of(self._topics), self._topics.commands, self, name)
        self._seated.set()
        self._reporting = asyncio.create_task(self._report(), name="the dispatcher's lag")

    async def stop(self) -> None:
        """Settle what is in hand and give everything up."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.wait((self._reporting,))
        if self._member is not None:
            await self._member.leave()
            self._member = None

    async def assigned(self, partitions: frozenset[int]) -> None:
        """Start owning these."""
        retired, self._retired = self._retired, {}
        for partition in sorted(partitions):
            owner = retired.get(partition) or self._make_owner(partition)
            task = asyncio.create_task(
                owner.run(self._still_ours, self._may_begin), name=f"owner of partition {partition}"
            )
            task.add_done_callback(_say_if_it_failed)
            self._owners[partition] = (owner, task)

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Stop owning these, after the batch in hand."""
        leaving = {number: self._owners.pop(number) for number in sorted(partitions) if number in self._owners}
        for owner, _ in leaving.values():
            owner.stop()
        await asyncio.gather(*(task for _, task in leaving.values()), return_exceptions=True)
        self._retired = {number: owner for number, (owner, _) in leaving.items()}

    async def _still_ours(self, partition: int, settled: Mapping[str, int]) -> None:
        """Only who still has a seat can commit."""
        if self._member is None:
            raise LogUnavailable("the seat in the group is not taken yet")
        reached = settled.get(self._topics.commands)
        if reached is None:  # Nothing was claimed yet: what the group remembers must stay.
            reached = await self._member.committed(partition) or 0
        await self._member.commit({partition: reached})

    async def _may_begin(self, partition: int, positions: Mapping[str, int]) -> None:
        """A ledger that knows of no command, where the group has settled some, is not the one that was written."""
        if positions.get(self._topics.commands):
            return
        try:
            async with asyncio.timeout(SEAT_SECONDS_MAX):
                await self._seated.wait()
        except TimeoutError:
            pass
        if self._member is None:
            raise LogUnavailable("the seat in the group is not taken yet")
        if settled := await self._member.committed(partition):
            raise PositionsLost(
                f"partition {partition} of {self._topics.ledger} says that no command was read yet, and group "
                f"{group_of(self._topics)} has settled all before {settled}: the ledger has lost its records, or is "
                "another topic of the same name. To go on would do everything a second time. Put the old ledger back, "
                "or begin with another log.topic_prefix"
            )

    async def _report(self) -> None:
        """Commit now and then how far the commands are settled: the group's lag is for people and autoscalers only."""
        told: dict[int, int] = {}
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            reached = {
                number: owner.settled.get(self._topics.commands, 0) for number, (owner, _) in self._owners.items()
            }
            news = {number: offset for number, offset in reached.items() if offset and told.get(number) != offset}
            if news and self._member is not None:
                try:
                    await self._member.commit(news)
                    told = reached
                except LogError:
                    pass  # The next one says it.

    async def find(self, key: str) -> Page | None:
        """A page once everything accepted before is applied. Raises NotOwned, Restoring, or LogError.

        Of pages of this process only: nobody else is asked.
        """
        partition = self._log.partition_for(self._topics.commands, key.encode())
        held = self._owners.get(partition)
        if held is None:
            raise NotOwned(f"partition {partition} is not owned by this process")
        return await held[0].find(key)

    def look_again(self) -> None:
        """Operators want something else than before: have all owners look at what waits."""
        for owner, _ in self._owners.values():
            owner.look_again()

    @property
    def posts(self) -> list[Post]:
        """What this process holds, for who looks whether it goes on."""
        return [self._post(number, owner, task) for number, (owner, task) in self._owners.items()]

    def _post(self, partition: int, owner: Owner, task: asyncio.Task[None]) -> Post:
        reached = {TopicPartition(topic, partition): owner.settled.get(topic) for topic in self._topics.inputs}
        # One that broke off is restoring nothing, whatever it did when it did.
        return Post(partition, reached, excuse="restored" if owner.is_restoring and not task.done() else "")

    @property
    def broken(self) -> tuple[int, ...]:
        """The partitions whose owner broke off: they stand still until the process is started anew."""
        return tuple(partition for partition, (_, task) in self._owners.items() if task.done())

    @property
    def restoring(self) -> tuple[int, ...]:
        """The partitions that are owned and not served yet."""
        return tuple(
            partition
            for partition, (owner, task) in self._owners.items()
            if not owner.restored.is_set() and not task.done()
        )

    @property
    def owned(self) -> tuple[int, ...]:
        """The partitions that are owned."""
        return tuple(self._owners)

    @property
    def holdings(self) -> dict[int, int]:
        """By partition owned, how many pages it has, or has so far."""
        return {partition: owner.pages for partition, (owner, _) in self._owners.items()}

    @property
    def pages(self) -> int:
        """How many pages the owned partitions have."""
        return sum(owner.pages for owner, _ in self._owners.values())

    async def settled(self) -> None:
        """Return when every owned partition is served."""
        await asyncio.gather(*(owner.restored.wait() for owner, _ in self._owners.values()))


def _say_if_it_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("an owner broke off; its partition stands still", task=task.get_name(), exc_info=error)
