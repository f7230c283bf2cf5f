"""The dispatcher of one process: a seat in the group, and an owner for every partition that comes with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from cordboard.log.port import Log, LogError, Member
from cordboard.topics import Topics
from dispatcher.core.page import Page
from dispatcher.owner import Owner

_log = structlog.get_logger(__name__)


class NotOwned(LogError):
    """The partition of the page is not this process's now."""


class Dispatcher:
    """Owns what the group gives it. `make_owner` makes the owner of a partition."""

    def __init__(self, log: Log, topics: Topics, make_owner: Callable[[int], Owner]) -> None:
        self._log = log
        self._topics = topics
        self._make_owner = make_owner
        self._owners: dict[int, tuple[Owner, asyncio.Task[None]]] = {}
        self._member: Member | None = None

    async def start(self, name: str = "") -> None:
        """Take a seat; partitions come as the group decides.

        `name` is the address (host:port) at which the other dispatchers reach this process's door.
        """
        group = f"{self._topics.prefix}.dispatcher"
        self._member = await self._log.join(group, self._topics.commands, self)

    async def stop(self) -> None:
        """Settle what is in hand and give everything up."""
        if self._member is not None:
            await self._member.leave()
            self._member = None

    async def assigned(self, partitions: frozenset[int]) -> None:
        """Start owning these."""
        for partition in sorted(partitions):
            owner = self._make_owner(partition)
            task = asyncio.create_task(owner.run(), name=f"owner of partition {partition}")
            task.add_done_callback(_say_if_it_failed)
            self._owners[partition] = (owner, task)

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Stop owning these, after the batch in hand."""
        leaving = [self._owners.pop(partition) for partition in sorted(partitions) if partition in self._owners]
        for owner, _ in leaving:
            owner.stop()
        await asyncio.gather(*(task for _, task in leaving), return_exceptions=True)

    async def find(self, key: str) -> Page | None:
        """A page once everything accepted before is applied. Raises NotOwned, or LogError when it cannot be told."""
        partition = self._log.partition_for(self._topics.commands, key.encode())
        held = self._owners.get(partition)
        if held is None:
            raise NotOwned(f"partition {partition} is not owned by this process")
        return await held[0].find(key)

    @property
    def restoring(self) -> tuple[int, ...]:
        """The partitions that are owned and not served yet."""
        return tuple(partition for partition, (owner, _) in self._owners.items() if not owner.restored.is_set())

    @property
    def owned(self) -> tuple[int, ...]:
        """The partitions that are owned."""
        return tuple(self._owners)

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
