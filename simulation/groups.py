"""Consumer groups as a Kafka broker keeps them: members are known by their heartbeats only.

A dead or frozen member keeps its partitions until the session is over; then they are another's, while a frozen one
still believes that they are its own, until it thaws and is told. A member that lives is asked to give up what moves,
and is waited for, but not for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from random import Random
from typing import Final

from cordboard.log.groups import even_shares
from cordboard.log.port import Fenced, GroupListener
from simulation.loop import Life, Standing

SESSION_SECONDS: Final = 10.0
REVOKE_SECONDS_MAX: Final = 30.0
_HEARTBEAT_SECONDS: Final = 3.0

Commits = dict[tuple[str, str, int], int]


class Place:
    """A member as the broker knows it."""

    def __init__(self, life: Life, listener: GroupListener, name: str) -> None:
        self.life = life
        self.listener = listener
        self.name = name
        self.held: set[int] = set()
        self.leaving: set[int] = set()
        self.seen = 0.0  # When it was last known to live.


class ServedGroup:
    """A group, from the broker's side. `unfenced` breaks the rule that only holders commit, to show that it is one."""

    def __init__(self, broker: Life, name: str, partitions: int, rng: Random, *, unfenced: bool = False) -> None:
        self._broker = broker
        self._name = name
        self._partitions = partitions
        self._rng = rng
        self._unfenced = unfenced
        self._places: list[Place] = []
        self._turn = asyncio.Lock()
        self.commits: dict[int, int] = {}

    async def join(self, life: Life, listener: GroupListener, name: str) -> Place:
        """Seat a member; returns when the group has made room."""
        place = Place(life, listener, name)
        await self._ask(self._seat(place))
        return place

    async def leave(self, place: Place) -> None:
        """Unseat a member that says so itself."""
        await self._ask(self._unseat(place))

    def commit(self, place: Place, offsets: Mapping[int, int]) -> None:
        """Store offsets. Raises Fenced for what the broker has given to another."""
        foreign = sorted(offsets.keys() - place.held)
        if foreign and not self._unfenced:
            raise Fenced(f"group {self._name}: partitions {foreign} are not this member's any more")
        self.commits |= offsets

    def holders(self) -> dict[int, str]:
        """See the port."""
        return {number: place.name for place in self._places for number in sorted(place.held - place.leaving)}

    async def _ask(self, change: Awaitable[None]) -> None:
        """Have the broker do something and wait for it as a client would: the change does not die with who asked."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def see_through() -> None:
            await change
            if not done.done():
                done.set_result(None)

        self._broker.start(see_through())
        await done

    async def _watch(self, place: Place) -> None:
        """Take the partitions of a member whose session is over; tell it when it thaws, and seat it again."""
        loop = asyncio.get_running_loop()
        while place.life.standing is not Standing.DEAD or place in self._places:
            if place.life.is_heard:
                place.seen = loop.time()
                if place not in self._places:
                    return
            elif loop.time() - place.seen >= SESSION_SECONDS and place in self._places:
                lost = await self._expel(place)
                await self._take_back(place, lost)
                return
            await asyncio.sleep(1.0)

    async def _take_back(self, place: Place, lost: frozenset[int]) -> None:
        """A member that was thought dead hears at its next heartbeat what it has lost, and joins anew."""
        while place.life.standing is not Standing.DEAD and not place.life.is_heard:  # noqa: ASYNC110 - as heartbeats do.
            await asyncio.sleep(0.1)
        await asyncio.sleep(self._rng.uniform(0.0, _HEARTBEAT_SECONDS))
        if place.life.standing is Standing.DEAD:
            return
        await _told(place, place.listener.revoked(lost))
        await self._seat(place)

    async def _expel(self, place: Place) -> frozenset[int]:
        async with self._turn:
            lost = frozenset(place.held)
            place.held.clear()
            if place in self._places:
                self._places.remove(place)
            await self._spread()
        return lost

    async def _seat(self, place: Place) -> None:
        async with self._turn:
            if place not in self._places:
                place.seen = asyncio.get_running_loop().time()
                self._places.append(place)
                self._broker.start(self._watch(place))
            await self._spread()

    async def _unseat(self, place: Place) -> None:
        async with self._turn:
            if place in self._places:
                self._places.remove(place)
                await self._take(place, set(place.held))
                await self._spread()

    async def _spread(self) -> None:
        shares = even_shares([place.held for place in self._places], self._partitions)
        moves = list(zip(list(self._places), shares, strict=True))
        await asyncio.gather(*(self._take(place, place.held - share) for place, share in moves))
        for place, share in moves:
            if fresh := share - place.held:
                place.held |= fresh
                place.life.start(_quietly(place.listener.assigned(frozenset(fresh))))

    async def _take(self, place: Place, partitions: set[int]) -> None:
        """Ask for partitions back; who does not answer within its session, or for ever, is not waited for."""
        if partitions:
            place.leaving = partitions
            await _told(place, place.listener.revoked(frozenset(partitions)))
            place.held -= partitions
            place.leaving = set()


async def _quietly(call: Awaitable[None]) -> None:
    await call


async def _told(place: Place, call: Awaitable[None]) -> None:
    loop = asyncio.get_running_loop()
    task = place.life.start(_quietly(call))
    began = silent_since = loop.time()
    while not task.done() and loop.time() - began < REVOKE_SECONDS_MAX:
        if place.life.is_heard:
            silent_since = loop.time()
        elif loop.time() - silent_since >= SESSION_SECONDS:
            return
        await asyncio.sleep(0.05)
