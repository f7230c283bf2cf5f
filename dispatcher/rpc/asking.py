"""GetCommand, GetCall, CancelCommands: questions and orders that are about one page.

NOT_FOUND is said only once everything accepted before the question has been applied: the owner is asked, whichever
process that is, and where it cannot be reached, or is not ready yet, the answer is that nobody can tell.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import Final

from google.protobuf.message import Message

from cordboard.access import ANYBODY, Caller
from cordboard.cloudevents import CloudEvent, to_headers
from cordboard.log.port import LogError, NewRecord
from cordboard.topics import Topics
from cordboard.v1 import command_pb2, result_pb2
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.validation import Violation, contract_violations
from cordboard.webhook import DIAL_PREFIX, dial_key, names_a_call
from dispatcher.acceptance import views
from dispatcher.acceptance.execute import patience
from dispatcher.acceptance.intake import Intake, source_uri
from dispatcher.acceptance.permitting import refusing
from dispatcher.acceptance.refusals import RETRY_ELSEWHERE_SECONDS, Refused, invalid
from dispatcher.acceptance.waiting import Waiter, Waiters
from dispatcher.core.page import Page
from dispatcher.finding import Finder, Restoring
from dispatcher.reading import CANCEL_TYPE
from dispatcher.recorder.story import Story
from dispatcher.rendering import PROTOBUF_TYPE
from dispatcher.rpc.ordering import Ordering, OrderTime
from dispatcher.rpc.recalling import Recalling, view_of

FIND_SECONDS_MAX: Final = 10.0
REPORT_SECONDS_MAX: Final = 30.0
_DIALS_ONE_BY_ONE: Final = Violation(
    "command_ids", "command_ids must name one dial, or call_control_id the call of all of them", "cancel.dials"
)


class Asking:
    """Answers what is asked about pages."""

    def __init__(
        self,
        topics: Topics,
        intake: Intake,
        finder: Finder,
        waiters: Waiters,
        rng: random.Random,
        order_ms: OrderTime,
        recalling: Recalling | None = None,
    ) -> None:
        self._topics = topics
        self.ordering = Ordering(topics, intake, order_ms)
        self._intake = intake
        self._finder = finder
        self._waiters = waiters
        self._rng = rng
        self._recalling = recalling or Recalling(None)

    async def command(self, request: service.GetCommandRequest, caller: Caller = ANYBODY) -> service.GetCommandResponse:
        """How far a command has come. Raises Refused."""
        check(request)
        account = self._intake.account_of(request.account, caller)
        page = await self._page(self._key(request.call_control_id, request.command_id, account))
        view = (
            None
            if page is None or self._is_anothers(page, request.account, caller)
            else views.command_view(page, request.command_id)
        )
        if view is None:
            facts = {"commandId": request.command_id, "callControlId": request.call_control_id}
            message = f"No command {request.command_id!r} of this call is known, or it is known no longer."
            raise Refused(result_pb2.REASON_COMMAND_NOT_FOUND, message, metadata=facts)
        return service.GetCommandResponse(command=view)

    async def call(self, request: service.GetCallRequest, caller: Caller = ANYBODY) -> service.GetCallResponse:
        """How far a call has come. Raises Refused."""
        check(request)
        self._intake.account_of(request.account, caller)
        if request.timeline:
            return await self._told(request, caller)
        page = await self._page(self._key(request.call_control_id, "", ""))
        if page is None or self._is_anothers(page, request.account, caller):
            raise _unknown(request.call_control_id)
        return service.GetCallResponse(call=views.call_view(page))

    async def _told(self, request: service.GetCallRequest, caller: Caller) -> service.GetCallResponse:
        """A call with its story; one that no page knows any more, if it was recorded. A dial counts as one, too."""
        call = request.call_control_id
        page = await self._page(call if call.startswith(DIAL_PREFIX) else self._key(call, "", ""))
        told = await self._recalling.story(call, page)
        story = told.story
        # Each by itself: a page that somebody opened long after a call's end is not that call's owner's.
        if page is not None and self._is_anothers(page, request.account, caller):
            page = None
        if story is not None and self._is_anothers(story, request.account, caller):
            if page is None:
                raise _unknown(call)
            return service.GetCallResponse(call=views.call_view(page))
        if page is None and story is None:
            raise _unknown(call)
        view = views.call_view(page) if page else view_of(story) if story else None
        return service.GetCallResponse(call=view, timeline=told.entries, timeline_origin=told.origin)

    async def cancel(
        self, request: service.CancelCommandsRequest, seconds_left: float | None, caller: Caller = ANYBODY
    ) -> service.CancelCommandsResponse:
        """Take back what waits. Raises Refused."""
        check(request)
        account = self._intake.account_of(request.account, caller)
        if not request.call_control_id and not request.command_ids:
            taken = await self.ordering.cancel_group(request.account, request.group, caller)
            return service.CancelCommandsResponse(cancel_id=self._new_id(), accept_time=taken)
        if not request.call_control_id and len(request.command_ids) != 1:
            raise invalid([_DIALS_ONE_BY_ONE])
        key = self._key(request.call_control_id, next(iter(request.command_ids), ""), account)
        await self._must_be_its_own(key, request.account, caller)
        wanted = command_pb2.CancelRequest(
            cancel_id=self._new_id(),
            account=account,
            call_control_id=request.call_control_id,
            command_ids=request.command_ids,
            group=request.group,
            source=caller.name,
        )
        with self._waiters.for_report(key) as waiter:
            wait = min(patience(seconds_left), REPORT_SECONDS_MAX)
            timer = asyncio.get_running_loop().call_later(wait, waiter.give_up)
            try:
                appended = await self._intake.append((self._cancel_record(key, wanted),))
                report = await _report(waiter, wanted.cancel_id)
            finally:
                timer.cancel()
        taken = views.timestamp(appended[0].time_ms)
        return service.CancelCommandsResponse(cancel_id=wanted.cancel_id, accept_time=taken, report=report)

    async def _must_be_its_own(self, key: str, account: str, caller: Caller) -> None:
        """An owner cancels whatever it is told to: so who may not use every account is held against the call here."""
        with refusing():
            if caller.identity().sees_all:
                return
        page = await self._page(key)
        if page is None or self._is_anothers(page, account, caller):
            raise _unknown(key)

    def _is_anothers(self, known: Page | Story, account: str, caller: Caller) -> bool:
        named_otherwise = bool(account and known.account and known.account != account)
        return named_otherwise or not self._intake.shows(known.account, caller)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    def _cancel_record(self, key: str, wanted: command_pb2.CancelRequest) -> NewRecord:
        event = CloudEvent(
            id=wanted.cancel_id, source=source_uri(wanted.source), type=CANCEL_TYPE, content_type=PROTOBUF_TYPE
        )
        return NewRecord(self._topics.commands, key.encode(), wanted.SerializeToString(), to_headers(event))

    def _key(self, call: str, command_id: str, account: str) -> str:
        if not names_a_call(call):
            sentence = (
                "call_control_id must not start with dial:, event:, leg:, limit: or session:, which name other things"
            )
            raise invalid([Violation("call_control_id", sentence, "call.alias")])
        if not call and not account:
            sentence = "account must be named: there is no default one, and a dial is known by its account"
            raise invalid([Violation("account", sentence, "account.required")])
        return call or dial_key(account, command_id)

    async def _page(self, key: str) -> Page | None:
        try:
            async with asyncio.timeout(FIND_SECONDS_MAX):
                return await self._finder.find(key)
        except Restoring as error:
            message = "The process that knows the call is reading its state back."
            raise Refused(result_pb2.REASON_RESTORING, message) from error
        except (LogError, TimeoutError) as error:
            raise Refused(
                result_pb2.REASON_OWNER_UNREACHABLE,
                "The process that knows the call cannot be reached.",
                retry_seconds=RETRY_ELSEWHERE_SECONDS,
            ) from error


def check(request: Message) -> None:
    """Hold a request against the contract's rules. Raises Refused with everything that is wrong."""
    found = contract_violations(request)
    if found:
        raise invalid(found)


def _unknown(call: str) -> Refused:
    facts = {"callControlId": call}
    message = "The call is not known, or it is known no longer."
    return Refused(result_pb2.REASON_CALL_NOT_FOUND, message, metadata=facts)


async def _report(waiter: Waiter, cancel_id: str) -> result_pb2.CancelReport | None:
    while (record := await waiter.next()) is not None:
        report = result_pb2.CancelReport.FromString(record.value)
        if report.cancel_id == cancel_id:
            return report
    return None
