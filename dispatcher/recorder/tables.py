"""The tables: batches of records written once, however often they are tried; calls searched, told and forgotten.

Rule 1: records and the positions behind them are written in one transaction, so a batch is there once or not at all.
Rule 2: a batch is written only where the positions are those that it begins at. Whoever else recorded meanwhile (a
recorder that slept through its loss, or that does not know of it yet) has moved them: then nothing is written.
Rule 3: a call's row is written before its entries, and asked then whether it is forgotten. Who forgets writes the same
row first: so of two at the same time the second waits, and sees what the first has done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from cordboard.log.port import TopicPartition
from dispatcher.recorder.database import Database, Session, migrate
from dispatcher.recorder.reading import Reading
from dispatcher.recorder.story import Entry, Story, joined, name_of

ENTRIES_MAX: Final = 5_000  # Of one call, the latest.
_NEVER_MS: Final = 1 << 62


class Overtaken(Exception):
    """Another recorder has written what this one was about to."""


@dataclass(frozen=True, slots=True)
class Move:
    """How far a partition is recorded with a batch; `missed` offsets before it were gone from the log."""

    at: TopicPartition
    begin: int
    end: int
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which calls are meant, the latest first: "" and 0 do not matter. `before`: those that come after this one."""

    number: str = ""
    account: str = ""
    outcome: str = ""
    start_ms: int = 0
    end_ms: int = 0
    before_ms: int = 0
    before_call: str = ""
    count: int = 50


class Tables:
    """The tables in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[TopicPartition, int] = {}

    async def prepare(self) -> None:
        """Create or change the tables, where that is due. Raises TablesUnavailable, TablesUnusable."""
        await migrate(self._database)

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    async def positions(self, starts: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """From where each of these partitions is to be recorded on: where it was never, from where it starts."""
        async with self._database.transaction() as session:
            known = await self._sources(session)
            for at in starts.keys() - known.keys():
                await session.rows("add_source", at.topic, at.partition, starts[at])
            if not starts.keys() <= known.keys():
                known = await self._sources(session)
        return {at: known[at] for at in starts}

    async def _sources(self, session: Session) -> dict[TopicPartition, int]:
        rows = await session.rows("sources")
        self._ids = {TopicPartition(topic, part): ident for ident, topic, part, _ in rows}
        return {TopicPartition(topic, part): place for _, topic, part, place in rows}

    async def write(self, readings: Sequence[Reading], moves: Iterable[Move]) -> None:
        """Write a batch. Raises Overtaken, and TablesUnavailable: then it is not known whether it was written."""
        stories = _stories(readings)
        async with self._database.transaction() as session:
            for move in sorted(moves, key=lambda move: move.at):
                if not await session.rows("advance", move.end, move.missed, self._ids[move.at], move.begin):
                    raise Overtaken(f"{move.at.topic}/{move.at.partition} is recorded further than to {move.begin}")
            # In one order, whoever writes: two recorders may tell of one call, and must not wait for each other.
            told = await session.many("tell_story", [_story_row(stories[call]) for call in sorted(stories)])
            dialled = sorted(story.call for story in stories.values() if story.dial)
            after = await session.many("take_after_dial", [(call,) for call in dialled])
            await session.many("forget_entries", [(call,) for call, forgotten_ms in after if forgotten_ms])
            told += after
            forgotten = frozenset(call for call, forgotten_ms in told if forgotten_ms)
            await session.many("add_entry", [self._row(entry, forgotten) for entry, _ in readings])

    def _row(self, entry: Entry, forgotten: frozenset[str]) -> tuple[object, ...]:
        ident = self._ids[TopicPartition(entry.topic, entry.part)]
        return (ident, entry.place, *_outline(entry), "" if entry.call in forgotten else entry.content)

    async def story(self, call: str) -> tuple[Story | None, list[Entry]]:
        """A call and what was recorded of it and of the dial that it came from, oldest first."""
        async with self._database.transaction() as session:
            found = await session.rows("story", name_of(call))
            if not found:
                return None, []
            story = Story(**dict(zip(_STORY, found[0], strict=True)))
            rows = await session.rows("entries", story.call, ENTRIES_MAX)
            if story.dial and story.dial != story.call:
                rows += await session.rows("entries", story.dial, ENTRIES_MAX)
        entries = [Entry(**dict(zip(_ENTRY, row, strict=True))) for row in rows]
        return story, sorted(entries, key=lambda entry: (entry.time_ms, entry.topic, entry.part, entry.place))

    async def search(self, wanted: Search) -> list[Story]:
        """Calls, the latest first."""
        # One bound, the nearer one: of two an index would use any.
        last_ms = min((wanted.end_ms or _NEVER_MS) - 1, wanted.before_ms or _NEVER_MS)
        behind = (wanted.before_ms or _NEVER_MS, wanted.before_call)
        values = (wanted.account, wanted.outcome, wanted.start_ms, last_ms, *behind, wanted.count)
        async with self._database.transaction() as session:
            if wanted.number:
                rows = [
                    row
                    for query in ("by_caller", "by_callee")
                    for row in await session.rows(query, *values, wanted.number)
                ]
            else:
                named = [name for name in ("account", "outcome") if getattr(wanted, name)]
                rows = list(await session.rows("by_" + ("_and_".join(named) or "time"), *values))
        found = {row[0]: Story(**dict(zip(_STORY, row, strict=True))) for row in rows}
        latest = sorted(found.values(), key=lambda story: (story.first_ms, story.call), reverse=True)
        return latest[: wanted.count]

    async def forget(self, call: str, now_ms: int) -> int | None:
        """Take away a call's contents, and its dial's; how many entries had some, None where there is no such call."""
        async with self._database.transaction() as session:
            found = await session.rows("story", name_of(call))
            if not found:
                return None
            story, count = Story(**dict(zip(_STORY, found[0], strict=True))), 0
            for name in sorted({story.call, story.dial or story.call, story.led_to or story.call}):
                await session.rows("forget_story", name, now_ms)
                count += len(await session.rows("forget_entries", name))
            return count

    async def drop_older(self, before_ms: int, count: int) -> int:
        """Drop up to so many calls of which nothing was recorded since; how many there were."""
        async with self._database.transaction() as session:
            old = [call for (call,) in await session.rows("old_stories", before_ms, count)]
            dropped = [call for call in old if await session.rows("drop_story", call, before_ms)]
            await session.many("drop_entries", [(call,) for call in dropped])
        return len(dropped)


_STORY: Final = tuple(Story.__dataclass_fields__)
_ENTRY: Final = tuple(Entry.__dataclass_fields__)
_story_row: Final = attrgetter(*_STORY[:-1])  # All but that it is forgotten: who records does not say so.
_outline: Final = attrgetter(*_ENTRY[3:-1])


def _stories(readings: Iterable[Reading]) -> dict[str, Story]:
    """What a batch tells of each call."""
    told: dict[str, Story] = {}
    for _, stories in readings:
        for story in stories:
            known = told.get(story.call)
            told[story.call] = story if known is None else joined(known, story)
    return told
