"""Orders to all processes, by the control topic: an account paused or resumed, a group cancelled in all its calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard import orders
from cordboard.access import ANYBODY, Caller, Right
from cordboard.log.port import LogError, NewRecord
from cordboard.topics import Topics
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.validation import Violation, contract_violations
from dispatcher.acceptance import views
from dispatcher.acceptance.intake import Intake
from dispatcher.acceptance.permitting import refusing
from dispatcher.acceptance.refusals import invalid, of_log, overloaded

_log: Final = structlog.get_logger(__name__)
OrderTime = Callable[[str], Awaitable[int]]  # When an order for an account is given: `Control.order_ms`.
TimeLeft = Callable[[], float | None]  # Until its caller gives up (seconds); None: never.
_ACCOUNT_MISSING = Violation("account", "account must be named: there is no default one", "account.required")


class Ordering:
    """Writes orders. They are in force, everywhere, a moment after they are durable."""

    def __init__(self, topics: Topics, intake: Intake, order_ms: OrderTime) -> None:
        self._topic = topics.control
        self._intake = intake
        self._order_ms = order_ms

    async def pause(
        self, request: service.PauseAccountRequest, time_left: TimeLeft, caller: Caller = ANYBODY
    ) -> service.PauseAccountResponse:
        """Have nothing sent for an account but hangups and rejects. Raises Refused."""
        account, taken = await self._set(request, time_left, caller, paused=True)
        return service.PauseAccountResponse(account=account, pause_time=taken)

    async def resume(
        self, request: service.ResumeAccountRequest, time_left: TimeLeft, caller: Caller = ANYBODY
    ) -> service.ResumeAccountResponse:
        """Have everything sent again. Raises Refused."""
        account, taken = await self._set(request, time_left, caller, paused=False)
        return service.ResumeAccountResponse(account=account, resume_time=taken)

    async def cancel_group(self, account: str, group: str, caller: Caller = ANYBODY) -> Timestamp | None:
        """Cancel all of a group that waits, in all its calls. Returns when that was taken. Raises Refused."""
        account = self._named(account, caller)
        taken = await self._append(orders.cancel(self._topic, account, group, caller.name))
        _log.info("a group is cancelled in all its calls", account=account, group=group, by=caller.name)
        return taken

    async def _set(
        self,
        request: service.PauseAccountRequest | service.ResumeAccountRequest,
        time_left: TimeLeft,
        caller: Caller,
        *,
        paused: bool,
    ) -> tuple[str, Timestamp | None]:
        if found := contract_violations(request):
            raise invalid(found)
        account, comment = self._named(request.account, caller), request.comment
        try:
            given_ms = await self._order_ms(account)
        except LogError as error:
            raise of_log(error) from error
        # A process that stood still must not give an order that nobody waits for any more: others came since.
        if (seconds_left := time_left()) is not None and seconds_left <= 0:
            raise overloaded("Its caller waits no longer, so nothing was ordered.")
        order = orders.pause(
            self._topic, account, paused=paused, given_ms=given_ms, comment=comment, source=caller.name
        )
        taken = await self._append(order)
        _log.info("an account is paused" if paused else "an account is resumed", account=account, by=caller.name)
        return account, taken

    def _named(self, account: str, caller: Caller) -> str:
        with refusing():
            caller.need(Right.OPERATE)
        resolved = self._intake.account_of(account, caller)
        if not resolved:
            raise invalid([_ACCOUNT_MISSING])
        with refusing():
            caller.need_account(resolved)  # Also the default one, which is meant where none is named.
        return resolved

    async def _append(self, record: NewRecord) -> Timestamp | None:
        appended = await self._intake.append((record,))
        return views.timestamp(appended[0].time_ms)
