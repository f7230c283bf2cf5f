"""What can be found out of a deployment by one of its dispatchers: words of processes, holders, what is left over.

Each question is bounded and may fail by itself: then the others' answers stand, and what is not known is said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from cordboard.clock import Clock
from cordboard.log.port import Log, LogError, Record, TopicPartition
from cordboard.presence import Heard, Presence, last_words
from cordboard.topics import Topics
from dispatcher.finding import group_of

LOOK_BACK_MS: Final = 120_000  # What said nothing since then has ended, and is forgotten.
ASK_SECONDS_MAX: Final = 6.0
_READ_SECONDS: Final = 0.5

T = TypeVar("T")
OwnWord = Callable[[], Awaitable[Presence]]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found out, and by whom; None: it could not be, and `unknown` (subject, sentence) says why."""

    now_ms: int
    prefix: str
    partitions: int
    accounts: tuple[str, ...]
    paused: frozenset[str]
    own: str
    heard: Mapping[str, Heard]
    holders: Mapping[int, str] | None
    letters: int | None
    unknown: tuple[tuple[str, str], ...] = ()


class Surveyor:
    """Asks. `own_word` is what this process says of itself, which needs no log."""

    def __init__(
        self,
        log: Log,
        topics: Topics,
        accounts: Collection[str],
        clock: Clock,
        *,
        own_word: OwnWord | None = None,
        paused: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._log = log
        self._topics = topics
        self._accounts = tuple(sorted(accounts))
        self._clock = clock
        self._own_word = own_word
        self._paused = paused

    async def survey(self) -> Survey:
        """Ask all there is to ask, side by side."""
        unknown: list[tuple[str, str]] = []
        group = group_of(self._topics)
        own, words, holders, letters = await asyncio.gather(
            self._own(),
            _answer("processes", self._words(), unknown),
            _answer("owners", self._log.holders(group, self._topics.commands), unknown),
            _answer("dead letters", self._letters(), unknown),
        )
        heard, unreadable = words if words is not None else ({}, 0)
        if unreadable:
            unknown.append(("processes", f"{unreadable} of their words cannot be read here: of another version?"))
        now_ms = self._clock.now_ms()
        if own is not None:
            heard = {**heard, own.name: Heard(own, now_ms)}
        return Survey(
            now_ms=now_ms,
            prefix=self._topics.prefix,
            partitions=self._log.partitions(self._topics.commands),
            accounts=self._accounts,
            paused=self._paused(),
            own="" if own is None else own.name,
            heard=heard,
            holders=holders,
            letters=letters,
            unknown=tuple(sorted(unknown)),
        )

    async def _own(self) -> Presence | None:
        return None if self._own_word is None else await self._own_word()

    async def _words(self) -> tuple[dict[str, Heard], int]:
        at = TopicPartition(self._topics.processes, 0)
        start, end = await self._log.offset_at(at, self._clock.now_ms() - LOOK_BACK_MS), await self._log.end(at)
        records: list[Record] = []
        reader = self._log.reader({at: start})
        try:
            while reader.positions()[at] < end:
                records += await reader.read(_READ_SECONDS)
        finally:
            await reader.close()
        return last_words(records)

    async def _letters(self) -> int:
        at = TopicPartition(self._topics.dead_letters, 0)
        return await self._log.end(at) - await self._log.start(at)


async def _answer(subject: str, question: Awaitable[T], unknown: list[tuple[str, str]]) -> T | None:
    try:
        async with asyncio.timeout(ASK_SECONDS_MAX):
            return await question
    except TimeoutError:
        unknown.append((subject, f"the log did not answer within {ASK_SECONDS_MAX:g} s"))
    except LogError as error:
        unknown.append((subject, f"the log does not tell: {error}"))
    return None
