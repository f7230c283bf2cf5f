"""The methods of OperatorService: how all is, calls found and forgotten, dead letters read and written back."""

# ruff: noqa: N802 (the methods are named as in the contract)

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

import orjson
import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.access import Caller
from cordboard.log.port import LogError, size_of
from cordboard.v1 import operator_service_pb2 as operator
from cordboard.v1 import result_pb2
from cordboard.v1 import status_pb2 as status
from cordboard.validation import Violation
from dispatcher.acceptance.permitting import account_of, must_be_named, refusing
from dispatcher.acceptance.refusals import Refused, invalid, log_unavailable, of_log
from dispatcher.acceptance.views import timestamp
from dispatcher.letters import Letter, LetterNotFound, Letters, NotReplayable
from dispatcher.recorder.contents import Masking
from dispatcher.recorder.story import Story
from dispatcher.recorder.tables import Search
from dispatcher.rpc.asking import check
from dispatcher.rpc.callers import calling
from dispatcher.rpc.recalling import Recalling, recalled, summary_of
from dispatcher.rpc.status import response_of
from dispatcher.rpc.surveying import Surveyor

COUNT: Final = 50
_log: Final = structlog.get_logger(__name__)


class Operating:
    """What gRPC calls; the guard stands before it."""

    def __init__(self, recalling: Recalling, letters: Letters, masking: Masking, surveyor: Surveyor) -> None:
        self._recalling = recalling
        self._letters = letters
        self._masking = masking
        self._surveyor = surveyor

    async def GetStatus(self, request: status.GetStatusRequest, context: Any) -> status.GetStatusResponse:
        """Say how all is."""
        return response_of(await self._surveyor.survey())

    async def ListCalls(self, request: operator.ListCallsRequest, context: Any) -> operator.ListCallsResponse:
        """Find calls."""
        check(request)
        count = request.page_size or COUNT
        before_ms, before_call = _place(request.page_token)
        wanted = Search(
            number=request.number,
            account=_account(request.account, calling()),
            outcome=request.outcome,
            start_ms=_milliseconds(request, "start_time"),
            end_ms=_milliseconds(request, "end_time"),
            before_ms=before_ms,
            before_call=before_call,
            count=count + 1,
        )
        found = await recalled(self._recalling.archive().search(wanted))
        token = _token(found[count - 1]) if len(found) > count else ""
        return operator.ListCallsResponse(calls=[summary_of(one) for one in found[:count]], next_page_token=token)

    async def ForgetCall(self, request: operator.ForgetCallRequest, context: Any) -> operator.ForgetCallResponse:
        """Take away a call's contents."""
        check(request)
        call, archive, caller = request.call_control_id, self._recalling.archive(), calling()
        count = await recalled(archive.forget(call)) if await self._may_know(call, caller) else None
        if count is None:
            message = "Nothing is recorded of this call."
            raise Refused(result_pb2.REASON_CALL_NOT_FOUND, message, metadata={"callControlId": call})
        _log.info("a call is forgotten", call=call, by=caller.name)
        return operator.ForgetCallResponse(entries=count)

    async def _may_know(self, call: str, caller: Caller) -> bool:
        with refusing():
            if caller.identity().sees_all:
                return True
            story, _ = await recalled(self._recalling.archive().story(call))
            return story is not None and caller.identity().may_use(story.account)

    async def ListDeadLetters(
        self, request: operator.ListDeadLettersRequest, context: Any
    ) -> operator.ListDeadLettersResponse:
        """Show dead letters."""
        _of_all_accounts(calling())
        check(request)
        count = request.page_size or COUNT
        before = _offset(request.page_token, "page_token") if request.page_token else None
        try:
            found = await self._letters.latest(count + 1, before)
        except LogError as error:
            raise log_unavailable("The dead letters cannot be read now.") from error
        token = str(found[count - 1].record.offset) if len(found) > count else ""
        letters = [self._outline(letter) for letter in found[:count]]
        return operator.ListDeadLettersResponse(letters=letters, next_page_token=token)

    async def GetDeadLetter(
        self, request: operator.GetDeadLetterRequest, context: Any
    ) -> operator.GetDeadLetterResponse:
        """Show one."""
        _of_all_accounts(calling())
        check(request)
        try:
            letter = await self._letters.find(_offset(request.letter_id, "letter_id"))
        except LetterNotFound:
            raise _not_found(request.letter_id) from None
        except LogError as error:
            raise log_unavailable("The dead letters cannot be read now.") from error
        shown = self._outline(letter)
        shown.detail = self._masking.sentence(letter.why("detail"))
        shown.content.update(self._content(letter))
        return operator.GetDeadLetterResponse(letter=shown)

    async def ReplayDeadLetter(
        self, request: operator.ReplayDeadLetterRequest, context: Any
    ) -> operator.ReplayDeadLetterResponse:
        """Write one back."""
        _of_all_accounts(calling())
        check(request)
        try:
            topic, appended = await self._letters.replay(_offset(request.letter_id, "letter_id"), calling().name)
        except LetterNotFound:
            raise _not_found(request.letter_id) from None
        except NotReplayable as error:
            message = f"This dead letter cannot be written back: {error}."
            raise Refused(result_pb2.REASON_NOT_REPLAYABLE, message, metadata={"letterId": request.letter_id}) from None
        except LogError as error:
            raise of_log(error) from error
        _log.info("a dead letter is written back", letter=request.letter_id, topic=topic, by=calling().name)
        return operator.ReplayDeadLetterResponse(
            topic=topic,
            position=f"{appended.partition}/{appended.offset}",
            accept_time=timestamp(appended.time_ms),
        )

    def _outline(self, letter: Letter) -> operator.DeadLetter:
        record, taken = letter.record, letter.why("timestamp")
        position = "/".join(filter(None, (letter.why("partition"), letter.why("offset"))))
        return operator.DeadLetter(
            letter_id=str(record.offset),
            time=timestamp(record.time_ms),
            topic=letter.topic,
            position=position,
            record_time=timestamp(int(taken)) if taken.isdigit() else None,
            reason=letter.why("reason"),
            key=(record.key or b"").decode(errors="replace"),
            kind=letter.kind,
            command_id=letter.command_id,
            action=letter.action,
            size=size_of(record),
            replay_time=timestamp(letter.replayed_ms),
            not_replayable=self._letters.why_not(letter),
        )

    def _content(self, letter: Letter) -> dict[str, Any]:
        write: dict[str, Callable[[Any], str]] = {
            "command": lambda command: self._masking.command(command, letter.action),
            "outcome": self._masking.outcome,
            "webhook": lambda webhook: self._masking.event(webhook, late=False),
            "event": lambda webhook: self._masking.event(webhook, late=False),
            "work": self._masking.release,
        }
        found: dict[str, Any] = orjson.loads(write[letter.kind](letter.said)) if letter.said is not None else {}
        return found


def _account(named: str, caller: Caller) -> str:
    account = account_of(named, caller)
    with refusing():
        identity = caller.identity()
    if not account and not identity.sees_all:
        raise must_be_named(identity)
    return account


def _of_all_accounts(caller: Caller) -> None:
    """Of many a dead letter nobody can tell whose it is."""
    with refusing():
        caller.need_all_accounts("dead letters")


def _milliseconds(request: operator.ListCallsRequest, name: str) -> int:
    stamp: Timestamp = getattr(request, name)
    return stamp.ToMilliseconds() if request.HasField(name) else 0  # type: ignore[arg-type] # one of two names


def _token(story: Story) -> str:
    return base64.urlsafe_b64encode(f"{story.first_ms} {story.call}".encode()).decode()


def _place(token: str) -> tuple[int, str]:
    if not token:
        return 0, ""
    try:
        time_ms, _, call = base64.urlsafe_b64decode(token).decode().partition(" ")
        return int(time_ms), call
    except (binascii.Error, ValueError):
        raise _wrong("page_token", "page_token must be the next_page_token of a response") from None


def _offset(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise _wrong(name, f"{name} must be a number, as ListDeadLetters gives it")
    return int(text)


def _wrong(name: str, sentence: str) -> Refused:
    return invalid([Violation(name, sentence, "operator.place")])


def _not_found(letter_id: str) -> Refused:
    message = "There is no such dead letter, or it is no longer kept."
    return Refused(result_pb2.REASON_LETTER_NOT_FOUND, message, metadata={"letterId": letter_id})
