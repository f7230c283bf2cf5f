"""Dead letters, read and written back.

A letter goes back to the topic that it came by, as it came, with a header that names the letter: its call judges it as
that is now, by the same rules as any other record. What makes a replay more than a repeat is one rule of the core: a
command on which it failed (FAILED INTERNAL) is taken as new. A receipt among the letters tells that it was done.

Not everything goes back. An event was handed on before it became a letter, and would be handed on to everybody twice;
work was given up by its page long ago, which has told its sender; and of what is too long only a part is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError

from cordboard.catalogue import action_of
from cordboard.cloudevents import header
from cordboard.letters import REPLAY_HEADER, REPLAYED_BY_HEADER, REPLAYED_HEADER, WHY_PREFIX
from cordboard.log.port import Appended, Log, LogUnavailable, NewRecord, Record, TopicPartition
from cordboard.topics import Topics
from cordboard.webhook import MalformedWebhook, parse
from cordboard.work import decode_outcome, decode_work
from dispatcher.reading import decode_command
from dispatcher.rendering import ROUTED_HEADER

READ_SECONDS_MAX: Final = 15.0
_UNREADABLE: Final = (
    DecodeError,
    MalformedWebhook,
    json_format.ParseError,
    msgspec.MsgspecError,
    LookupError,
    RecursionError,
    ValueError,
)


class LetterNotFound(LookupError):
    """There is no such letter, or it is no longer kept."""


class NotReplayable(Exception):
    """A letter cannot be written back; the message says why."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. `said` is what can be read of it (a command, an outcome, a webhook, work), None for nothing."""

    record: Record
    kind: str
    said: Any
    command_id: str = ""
    action: str = ""
    replayed_ms: int = 0

    @property
    def topic(self) -> str:
        """The topic that it came by; "" where it never got to one."""
        return self.why("topic")

    def why(self, name: str) -> str:
        """One of the facts that were written beside it."""
        return header(self.record.headers, WHY_PREFIX + name)


class Letters:
    """The dead letters of one log."""

    def __init__(self, log: Log, topics: Topics) -> None:
        self._log = log
        self._topics = topics
        self._at = TopicPartition(topics.dead_letters, 0)

    async def latest(self, count: int, before: int | None = None) -> list[Letter]:
        """So many letters, the latest first, of those that stand before an offset. Raises LogError."""
        start, end = await self._log.start(self._at), await self._log.end(self._at)
        last, width = end if before is None else before, 2 * count
        while True:
            first = max(start, last - width)
            found = await self._between(first, last, end)
            if len(found) >= count or first == start:
                return found[:count]
            width *= 4

    async def find(self, offset: int) -> Letter:
        """One letter. Raises LetterNotFound, LogError."""
        end = await self._log.end(self._at)
        found = await self._between(max(offset, await self._log.start(self._at)), offset + 1, end)
        if not found:
            raise LetterNotFound(offset)
        return found[0]

    async def replay(self, offset: int, by: str = "") -> tuple[str, Appended]:
        """Write one back; to which topic, and where it stands there. Raises LetterNotFound, NotReplayable, LogError.

        `by` is the identity of who wants it, which is kept with the receipt.
        """
        letter = await self.find(offset)
        if why := self.why_not(letter):
            raise NotReplayable(why)
        name, record = str(offset).encode(), letter.record
        kept = tuple(one for one in record.headers if not one[0].startswith(WHY_PREFIX) and one[0] != ROUTED_HEADER)
        again = NewRecord(letter.topic, record.key, record.value, (*kept, (REPLAY_HEADER, name)))
        receipt_says = ((REPLAYED_HEADER, name), (REPLAYED_BY_HEADER, by.encode()))
        receipt = NewRecord(self._at.topic, None, b"", receipt_says if by else receipt_says[:1], self._at.partition)
        appended, _ = await self._log.append([again, receipt])
        return letter.topic, appended

    def why_not(self, letter: Letter) -> str:
        """Why a letter cannot be written back; "" where it can."""
        if letter.why("cut"):
            return "it was too long to be kept whole"
        if letter.topic == self._topics.events:
            return "it was handed on already; written back, it would reach every service a second time"
        if letter.topic in self._topics.inputs:
            return ""
        return "it is work, which its page has given up and told its sender so; send the command again, under a new id"

    async def _between(self, first: int, last: int, end: int) -> list[Letter]:
        """The letters from an offset up to another, the latest first; what was replayed is told up to the end."""
        records: list[Record] = []
        replayed: dict[int, int] = {}
        async for record in self._read(first, end):
            if (receipt := header(record.headers, REPLAYED_HEADER)).isdigit():
                replayed[int(receipt)] = record.time_ms
            elif record.offset < last:
                records.append(record)
        return [self._letter(record, replayed.get(record.offset, 0)) for record in reversed(records)]

    async def _read(self, first: int, end: int) -> AsyncIterator[Record]:
        reader = self._log.reader({self._at: first})
        try:
            async with asyncio.timeout(READ_SECONDS_MAX):
                while reader.positions()[self._at] < end:
                    for record in await reader.read(1.0):
                        yield record
        except TimeoutError as error:
            raise LogUnavailable("the dead letters could not be read in time") from error
        finally:
            await reader.close()

    def _letter(self, record: Record, replayed_ms: int) -> Letter:
        kind, said = self._said(record)
        told = {"kind": kind, "said": said, "replayed_ms": replayed_ms}
        if kind == "command":
            command_id = said.command_id or header(record.headers, "ce_id")
            return Letter(record, **told, command_id=command_id, action=said.WhichOneof("action") or "")
        if kind in {"webhook", "event"}:
            return Letter(record, **told, action=said.event_type)
        return Letter(record, **told, command_id=getattr(said, "command_id", ""), action=getattr(said, "action", ""))

    def _said(self, record: Record) -> tuple[str, Any]:
        topics, topic = self._topics, header(record.headers, f"{WHY_PREFIX}topic")
        try:
            if topic in {topics.commands, topics.now}:
                command = decode_command(record)
                action_of(command)
                return "command", command
            if topic == topics.outcomes:
                return "outcome", decode_outcome(record.value)
            if topic in {topics.webhooks, topics.events}:
                return ("event" if topic == topics.events else "webhook"), parse(record.value)
            return "work", decode_work(record.value)
        except _UNREADABLE:
            return "unreadable", None
