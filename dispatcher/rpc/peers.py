"""Every page, wherever its owner is: the own dispatcher is asked first, and where it does not own it, who does.

Who holds which partition is the group's to say, and is remembered: what is remembered may be wrong, for a process
answers only for what it owns. So one that says that the page is not its own, or does not answer, has the group asked
anew, and then whoever holds the partition by now is asked, once. Whatever comes of that is the answer; a second
disagreement is a rebalance, and who asked comes again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import Final, Protocol

import msgspec
import structlog

from cordboard.log.port import Log, LogError
from cordboard.topics import Topics
from dispatcher.core import page as pages
from dispatcher.core.page import Page
from dispatcher.finding import Finder, NotOwned, Restoring, group_of
from dispatcher.rpc.answering import Question, Word, decode_answer, encode
from dispatcher.rpc.channels import Unreachable
from dispatcher.rpc.events import Forwarded, Observer

ELSEWHERE_SECONDS_MAX: Final = 8.0  # Two questions and two looks at the group.
LOOK_SECONDS_MAX: Final = 30.0  # How old what is known of the group may be before it is used.

_log = structlog.get_logger(__name__)


class Ways(Protocol):
    """The ways to peers, by their names in the group."""

    async def ask(self, name: str, question: bytes) -> bytes:
        """Bring a question to a peer, and its answer back. Raises Unreachable."""

    def keep(self, names: Collection[str]) -> None:
        """Close the ways to all others."""


class Peers:
    """A finder for all pages. `own` knows those of this process, and raises NotOwned for the others'."""

    def __init__(self, log: Log, topics: Topics, own: Finder, ways: Ways, observe: Observer) -> None:
        self._log = log
        self._topic = topics.commands
        self._group = group_of(topics)
        self._own = own
        self._ways = ways
        self._observe = observe
        self._holders: Mapping[int, str] = {}
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[Mapping[int, str]] | None = None

    async def find(self, key: str) -> Page | None:
        """A page once everything accepted before is applied. Raises LogError where that cannot be told."""
        try:
            return await self._own.find(key)
        except NotOwned:
            pass
        try:
            async with asyncio.timeout(ELSEWHERE_SECONDS_MAX):
                return await self._find_elsewhere(key)
        except TimeoutError as error:
            raise Unreachable("the group, or the owner of the page, took too long to answer") from error

    async def _find_elsewhere(self, key: str) -> Page | None:
        partition = self._log.partition_for(self._topic, key.encode())
        holder = self._remembered(partition) or await self._look_for(partition)
        try:
            return await self._ask(holder, key)
        except (NotOwned, Unreachable) as refused:
            now = await self._look_for(partition)
            if now == holder and isinstance(refused, Unreachable):
                raise
        try:
            return await self._ask(now, key)
        except NotOwned:
            if now == holder:
                _log.warning(
                    "a dispatcher denies what the group says it owns; said again and again, it means that two of them "
                    "give the same address in grpc.advertise",
                    address=now,
                    partition=partition,
                )
            raise

    async def _ask(self, name: str, key: str) -> Page | None:
        outcome = "unreachable"
        try:
            answer = decode_answer(await self._ways.ask(name, encode(Question(self._group, key))))
            outcome = answer.word.value
            match answer.word:
                case Word.FOUND:
                    return pages.decode(answer.page)
                case Word.NONE:
                    return None
                case Word.NOT_OWNED:
                    raise NotOwned(f"the dispatcher at {name} does not own the page")
                case Word.RESTORING:
                    raise Restoring(f"the dispatcher at {name} is reading its state back")
                case Word.FAILED:
                    raise LogError(f"the dispatcher at {name} cannot tell now")
        except msgspec.MsgspecError as error:
            outcome = "failed"
            raise LogError(f"the dispatcher at {name} gave an answer that is not understood here") from error
        finally:
            self._observe(Forwarded(outcome))

    def _remembered(self, partition: int) -> str | None:
        if asyncio.get_running_loop().time() - self._looked_at > LOOK_SECONDS_MAX:
            return None
        return self._holders.get(partition)

    async def _look_for(self, partition: int) -> str:
        """Ask the group who holds a partition; those who ask at the same time share one look."""
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._look())
            self._looking.add_done_callback(self._looked)
        holder = (await asyncio.shield(self._looking)).get(partition)
        if holder is None:
            raise NotOwned(f"partition {partition} has no owner now: it is being moved")
        return holder

    async def _look(self) -> Mapping[int, str]:
        began = asyncio.get_running_loop().time()
        self._holders = await self._log.holders(self._group, self._topic)
        self._looked_at = began
        if len(self._holders) == self._log.partitions(self._topic):
            self._ways.keep(frozenset(self._holders.values()))  # While something moves nobody is known to be gone.
        return self._holders

    def _looked(self, task: asyncio.Task[Mapping[int, str]]) -> None:
        self._looking = None
        if not task.cancelled():
            task.exception()  # Whoever asked has seen it, or has gone.
