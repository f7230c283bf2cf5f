"""What workers' outcomes mean for a command, when all attempts are laid side by side.

The rule behind everything here: success of any attempt ends the command; FAILED or EXPIRED needs a certain no from
every attempt made; anything else is UNKNOWN. Decisions look at the HTTP status and the code together, because Telnyx
uses the same code with different meanings under different statuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cordboard.work import Outcome, Verdict
from dispatcher.core.commands import BRIDGE, CALL_ENDING, DIAL
from dispatcher.core.turn import Ending, ending_of
from dispatcher.core.words import Reason, State

CERTAIN_NO: Final = frozenset({Verdict.REFUSED, Verdict.UNSENT, Verdict.EXPIRED})
UNSENT: Final = frozenset({Verdict.UNSENT, Verdict.EXPIRED, Verdict.LATE, Verdict.WAITING})  # Telnyx got nothing.

_DOUBTS: Final = {
    Verdict.AMBIGUOUS: Reason.AMBIGUOUS_REFUSAL,
    Verdict.NO_ANSWER: Reason.NO_ANSWER,
    Verdict.SERVER_ERROR: Reason.TELNYX_ERROR,
    Verdict.BAD_ANSWER: Reason.BAD_ANSWER,
    Verdict.LATE: Reason.WORKER_LOST,  # That copy was not sent; where the first one went, nobody said.
}

_EXPIRED: Final = {
    "in_lane": Reason.IN_LANE,
    "rate_limited": Reason.RATE_LIMITED,
    "paused": Reason.PAUSED,
    "unreachable": Reason.TELNYX_UNREACHABLE,
}


def says_call_is_over(action: str, outcome: Outcome) -> bool:
    """Whether a refusal means that the call has ended: 90018, 90015. On bridge they may mean the other leg."""
    if outcome.verdict not in (Verdict.REFUSED, Verdict.AMBIGUOUS) or action in (BRIDGE, DIAL):
        return False
    return outcome.http_status == 422 and any(error.code in ("90018", "90015") for error in outcome.errors)


def is_success(action: str, outcome: Outcome) -> bool:
    """Whether what was asked for is so: a 2xx, or a hangup of a call that has ended."""
    if outcome.verdict is Verdict.DONE:
        return True
    return action in CALL_ENDING and _already_ended(outcome)


def success(action: str, outcome: Outcome) -> Ending:
    """The ending of a command for which `is_success` holds."""
    reason = Reason.NONE if outcome.verdict is Verdict.DONE else Reason.ALREADY_ENDED
    return ending_of(outcome, State.SUCCEEDED, reason)


def conclude(action: str, attempts: int, outcomes: Sequence[Outcome]) -> Ending:
    """How a command ends of which no attempt is known to have succeeded, and nothing more is awaited."""
    known = {outcome.attempt: outcome for outcome in outcomes if outcome.verdict is not Verdict.WAITING}
    every = [known.get(attempt) for attempt in range(1, attempts + 1)]
    latest = every[-1]
    if latest is not None and all(one is not None and one.verdict in CERTAIN_NO for one in every):
        return certain_no(action, latest)
    return _unknown(every)


def certain_no(action: str, outcome: Outcome) -> Ending:
    """The ending of a command of which every attempt certainly had no effect."""
    if outcome.verdict is Verdict.EXPIRED:
        return ending_of(outcome, State.EXPIRED, _EXPIRED.get(outcome.cause, Reason.IN_LANE))
    if outcome.verdict is Verdict.UNSENT:
        if outcome.cause in ("rate_limited", "paused"):
            return ending_of(outcome, State.EXPIRED, _EXPIRED[outcome.cause])
        return ending_of(outcome, State.FAILED, Reason.TELNYX_UNREACHABLE)
    return ending_of(outcome, State.FAILED, _refusal(action, outcome))


def _refusal(action: str, outcome: Outcome) -> Reason:
    codes = {error.code for error in outcome.errors}
    if outcome.http_status in (401, 403):
        return Reason.CREDENTIALS_REFUSED
    if action in (BRIDGE, DIAL):
        return Reason.TELNYX_REFUSED
    if outcome.http_status == 404 or (outcome.http_status == 422 and "90015" in codes):
        return Reason.CALL_NOT_FOUND
    if outcome.http_status == 422 and "90018" in codes:
        return Reason.CALL_ENDED
    if outcome.http_status == 422 and "90034" in codes:
        return Reason.CALL_NOT_ANSWERED
    return Reason.TELNYX_REFUSED


def _already_ended(outcome: Outcome) -> bool:
    refused = outcome.verdict in (Verdict.REFUSED, Verdict.AMBIGUOUS) and outcome.http_status == 422
    return refused and any(error.code == "90018" for error in outcome.errors)


def _unknown(every: Sequence[Outcome | None]) -> Ending:
    """The reason of the latest attempt that is in doubt; a no to a repeat after a doubtful one is no certain no."""
    latest = every[-1]
    if latest is None:
        return Ending(state=State.UNKNOWN, reason=Reason.WORKER_LOST, attempts=len(every), send_ms=_first_sent(every))
    if latest.verdict is Verdict.REFUSED:
        return ending_of(latest, State.UNKNOWN, Reason.AMBIGUOUS_REFUSAL)
    doubtful = next((one for one in reversed(every) if one is None or one.verdict in _DOUBTS), None)
    if doubtful is None:
        return Ending(state=State.UNKNOWN, reason=Reason.WORKER_LOST, attempts=len(every), send_ms=_first_sent(every))
    return ending_of(doubtful, State.UNKNOWN, _DOUBTS[doubtful.verdict])


def _first_sent(every: Sequence[Outcome | None]) -> int:
    return next((one.sent_ms for one in every if one is not None and one.sent_ms), 0)
