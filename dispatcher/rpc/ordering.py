"""Orders to all processes, by the control topic: an account paused or resumed, a group cancelled in all its calls."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from cordboard import orders
from cordboard.log.port import NewRecord
from cordboard.topics import Topics
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.validation import Violation, contract_violations
from dispatcher.acceptance import views
from dispatcher.acceptance.intake import Intake
from dispatcher.acceptance.refusals import invalid

_ACCOUNT_MISSING = Violation("account", "account must be named: there is no default one", "account.required")


class Ordering:
    """Writes orders. They are in force, everywhere, a moment after they are durable."""

    def __init__(self, topics: Topics, intake: Intake) -> None:
        self._topic = topics.control
        self._intake = intake

    async def pause(self, request: service.PauseAccountRequest) -> service.PauseAccountResponse:
        """Have nothing sent for an account but hangups and rejects. Raises Refused."""
        account, taken = await self._set(request, paused=True)
        return service.PauseAccountResponse(account=account, pause_time=taken)

    async def resume(self, request: service.ResumeAccountRequest) -> service.ResumeAccountResponse:
        """Have everything sent again. Raises Refused."""
        account, taken = await self._set(request, paused=False)
        return service.ResumeAccountResponse(account=account, resume_time=taken)

    async def cancel_group(self, account: str, group: str) -> Timestamp | None:
        """Cancel all of a group that waits, in all its calls. Returns when that was taken. Raises Refused."""
        return await self._append(orders.cancel(self._topic, self._named(account), group))

    async def _set(
        self, request: service.PauseAccountRequest | service.ResumeAccountRequest, *, paused: bool
    ) -> tuple[str, Timestamp | None]:
        if found := contract_violations(request):
            raise invalid(found)
        account = self._named(request.account)
        return account, await self._append(orders.pause(self._topic, account, paused=paused, comment=request.comment))

    def _named(self, account: str) -> str:
        resolved = self._intake.account_of(account)
        if not resolved:
            raise invalid([_ACCOUNT_MISSING])
        return resolved

    async def _append(self, record: NewRecord) -> Timestamp | None:
        appended = await self._intake.append((record,))
        return views.timestamp(appended[0].time_ms)
