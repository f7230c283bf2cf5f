"""One application of one input: the working copy of the page, and the outputs as they gather.

Every other module of the core works on a Turn; this one only knows how a command ends and how that is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cordboard.orders import NO_ORDERS, Orders
from cordboard.work import Outcome, TelnyxError, Verdict
from dispatcher.core import memory
from dispatcher.core.commands import Ask
from dispatcher.core.decision import Completed, Learned, Output, Result
from dispatcher.core.limits import DEFAULT_LIMITS, Limits
from dispatcher.core.page import Clue, Flight, Leg, Open, Page
from dispatcher.core.words import SENTENCES, Completion, Reason, State

GRACE_MS: Final = 2_000  # How far Telnyx's clock and ours may differ when an event is held against a request.


@dataclass(slots=True)
class Turn:
    """The page under work (never the caller's own), the time (Unix ms) and what is to be sent."""

    page: Page
    now: int
    limits: Limits = DEFAULT_LIMITS
    outputs: list[Output] = field(default_factory=list)
    changed: bool = False
    noted: bool = False  # The page is to be written, but for nothing that is a sign of the call's life.
    learned: list[Learned] = field(default_factory=list)
    orders: Orders = NO_ORDERS

    def say(self, output: Output) -> None:
        """Add an output, to be sent once the page is written."""
        self.outputs.append(output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a command ended, and what there is to show for it."""

    state: State
    reason: Reason = Reason.NONE
    http_status: int = 0
    errors: tuple[TelnyxError, ...] = ()
    message: str = ""
    response: bytes = b""
    legs: tuple[Leg, ...] = ()
    attempts: int = 0
    send_ms: int = 0
    related: str = ""


def ending_of(outcome: Outcome, state: State, reason: Reason = Reason.NONE) -> Ending:
    """An ending that shows what the worker learned."""
    return Ending(
        state=state,
        reason=reason,
        http_status=outcome.http_status,
        errors=outcome.errors,
        message=outcome.message,
        response=outcome.response,
        attempts=outcome.attempt,
        send_ms=outcome.sent_ms,
    )


def give_result(turn: Turn, ask: Ask, ending: Ending, *, kind: str = "result", origin: str = "") -> None:
    """Tell the sender how its command ended; all but refusals are remembered."""
    if kind != "refused":
        _remember(turn, ask, ending)
    turn.say(
        Result(
            kind=kind,
            command_id=ask.command_id,
            page=turn.page.key,
            call=call_of(turn.page, ending.legs),
            account=ask.account,
            action=ask.action,
            state=ending.state,
            reason=ending.reason,
            message=ending.message or SENTENCES[ending.reason],
            http_status=ending.http_status,
            errors=ending.errors,
            legs=ending.legs,
            attempts=ending.attempts,
            accept_ms=ask.accept_ms,
            send_ms=ending.send_ms,
            finish_ms=turn.now,
            related=ending.related,
            response=ending.response,
            source=ask.source,
            group=ask.group,
            origin=origin,
            traceparent=ask.traceparent,
        )
    )


def refuse(turn: Turn, ask: Ask, reason: Reason, origin: str, *, message: str = "", related: str = "") -> None:
    """Turn a command away without a trace: its id may come again."""
    ending = Ending(state=State.REJECTED, reason=reason, message=message, related=related)
    give_result(turn, ask, ending, kind="refused", origin=origin)


def settle(turn: Turn, waiting: Open, ending: Ending) -> None:
    """Publish what an UNKNOWN command really came to. Its result stays what it was; the memory learns better."""
    waiting.doubtful, waiting.settled, turn.changed = False, True, True
    known = memory.recall(turn.page.ended, waiting.command_id)
    if known is not None:
        better = replace(
            known,
            finish_ms=turn.now,
            http_status=ending.http_status,
            state=ending.state,
            reason=ending.reason,
            doubt=known.reason,
        )
        turn.page.ended = memory.remember(turn.page.ended, waiting.command_id, better)
    turn.say(
        Result(
            kind="settled",
            command_id=waiting.command_id,
            page=turn.page.key,
            call=call_of(turn.page, ending.legs),
            account=waiting.account,
            action=waiting.action,
            state=ending.state,
            reason=ending.reason,
            message=ending.message or SENTENCES[ending.reason],
            http_status=ending.http_status,
            errors=ending.errors,
            legs=ending.legs,
            attempts=ending.attempts,
            accept_ms=waiting.accept_ms,
            send_ms=waiting.sent_ms,
            finish_ms=turn.now,
            response=ending.response,
            source=waiting.source,
            group=waiting.group,
            traceparent=waiting.traceparent,
        )
    )


def complete(
    turn: Turn, waiting: Open, state: Completion, reason: Reason = Reason.NONE, clue: Clue | None = None
) -> None:
    """Publish a completion and forget that it was awaited. `clue` is the event that showed it."""
    turn.changed = True
    if waiting in turn.page.open:
        turn.page.open.remove(waiting)
    known = memory.recall(turn.page.ended, waiting.command_id)
    if known is not None:
        turn.page.ended = memory.remember(turn.page.ended, waiting.command_id, replace(known, completion=state))
    turn.say(
        Completed(
            command_id=waiting.command_id,
            page=turn.page.key,
            call=call_of(turn.page, turn.page.legs),
            account=waiting.account,
            action=waiting.action,
            state=state,
            reason=reason,
            event_id=clue.event_id if clue else "",
            event_type=clue.event_type if clue else "",
            status=clue.status if clue else "",
            occur_ms=clue.occurred_ms if clue else 0,
            finish_ms=turn.now,
            traceparent=waiting.traceparent,
            accept_ms=waiting.accept_ms,
        )
    )


def call_of(page: Page, legs: Sequence[Leg]) -> str:
    """The call that a record is about: for a dial the first leg it made, as soon as that is known."""
    if not page.is_dial:
        return page.key
    return legs[0].call if legs else ""


def awaiting(flight: Flight, deadline_ms: int) -> Open:
    """What stays on the page of a command whose result was given."""
    ask = flight.ask
    return Open(
        command_id=ask.command_id,
        action=ask.action,
        account=ask.account,
        source=ask.source,
        group=ask.group,
        accept_ms=ask.accept_ms,
        sent_ms=_first_sent_ms(flight),
        deadline_ms=deadline_ms,
        endless=ask.endless,
        fingerprint=ask.fingerprint,
        completion_ms=ask.completion_ms,
        traceparent=ask.traceparent,
        marks=ask.marks,
        goes_on=ask.goes_on,
        clears=ask.clears,
        order=flight.order,
        surely_sent_ms=min((one.sent_ms for one in flight.outcomes if one.sent_ms), default=flight.first_ms),
        stopped=flight.stopped,
        new_legs=ask.new_legs,
        joins=ask.joins,
    )


def _first_sent_ms(flight: Flight) -> int:
    """When it may have had its effect for the first time: an attempt of which nothing is known may have been sent."""
    heard = {one.attempt: one for one in flight.outcomes}
    for attempt in range(1, flight.attempt + 1):
        outcome = heard.get(attempt)
        if outcome is None or outcome.verdict in (Verdict.LATE, Verdict.WAITING):
            break
        if outcome.sent_ms:
            return outcome.sent_ms
    return flight.first_ms


def _remember(turn: Turn, ask: Ask, ending: Ending) -> None:
    turn.changed = True
    ended = memory.Remembered(ask.fingerprint, ask.accept_ms, turn.now, ending.http_status, ending.state, ending.reason)
    turn.page.ended = memory.remember(turn.page.ended, ask.command_id, ended)
