"""Calls as they are searched, told, forgotten and dropped; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from cordboard.log.port import NewRecord, Record, TopicPartition
from dispatcher.recorder.archive import Archive
from dispatcher.recorder.contents import Masking
from dispatcher.recorder.database import Database
from dispatcher.recorder.events import Dropped, Event
from dispatcher.recorder.retention import CALLS, Retention
from dispatcher.recorder.tables import Move, Search, Tables
from tests.recorder import samples
from tests.recorder.conftest import Opening
from tests.recorder.samples import ANOTHER, NUMBER, T0
from tests.recorder.world import TOPICS, entries, interpreter, select

MINUTE_MS = 60_000


class Shelf:
    """Tables that are filled without a log. Each record is a minute later than the one before."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self.tables = Tables(opening())
        self.archive = Archive(Tables(opening(read_only=True)), Tables(opening()), Masking().number, self)
        self._places: dict[TopicPartition, int] = {}
        self.minutes = 0

    def now_ms(self) -> int:
        return T0 + self.minutes * MINUTE_MS

    async def record(self, *records: NewRecord, tables: Tables | None = None) -> None:
        await self.write([self._next(new) for new in records], tables or self.tables)

    async def write(self, records: Sequence[Record], tables: Tables) -> None:
        at_once = {record.source for record in records}
        begins = await tables.positions(dict.fromkeys(at_once, 0))
        ends = {at: max(one.offset for one in records if one.source == at) + 1 for at in at_once}
        await tables.write(
            [interpreter().read(record) for record in records], [Move(at, begins[at], ends[at]) for at in at_once]
        )

    def _next(self, new: NewRecord) -> Record:
        at = TopicPartition(new.topic, 0)
        place = self._places.get(at, 0)
        self._places[at] = place + 1
        self.minutes += 1
        return Record(new.topic, 0, place, self.now_ms(), new.key, new.value, new.headers)

    async def found(self, **wanted: object) -> list[str]:
        return [story.call for story in await self.archive.search(Search(**wanted))]  # type: ignore[arg-type] # as named

    def database(self) -> Database:
        return self._opening()

    async def close(self) -> None:
        await self.tables.close()
        await self.archive.close()


@pytest.fixture
async def shelf(opening: Opening) -> AsyncIterator[Shelf]:
    one = Shelf(opening)
    await one.tables.prepare()
    yield one
    await one.close()


class TestSearch:
    """By number, account, time and outcome."""

    async def test_the_latest_come_first(self, shelf: Shelf):
        """
        All of them, where nothing else is asked.
        """
        await shelf.record(samples.command("c-1", "A"), samples.command("c-2", "B"), samples.command("c-3", "A"))

        assert await shelf.found() == ["B", "A"]

    async def test_by_whoever_called_or_was_called(self, shelf: Shelf):
        """
        The number is masked as it was recorded; so is a dial's, until it has led to a call.
        """
        await shelf.record(samples.dial("d-1"), samples.dial("d-2"), samples.dialled("d-2", "B"))
        await shelf.record(samples.event("call.initiated", "C", **{"from": NUMBER, "to": "+15550109999"}))

        assert await shelf.found(number=NUMBER) == ["C", "B", "dial:main/d-1"]
        assert await shelf.found(number=ANOTHER) == ["B", "dial:main/d-1"]
        assert await shelf.found(number="+15550100000") == []

    async def test_by_account_time_and_outcome(self, shelf: Shelf):
        """
        Each alone and all together.
        """
        await shelf.record(*(samples.event("call.hangup", name, hangup_cause="user_busy") for name in "ABC"))
        await shelf.record(
            samples.event("call.hangup", "D", hangup_cause="normal_clearing"), samples.failed_dial("d-1")
        )
        minute = {"start_ms": T0 + 2 * MINUTE_MS, "end_ms": T0 + 4 * MINUTE_MS}

        assert await shelf.found(outcome="user_busy") == ["C", "B", "A"]
        assert await shelf.found(outcome="FAILED") == ["dial:main/d-1"]
        assert await shelf.found(account="main", outcome="user_busy", **minute) == ["C", "B"]
        assert await shelf.found(account="main", **minute) == await shelf.found(**minute) == ["C", "B"]
        assert await shelf.found(account="other") == []

    async def test_page_by_page(self, shelf: Shelf):
        """
        One goes on behind the last one, also of those that came in the same millisecond.
        """
        names = [f"call-{number}" for number in range(9)]
        at = TopicPartition(TOPICS.commands, 0)
        new = [samples.command("c", name) for name in names]
        await shelf.write([Record(*at, place, T0, one.key, one.value) for place, one in enumerate(new)], shelf.tables)
        found: list[str] = []
        last = Search(count=2)
        while page := await shelf.archive.search(last):
            found += [story.call for story in page]
            last = Search(count=2, before_ms=page[-1].first_ms, before_call=page[-1].call)

        assert found == sorted(names, reverse=True)


class TestStory:
    """One call."""

    async def test_it_begins_with_its_dial(self, shelf: Shelf):
        """
        Whatever the order in which the records were read.
        """
        whole = samples.a_call("A", "d-1")
        await shelf.record(*reversed(whole))
        story, told = await shelf.archive.story("A")

        assert story is not None
        assert (story.dial, story.outcome, story.from_number) == ("dial:main/d-1", "normal_clearing", "+1******0002")
        assert sorted(entry.kind for entry in told) == sorted(entry.kind for entry in await entries(shelf.database()))

    async def test_of_one_that_was_not_recorded_nothing_is_told(self, shelf: Shelf):
        """
        Neither a story nor entries.
        """
        assert await shelf.archive.story("A") == (None, [])


async def test_whatever_a_sender_puts_into_a_record_fits(shelf: Shelf):
    """
    Names that are far too long for an index, and texts that no database takes.
    """
    odd = ["\0", "x" * 5_000, "\U0001f600" * 2_000, "a\u2028b", "'; DROP TABLE entry; --"]
    for text in odd:
        event = samples.event("call.hangup", "B", hangup_cause=text, to=text)
        await shelf.record(samples.command(text, text, text, group=text), event)

    await shelf.record(samples.outcome("c-1", "B", attempt=1 << 63))
    assert len(await entries(shelf.database())) == 2 * len(odd) + 1
    for text in odd:
        story, told = await shelf.archive.story(text)
        assert story is not None
        assert len(told) == 1


class TestForgetting:
    """Contents go, and that it was stays."""

    async def test_contents_and_numbers_are_gone(self, shelf: Shelf):
        """
        Of the call and of its dial; what remains is the outline.
        """
        await shelf.record(*samples.a_call("A", "d-1"), samples.command("c-9", "B"))

        assert await shelf.archive.forget("A") == 13
        left = await entries(shelf.database())
        assert {entry.call for entry in left if entry.content} == {"B"}
        assert len(left) == 14
        story, told = await shelf.archive.story("A")
        assert story is not None
        assert (story.from_number, story.to_number, bool(story.forgotten_ms)) == ("", "", True)
        assert [entry.kind for entry in told if entry.action == "call.hangup"] == ["event"]

    async def test_what_is_recorded_later_is_forgotten_too(self, shelf: Shelf):
        """
        A recorder that is behind, or a call that goes on, brings nothing back; nor does a dial's call that comes later.
        """
        first, *rest, last = samples.a_call("A", "d-1")
        await shelf.record(first, last)
        assert await shelf.archive.forget("dial:main/d-1") == 1
        await shelf.record(*rest)

        assert [entry for entry in await entries(shelf.database()) if entry.content] == []
        story, _ = await shelf.archive.story("A")
        assert story is not None
        assert story.to_number == ""

    async def test_whatever_comes_between_no_content_is_left(self, shelf: Shelf):
        """
        One records and another has it forgotten, at the same time: whoever comes second sees the other.
        """
        await shelf.record(samples.command("c-0", "A"))

        async def go_on() -> None:
            for number in range(60):
                await shelf.record(samples.command(f"c-{number}", "A"), samples.result(f"c-{number}", "A"))

        async def forget() -> None:
            await asyncio.sleep(0.03)
            await shelf.archive.forget("A")

        await asyncio.gather(go_on(), forget())
        assert [entry for entry in await entries(shelf.database()) if entry.content] == []

    async def test_one_that_was_not_recorded_is_not_forgotten(self, shelf: Shelf):
        """
        Whoever asks learns that there is no such call.
        """
        assert await shelf.archive.forget("A") is None


class TestRetention:
    """What is old goes, a call at a time."""

    async def test_a_call_goes_when_nothing_was_recorded_of_it_for_so_long(self, shelf: Shelf):
        """
        As a whole; one that began before it and goes on stays whole.
        """
        await shelf.record(samples.command("c-1", "A"), samples.command("c-2", "B"), samples.result("c-2", "B"))
        await shelf.record(samples.result("c-1", "A"))
        shelf.minutes += 1
        events: list[Event] = []
        retention = Retention(Tables(shelf.database()), MINUTE_MS, shelf, events.append)

        assert await retention.drop() == 1
        assert {entry.call for entry in await entries(shelf.database())} == {"A"}
        assert events == [Dropped(1)]
        await retention.stop()

    async def test_many_go_in_small_steps(self, shelf: Shelf):
        """
        Whoever records waits for one step at most.
        """
        await shelf.record(*(samples.command("c", f"call-{number}") for number in range(2 * CALLS + 1)))
        shelf.minutes += 10
        events: list[Event] = []
        retention = Retention(Tables(shelf.database()), MINUTE_MS, shelf, events.append)

        assert await retention.drop() == 2 * CALLS + 1
        assert events == [Dropped(CALLS), Dropped(CALLS), Dropped(1)]
        assert await select(shelf.database(), "SELECT count(*) FROM entry") == [(0,)]
        await retention.stop()
