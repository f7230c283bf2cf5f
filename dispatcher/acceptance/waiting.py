"""Who waits for what becomes of which command, or of which cancel request.

One task reads the results topic for everybody (cordboard.tail). It looks at a record's headers only, and hands it to
whoever waits under that name; the waiter itself finds out whether it is meant (judging.py). Whoever waits is registered
before the command is appended, so that no result can come too early.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Self

from cordboard.cloudevents import header
from cordboard.log.port import Record
from dispatcher.acceptance.refusals import overloaded
from dispatcher.rendering import CANCELLED_TYPE

WAITERS_MAX: Final = 65_536


class Waiter:
    """One who waits: records gather until they are looked at. Over when its time is, or when the process stops.

    To be closed in the end: it is a context manager.
    """

    __slots__ = ("_heard", "_over", "_place", "_table", "_wake", "has_rivals", "name")

    def __init__(self, table: Waiters, place: dict[bytes, list[Waiter]], name: bytes) -> None:
        self.name = name
        self.has_rivals = False  # Somebody else waited here under the same name meanwhile.
        self._table = table
        self._place = place
        self._heard: deque[Record] = deque()
        self._over = False
        self._wake: asyncio.Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait no more."""
        self._table.remove(self, self._place)

    def hear(self, record: Record) -> None:
        """Something was read that may be meant for it."""
        self._heard.append(record)
        self._stir()

    def give_up(self) -> None:
        """End the wait; what was heard already still counts."""
        self._over = True
        self._stir()

    async def next(self) -> Record | None:
        """The next record; None when the wait is over. For one task at a time."""
        while not self._heard:
            if self._over:
                return None
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        return self._heard.popleft()

    def _stir(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class Waiters:
    """Everybody who waits, by the name under which the headers of a record can be looked up."""

    def __init__(self, waiters_max: int = WAITERS_MAX) -> None:
        self._waiters_max = waiters_max
        self._count = 0
        self._by_command: dict[bytes, list[Waiter]] = {}
        self._by_page: dict[bytes, list[Waiter]] = {}  # For reports of cancel requests.
        self._over = False

    def __len__(self) -> int:
        return self._count

    def for_command(self, command_id: str) -> Waiter:
        """Wait for records about a command id, whichever its call. Raises Refused when too many wait."""
        return self._registered(self._by_command, command_id.encode())

    def for_report(self, page: str) -> Waiter:
        """Wait for reports of cancel requests about a page. Raises Refused when too many wait."""
        return self._registered(self._by_page, page.encode())

    def remove(self, waiter: Waiter, place: dict[bytes, list[Waiter]]) -> None:
        """Forget one who waited; a second time changes nothing."""
        others = place.get(waiter.name, [])
        if waiter not in others:
            return
        others.remove(waiter)
        self._count -= 1
        if not others:
            del place[waiter.name]

    def hear(self, record: Record) -> None:
        """Hand a record of the results topic to those who may be meant."""
        if self._by_command and (name := _command_id(record)):
            for waiter in self._by_command.get(name, ()):
                waiter.hear(record)
        waiting = self._by_page.get(record.key or b"") if self._by_page else None
        if waiting and header(record.headers, "ce_type") == CANCELLED_TYPE:
            for waiter in waiting:
                waiter.hear(record)

    def give_up(self) -> None:
        """End all waits, also those that are still to begin: the process stops."""
        self._over = True
        for place in (self._by_command, self._by_page):
            for waiters in place.values():
                for waiter in waiters:
                    waiter.give_up()

    def _registered(self, place: dict[bytes, list[Waiter]], name: bytes) -> Waiter:
        if self._count >= self._waiters_max:
            raise overloaded(f"{self._count} callers wait for results.")
        waiter = Waiter(self, place, name)
        others = place.setdefault(name, [])
        others.append(waiter)
        if len(others) > 1:
            for one in others:
                one.has_rivals = True
        self._count += 1
        if self._over:
            waiter.give_up()
        return waiter


def _command_id(record: Record) -> bytes:
    for name, value in record.headers:
        if name == "ce_commandid":
            return value
    return b""
