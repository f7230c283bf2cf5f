"""Which record answers which wait.

Records are found by command id, but an id is one command's only within its call, and the same id may come twice: the
same command again is answered with the first one's result, another command under the same id with a refusal of its own.
So who waits judges each record:

- refused and replayed answer one appended record, and their ce_id is made of where that stands;
- a result answers the command that was accepted at the time it names, and every repeat of it that was accepted before
  the result. Where it names another time, or several wait here under the id, the call's page knows whose it is;
- a completion belongs to the result.
"""

from __future__ import annotations

import asyncio
from typing import Final

from google.protobuf.message import DecodeError

from cordboard.cloudevents import header
from cordboard.identity import fingerprint
from cordboard.log.port import Appended, LogError, Record
from cordboard.topics import Topics
from cordboard.v1 import result_pb2
from dispatcher.acceptance import views
from dispatcher.acceptance.intake import Admitted
from dispatcher.accounts import Accounts
from dispatcher.core import memory
from dispatcher.core.admission import find_pending
from dispatcher.core.commands import DIAL
from dispatcher.core.decision import Result
from dispatcher.core.page import Page
from dispatcher.core.words import Reason, State
from dispatcher.finding import Finder
from dispatcher.rendering import COMPLETED_TYPE, RESULT_TYPES, Renderer

FIND_SECONDS_MAX: Final = 2.0
_KINDS: Final = {RESULT_TYPES[kind]: kind for kind in ("result", "replayed", "refused")}


class Judge:
    """Says of records whether they answer a wait."""

    def __init__(self, topics: Topics, accounts: Accounts, finder: Finder) -> None:
        self._topics = topics
        self._accounts = accounts
        self._finder = finder
        self._renderer = Renderer(topics, accounts)

    async def result(
        self, record: Record, admitted: Admitted, appended: Appended, *, has_rivals: bool
    ) -> result_pb2.CommandResult | None:
        """The result of the command that was appended there, if the record is that."""
        kind = _KINDS.get(header(record.headers, "ce_type"))
        if kind is None:
            return None
        try:
            result = result_pb2.CommandResult.FromString(record.value)
        except DecodeError:
            return None  # No word of ours.
        if not _is_about(record, admitted, result):
            return None
        if kind != "result":
            return result if self._answers(kind, record, admitted, appended, result) else None
        accept_ms = result.accept_time.ToMilliseconds()
        if accept_ms == appended.time_ms and not has_rivals:
            return result
        return result if await self._says_the_same(admitted) else None

    def completion(self, record: Record, admitted: Admitted) -> result_pb2.CommandCompletion | None:
        """The command's completion, if the record is that."""
        if header(record.headers, "ce_type") != COMPLETED_TYPE:
            return None
        completion = result_pb2.CommandCompletion.FromString(record.value)
        return completion if _is_about(record, admitted, completion) else None

    async def earlier_completion(self, admitted: Admitted) -> tuple[result_pb2.CommandCompletion | None, bool]:
        """What is known of a completion that was perhaps said before, and whether one may still come."""
        page = await self._page(admitted.key)
        if page is None:
            return None, True
        command_id = admitted.command.command_id
        known = memory.recall(page.ended, command_id)
        action = admitted.command.WhichOneof("action") or ""
        is_open = any(one.command_id == command_id and not one.doubtful for one in page.open)
        return None if known is None else views.completion_of(page, command_id, action, known), is_open

    async def knows(self, key: str, command_id: str) -> bool:
        """Whether a page has heard of a command; where that cannot be told now, its owner will."""
        try:
            page = await self._find(key)
        except (LogError, TimeoutError):
            return True
        if page is None:
            return False
        return find_pending(page, command_id) is not None or memory.recall(page.ended, command_id) is not None

    def _answers(
        self, kind: str, record: Record, admitted: Admitted, appended: Appended, result: result_pb2.CommandResult
    ) -> bool:
        """Whether the owner said this of exactly the record that was appended: its id is made of where that stands."""
        origin = f"{admitted.record.topic}/{appended.partition}/{appended.offset}"
        said = header(record.headers, "ce_id")
        # A dial that its owner finds invalid has no page.
        return any(said == self._id(kind, page, result, origin) for page in (admitted.key, result.call_control_id))

    def _id(self, kind: str, page: str, result: result_pb2.CommandResult, origin: str) -> str:
        said = Result(
            kind=kind,
            command_id=result.command_id,
            page=page,
            call=page,
            account=result.account,
            action=result.action,
            state=State.REJECTED,
            reason=Reason.NONE,
            message="",
            accept_ms=result.accept_time.ToMilliseconds(),
            origin=origin,
        )
        return header(self._renderer.result(said, ()).headers, "ce_id")

    async def _says_the_same(self, admitted: Admitted) -> bool:
        """Whether the command whose result is known under this id is this one; where nobody can tell, it is."""
        page = await self._page(admitted.key)
        known = None if page is None else memory.recall(page.ended, admitted.command.command_id)
        if page is None or known is None:
            return True
        account = self._accounts.resolve(admitted.command.account, page.account)
        return known.same_content(fingerprint(admitted.command, account))

    async def _page(self, key: str) -> Page | None:
        try:
            return await self._find(key)
        except (LogError, TimeoutError):
            return None  # Its owner cannot be asked, or there is none now.

    async def _find(self, key: str) -> Page | None:
        async with asyncio.timeout(FIND_SECONDS_MAX):
            return await self._finder.find(key)


def _is_about(
    record: Record, admitted: Admitted, said: result_pb2.CommandResult | result_pb2.CommandCompletion
) -> bool:
    if admitted.command.HasField("dial"):  # What is said of a dial is keyed by the call that it made.
        return said.action == DIAL and said.account == admitted.account
    return record.key == admitted.record.key
