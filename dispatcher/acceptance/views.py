"""What a page shows of a call and of its commands, as the contract has it. Pure.

Of a command that has ended a page remembers 32 bytes: what is said here of such a one is what they hold.
"""

from __future__ import annotations

from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.v1 import command_pb2, result_pb2, view_pb2
from dispatcher.core import memory
from dispatcher.core.commands import Ask
from dispatcher.core.memory import Remembered
from dispatcher.core.page import Flight, Held, Life, Open, Page
from dispatcher.core.words import SENTENCES, Reason, State

_SEQUENCE_MAX: Final = (1 << 64) - 1  # The field takes no more; after it there is no next one.

_STATES: Final = {
    Life.UNHEARD: view_pb2.CALL_STATE_UNKNOWN,
    Life.ALIVE: view_pb2.CALL_STATE_RINGING,
    Life.ANSWERED: view_pb2.CALL_STATE_ACTIVE,
    Life.ENDED: view_pb2.CALL_STATE_ENDED,
    Life.STRANGER: view_pb2.CALL_STATE_ACTIVE,  # Events came, and not from its beginning on.
}
DIRECTIONS: Final = {"incoming": view_pb2.DIRECTION_INCOMING, "outgoing": view_pb2.DIRECTION_OUTGOING}


def call_view(page: Page) -> view_pb2.CallView:
    """A call, from its page."""
    return view_pb2.CallView(
        call_control_id=page.key,
        account=page.account,
        call_leg_id=page.leg,
        call_session_id=page.session,
        direction=DIRECTIONS.get(page.direction, view_pb2.DIRECTION_UNSPECIFIED),
        state=_STATES[page.life],
        next_sequence=min(page.sequence + 1, _SEQUENCE_MAX),
        line=[_waiting(page, held, place) for place, held in enumerate(_waiting_ones(page), 1)],
        in_flight=[_released(page, flight) for flight in page.flights],
        open=[_open(page, one) for one in page.open if not one.doubtful],
        first_seen_time=timestamp(page.opened_ms),
        end_time=timestamp(page.ended_ms),
        hangup_cause=page.hangup_cause,
    )


def command_view(page: Page, command_id: str) -> view_pb2.CommandView | None:
    """A command, from its call's page or its own dial's; None where the page knows none of this id."""
    for place, held in enumerate(_waiting_ones(page), 1):
        if held.ask.command_id == command_id:
            return _waiting(page, held, place)
    for flight in page.flights:
        if flight.ask.command_id == command_id:
            return _released(page, flight)
    for one in page.open:
        if one.command_id == command_id and not one.doubtful:
            return _open(page, one)
    known = memory.recall(page.ended, command_id)
    return None if known is None else _ended(page, command_id, known)


def completion_of(page: Page, command_id: str, action: str, known: Remembered) -> result_pb2.CommandCompletion | None:
    """What is remembered of a completion; None where there was none."""
    if known.completion is None:
        return None
    return result_pb2.CommandCompletion(
        command_id=command_id,
        call_control_id=_call(page),
        account=page.account,
        action=action,
        state=result_pb2.CompletionState.Value(f"COMPLETION_STATE_{known.completion}"),
    )


def timestamp(time_ms: int | None) -> Timestamp | None:
    """Unix milliseconds as protobuf has them; None for never."""
    if not time_ms:
        return None
    return Timestamp(seconds=time_ms // 1000, nanos=time_ms % 1000 * 1_000_000)


def _waiting_ones(page: Page) -> list[Held]:
    """The line, and behind it what came before its sequence number's turn."""
    return [*page.line, *page.early]


def _waiting(page: Page, held: Held, place: int) -> view_pb2.CommandView:
    view = _asked(page, held.ask, view_pb2.PHASE_WAITING, held.expire_ms)
    view.position = place
    return view


def _released(page: Page, flight: Flight) -> view_pb2.CommandView:
    view = _asked(page, flight.ask, view_pb2.PHASE_RELEASED, flight.expire_ms)
    view.attempts = flight.attempt
    if flight.answered and (known := memory.recall(page.ended, flight.ask.command_id)):
        _show_result(view, page, known)
    return view


def _asked(page: Page, ask: Ask, phase: view_pb2.Phase.ValueType, expire_ms: int | None) -> view_pb2.CommandView:
    gated = ask.after_completed
    return view_pb2.CommandView(
        command_id=ask.command_id,
        call_control_id=_call(page),
        account=ask.account,
        action=ask.action,
        phase=phase,
        accept_time=timestamp(ask.accept_ms),
        expire_time=timestamp(expire_ms),
        sequence=ask.sequence,
        start_after=command_pb2.START_AFTER_PREVIOUS_COMPLETED if gated else command_pb2.START_AFTER_PREVIOUS_RESULT,
        source=ask.source,
        group=ask.group,
    )


def _open(page: Page, one: Open) -> view_pb2.CommandView:
    view = view_pb2.CommandView(
        command_id=one.command_id,
        call_control_id=_call(page),
        account=one.account,
        action=one.action,
        phase=view_pb2.PHASE_OPEN,
        accept_time=timestamp(one.accept_ms),
        source=one.source,
        group=one.group,
    )
    if known := memory.recall(page.ended, one.command_id):
        _show_result(view, page, known)
    return view


def _ended(page: Page, command_id: str, known: Remembered) -> view_pb2.CommandView:
    action = "dial" if page.is_dial else ""  # Of all others the action is forgotten with the body.
    view = view_pb2.CommandView(
        command_id=command_id,
        call_control_id=_call(page),
        account=page.account,
        action=action,
        phase=view_pb2.PHASE_ENDED,
        completion=completion_of(page, command_id, action, known),
        accept_time=timestamp(known.accept_ms),
    )
    _show_result(view, page, known)
    return view


def _show_result(view: view_pb2.CommandView, page: Page, known: Remembered) -> None:
    """The result as it was given; where that was UNKNOWN and is known better by now, both."""
    latest = _result(page, view.command_id, view.action, known)
    if known.doubt is None:
        view.result.CopyFrom(latest)
        return
    latest.settles = True
    view.settlement.CopyFrom(latest)
    # Of what was given first its reason is remembered.
    given = Remembered(known.fingerprint, known.accept_ms, 0, 0, State.UNKNOWN, known.doubt)
    view.result.CopyFrom(_result(page, view.command_id, view.action, given))
    del view.result.dialed[:]


def _result(page: Page, command_id: str, action: str, known: Remembered) -> result_pb2.CommandResult:
    reason = "UNSPECIFIED" if known.reason is Reason.NONE else known.reason
    return result_pb2.CommandResult(
        command_id=command_id,
        call_control_id=_call(page),
        account=page.account,
        action=action,
        state=result_pb2.State.Value(f"STATE_{known.state}"),
        reason=result_pb2.Reason.Value(f"REASON_{reason}"),
        message=SENTENCES[known.reason],
        http_status=known.http_status,
        dialed=[
            result_pb2.Dialed(call_control_id=leg.call, call_leg_id=leg.leg, call_session_id=leg.session)
            for leg in page.legs
        ],
        accept_time=timestamp(known.accept_ms),
        finish_time=timestamp(known.finish_ms),
    )


def _call(page: Page) -> str:
    """The call: of a dial the first leg it made, as soon as that is known."""
    if not page.is_dial:
        return page.key
    return page.legs[0].call if page.legs else ""
