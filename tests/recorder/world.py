"""A log with calls on it, whoever records it, and what the tables must hold then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import Log, NewRecord, Record, TopicPartition
from cordboard.roles.recorder import recorded_topics
from cordboard.topics import Topics
from dispatcher.accounts import Accounts
from dispatcher.recorder.contents import Masking
from dispatcher.recorder.database import Database
from dispatcher.recorder.events import Event, Recorded
from dispatcher.recorder.reading import Interpreter
from dispatcher.recorder.recorder import Recorder
from dispatcher.recorder.story import Entry
from dispatcher.recorder.tables import Tables

TOPICS = Topics("t")
PARTITIONS = 2
RECORDED = recorded_topics(TOPICS, ["main"])
ACCOUNTS = Accounts(addresses={"main": None}, default="main")
ALL_ENTRIES = """
SELECT source.topic, source.part, entry.place, entry.call, entry.time_ms, entry.kind, entry.command_id, entry.account,
    entry.action, entry.state, entry.reason, entry.sender, entry.attempt, entry.content
FROM entry JOIN source ON source.id = entry.source ORDER BY source.topic, source.part, entry.place
"""


class World:
    """A log, and the recorders that were started on it."""

    def __init__(self, log: EmbeddedLog) -> None:
        self.log = log
        self.events: list[Event] = []
        self._recorders: list[Recorder] = []

    @classmethod
    async def open(cls, path: Path) -> Self:
        """With an empty log."""
        path.mkdir(exist_ok=True)  # noqa: ASYNC240 - before anything runs
        specs = TOPICS.specs(["main"], PARTITIONS)
        return cls(await EmbeddedLog.open(path / "log.sqlite3", specs, PARTITIONS, SystemClock(), TOPICS.inputs))

    async def close(self) -> None:
        """Stop all of it."""
        for recorder in self._recorders:
            with suppress(Exception):
                await recorder.stop()
        await self.log.close()

    async def write(self, *records: NewRecord) -> None:
        """Something happens."""
        await self.log.append(records)

    async def recorder(self, database: Database, **more: Any) -> Recorder:
        """Somebody who records."""
        recorder = Recorder(
            self.log,
            Tables(database),
            interpreter(),
            RECORDED,
            "t.recorder",
            self.events.append,
            **{"records_max": 7, **more},
        )
        self._recorders.append(recorder)
        await recorder.start()
        return recorder

    @property
    def written(self) -> int:
        """How many entries were written, by their own account."""
        return sum(sum(event.kinds.values()) for event in self.events if isinstance(event, Recorded))

    async def expected(self) -> list[Entry]:
        """What the tables must hold."""
        return await told_by(self.log, RECORDED, interpreter())


async def told_by(log: Log, topics: Sequence[str], reading: Interpreter) -> list[Entry]:
    """What tables must hold of a log."""
    entries = [reading.read(record)[0] for record in await records_of(log, topics)]
    return sorted(entries, key=lambda entry: (entry.topic, entry.part, entry.place))


async def records_of(log: Log, topics: Sequence[str]) -> list[Record]:
    """All records of these topics."""
    found: list[Record] = []
    for at in (TopicPartition(topic, number) for topic in topics for number in range(log.partitions(topic))):
        end, reader = await log.end(at), log.reader({at: await log.start(at)})
        while reader.positions()[at] < end:
            found += await reader.read(1.0)
        await reader.close()
    return found


def interpreter(masking: Masking | None = None) -> Interpreter:
    """What makes entries of records."""
    return Interpreter(TOPICS, ACCOUNTS, masking or Masking())


async def entries(database: Database) -> list[Entry]:
    """All that is in the tables."""
    rows = await select(database, ALL_ENTRIES)
    names = tuple(Entry.__dataclass_fields__)
    return [Entry(**dict(zip(names, row, strict=True))) for row in rows]


async def select(database: Database, text: str) -> Sequence[Any]:
    """What a query of the test's own gives."""
    async with database.transaction() as session:
        if hasattr(session, "_connection"):
            return [tuple(row) for row in await session._connection.fetch(text)]
        fetch: Callable[..., Any] = session._database.fetch  # type: ignore[attr-defined] # the other kind has it
        return list(await fetch(text, ()))
