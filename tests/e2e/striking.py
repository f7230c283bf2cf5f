"""Doing what a list of faults says, to pieces and brokers, and healing it meanwhile.

A fault is done at its moment; what heals it goes on in a task, so faults overlap. Two things wait: who is struck again
has come back first, and a broker is struck only when the one before is a full member again, because with two of three
away nothing is promised but that nothing is lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Final

from brokers import Cluster
from brokers.node import Node
from tests.e2e.apart import NAMES, Pieces, ready, up
from tests.e2e.faults import Deed, Fault
from tests.e2e.process import Died, Process
from tests.e2e.replicas import Replicas

_STORM_MEMBERS: Final = 3
_STORM_PAUSE_SECONDS: Final = 1.0
_STARTS_MAX: Final = 3


class Striker:
    """Strikes; `async with` heals everything in the end."""

    def __init__(self, pieces: Pieces, cluster: Cluster, ledger: str) -> None:
        self._pieces = pieces
        self._cluster = cluster
        self._ledger = ledger
        self._replicas = Replicas(cluster.bootstrap_servers)
        self._healing: dict[str, asyncio.Task[None]] = {}
        self.thaws: list[float] = []  # Of workers; Unix seconds.
        self.did_not_start = 0  # Starts that ended by themselves, while brokers were away, and were made again.

    async def strike(self, fault: Fault) -> str:
        """Do it now; says whom it met."""
        if fault.partition is not None:
            await self._free("brokers")
            await self._replicas.in_sync()
            node = self._cluster.node(await self._replicas.leader(self._ledger, fault.partition))
            self._begin("brokers", self._broker(fault, node))
            return f"broker {node.number}"
        await self._free(fault.target)
        if fault.deed is Deed.STORM:
            self._begin(f"a storm of {fault.target}s", self._storm(fault.target))
        else:
            self._begin(fault.target, self._piece(fault, self._pieces[fault.target]))
        return fault.target

    async def healed(self) -> None:
        """Return when all are back. Raises what went wrong with it."""
        for name in list(self._healing):
            await self._free(name)
        await self._replicas.in_sync()
        await asyncio.gather(*(ready(self._pieces[name]) for name in NAMES))

    async def close(self) -> None:
        """Leave things as they are."""
        for task in self._healing.values():
            task.cancel()
        await asyncio.gather(*self._healing.values(), return_exceptions=True)

    def check(self) -> None:
        """Raise what has ended a healing, and Died where a piece ended by itself."""
        for task in self._healing.values():
            if task.done():
                task.result()
        for name in NAMES:  # Those of a storm are its own affair.
            if name not in self._healing or self._healing[name].done():
                self._pieces[name].check()

    def _begin(self, name: str, healing: Coroutine[Any, Any, None]) -> None:
        self._healing[name] = asyncio.create_task(healing, name=name)

    async def _free(self, name: str) -> None:
        if name in self._healing:
            await self._healing[name]

    async def _piece(self, fault: Fault, piece: Process) -> None:
        if fault.deed is Deed.FREEZE:
            piece.freeze()
            await asyncio.sleep(fault.seconds)
            piece.thaw()
            if piece.name.startswith("worker"):
                self.thaws.append(time.time())
            return
        if fault.deed is Deed.KILL:
            piece.kill()
            await asyncio.sleep(fault.seconds)
        else:
            await stopped(piece)
        piece.start()
        await self._up(piece)

    async def _up(self, piece: Process) -> None:
        """Wait for a piece; start it again, as a supervisor would, where it could not reach the cluster."""
        for starts_left in reversed(range(_STARTS_MAX)):
            try:
                await up(piece)
                return
            except Died:
                if not starts_left:
                    raise
                self.did_not_start += 1
                piece.abandon()
                piece.start()

    async def _storm(self, role: str) -> None:
        """Members of the same groups come, one after another, and go as soon as they are there, well or not."""
        members = [self._pieces.another(role) for _ in range(_STORM_MEMBERS)]
        for member in members:
            member.start()
            await asyncio.sleep(_STORM_PAUSE_SECONDS)
        for number, member in enumerate(members):
            await self._up(member)
            if number % 2:
                member.kill()
            else:
                await stopped(member)

    async def _broker(self, fault: Fault, node: Node) -> None:
        if fault.deed is Deed.FREEZE:
            await asyncio.to_thread(node.freeze)
            await asyncio.sleep(fault.seconds)
            node.thaw()
            return
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(fault.seconds)
        await asyncio.to_thread(node.restart)


async def stopped(piece: Process) -> None:
    """Ask a piece to stop; it must do so well."""
    status = await piece.stop()
    assert status == 0, f"{piece.name} stopped with status {status}:\n{piece.last_words()}"
