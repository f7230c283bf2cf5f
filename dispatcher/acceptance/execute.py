"""Execute: a command is appended, and its sender waits for what becomes of it.

The wait has no power over the command: when the caller's time is over, or it hangs up, the command goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from cordboard.log.port import Appended
from cordboard.v1 import dispatcher_service_pb2 as service
from cordboard.v1 import result_pb2
from cordboard.validation import Violation
from dispatcher.acceptance.intake import Admitted, Intake
from dispatcher.acceptance.judging import Judge
from dispatcher.acceptance.refusals import invalid
from dispatcher.acceptance.waiting import Waiter, Waiters

WAIT_SECONDS_MAX: Final = 120.0  # For who names no deadline: a result comes within 90 s of its release or expiry.
_MARGIN_SECONDS_MAX: Final = 0.25  # So long before the deadline the answer is that it is still open.
_WAITS: Final = frozenset(service.WaitFor.values())


def patience(seconds_left: float | None) -> float:
    """How long to wait (seconds) for a caller who has so long left, or names no deadline (None)."""
    if seconds_left is None:
        return WAIT_SECONDS_MAX
    return max(seconds_left - min(_MARGIN_SECONDS_MAX, seconds_left * 0.2), 0.0)


def check_wait(wait_for: int) -> None:
    """Refuse to wait for what the contract does not know. Raises Refused."""
    if wait_for not in _WAITS:
        sentence = f"wait_for must be one of the contract's values, but is {wait_for}"
        raise invalid([Violation("wait_for", sentence, "enum.defined_only")])


class Executor:
    """Waits for results and completions."""

    def __init__(self, intake: Intake, waiters: Waiters, judge: Judge) -> None:
        self._intake = intake
        self._waiters = waiters
        self._judge = judge

    def waiter(self, admitted: Admitted) -> Waiter:
        """Register who is going to wait: before the command is appended. Raises Refused."""
        return self._waiters.for_command(admitted.command.command_id)

    async def execute(
        self, admitted: Admitted, wait_for: service.WaitFor.ValueType, seconds_left: float | None
    ) -> service.ExecuteResponse:
        """Append a command and wait for it. Raises Refused."""
        with self.waiter(admitted) as waiter:
            timer = asyncio.get_running_loop().call_later(patience(seconds_left), waiter.give_up)
            try:
                appended = await self._intake.accept((admitted,))
                return await self.outcome(waiter, admitted, appended[0], wait_for)
            finally:
                timer.cancel()

    async def outcome(
        self,
        waiter: Waiter,
        admitted: Admitted,
        appended: Appended,
        wait_for: service.WaitFor.ValueType,
        tell: Callable[[result_pb2.CommandResult], object] | None = None,
    ) -> service.ExecuteResponse:
        """Wait for what becomes of an appended command; what is not known when the wait is over stays unset.

        `tell` is given the result as soon as it is known, where more is waited for.
        """
        answer = service.ExecuteResponse()
        while (record := await waiter.next()) is not None:
            if not answer.HasField("result"):
                result = await self._judge.result(record, admitted, appended, has_rivals=waiter.has_rivals)
                if result is not None:
                    answer.result.CopyFrom(result)
                    if tell is not None and wait_for == service.WAIT_FOR_COMPLETION:
                        tell(result)
                    if wait_for != service.WAIT_FOR_COMPLETION or await self._none_will_come(
                        answer, admitted, appended
                    ):
                        return answer
            if wait_for == service.WAIT_FOR_COMPLETION and (said := self._judge.completion(record, admitted)):
                answer.completion.CopyFrom(said)
            if answer.HasField("result") and answer.HasField("completion"):
                return answer
        return answer

    async def _none_will_come(self, answer: service.ExecuteResponse, admitted: Admitted, appended: Appended) -> bool:
        """Whether no completion is to be waited for: there is none, or it is known already and now in the answer."""
        result = answer.result
        if result.state != result_pb2.STATE_SUCCEEDED:
            return True
        is_first = result.accept_time.ToMilliseconds() == appended.time_ms and not result.replayed
        if is_first and result.reason == result_pb2.REASON_UNSPECIFIED:
            return False
        # It was perhaps completed before this wait began, or never opened anything.
        known, is_open = await self._judge.earlier_completion(admitted)
        if known is not None and not answer.HasField("completion"):
            answer.completion.CopyFrom(known)
        return not is_open
