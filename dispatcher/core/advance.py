"""The heart: one input applied to one page. Pure: no await, no clock, no I/O; equal arguments, equal decisions.

Rule 1: a page is only ever changed here, and the caller writes it before anything in `outputs` is sent.
Rule 2: `advance` takes its page over: the caller hands in an own copy (`page.decode` makes one) and uses what comes
back, so that a failure in the middle leaves nothing half done.
Rule 3: time passes only by Due. Whatever else comes, no timer fires in its shadow; but nothing past its expiry is
released either.
"""

from __future__ import annotations

from cordboard.orders import NO_ORDERS, Orders
from dispatcher.core import (
    admission,
    aliases,
    asking,
    completion,
    dialling,
    ending,
    flights,
    hearing,
    limiting,
    line,
    links,
    obeying,
    permits,
    retention,
    transfers,
)
from dispatcher.core.decision import Decision
from dispatcher.core.inputs import (
    Announced,
    Asked,
    CancelAsked,
    Credited,
    Due,
    Heard,
    Input,
    Joined,
    Made,
    Opened,
    Ordered,
    Permit,
    Poisoned,
    Step,
    Told,
)
from dispatcher.core.limits import DEFAULT_LIMITS, Limits
from dispatcher.core.page import Life, Page
from dispatcher.core.turn import Ending, Turn, give_result
from dispatcher.core.words import Reason, State


def advance(
    page: Page | None,
    key: str,
    given: Input,
    now: int,
    limits: Limits = DEFAULT_LIMITS,
    orders: Orders = NO_ORDERS,
) -> Decision:
    """Apply an input to the page of `key` (None: there is none yet) at the time `now` (Unix ms)."""
    is_new = page is None
    if page is None:
        page = _new_page(key, given, now)
        if page is None:
            return Decision(page=None, changed=False)
    turn = Turn(page=page, now=now, limits=limits, orders=orders)
    flights.give_up_lost(turn)
    _apply(turn, given)
    flights.give_up_lost(turn)  # A command that was accepted before the restore, and is read behind it.
    if not page.is_alias:
        transfers.settle_by_legs(turn)
        links.announce(turn)
    line.move(turn)
    permits.settle(turn)
    if is_new and not turn.changed:
        return Decision(page=None, changed=False, outputs=turn.outputs)  # Nothing to remember: no page.
    if turn.changed:
        page.touched_ms = now  # Also by a timer: what was just said is remembered, however long the call was silent.
    if isinstance(given, Due) and retention.is_over(page, limits, given.at_ms):
        return Decision(page=None, changed=True, outputs=turn.outputs, learned=turn.learned)
    is_written = turn.changed or turn.noted
    if is_written or isinstance(given, Due):
        page.wake_ms = retention.next_wake(page, limits)
    return Decision(
        page=page,
        changed=is_written,
        outputs=turn.outputs,
        wake_ms=page.wake_ms or None,
        wants_credit=line.wanting_credit(turn),
        has_credit=line.has_credit(page),
        learned=turn.learned,
    )


def _new_page(key: str, given: Input, now: int) -> Page | None:
    """Only a command, a call.initiated or our own dial opens a page; other events make one that knows them again."""
    page = Page(key=key, opened_ms=now, touched_ms=now)
    if isinstance(given, Heard):
        page.life = Life.ALIVE if given.event_type == "call.initiated" else Life.STRANGER
        return None if page.is_dial or (given.copy and not page.is_session) else page
    if isinstance(given, Announced):
        page.life = Life.STRANGER
        return page if page.is_alias else None
    if isinstance(given, Permit):
        page.life = Life.STRANGER
        return page if page.is_limit and given.step is Step.ASKED else None
    return page if isinstance(given, Asked | Poisoned | CancelAsked | Opened) else None


def _apply(turn: Turn, given: Input) -> None:  # noqa: C901, PLR0912 - a line for each input
    match given:
        case Asked():
            admission.take(turn, given)
        case Told(outcome) if outcome.command_id == asking.QUESTION:
            asking.hear_answer(turn, outcome)
        case Told():
            flights.hear_outcome(turn, given)
        case Heard():
            hearing.hear(turn, given)
        case Due(at_ms):
            _pass_time(turn, at_ms)
        case Opened():
            dialling.open_page(turn, given)
        case Announced():
            aliases.take_announced(turn, given)
        case Joined(joining):
            transfers.note_dial(turn, joining)
        case Made(maker):
            transfers.note_maker(turn, maker)
        case CancelAsked():
            obeying.cancel(turn, given)
        case Credited(command_id):
            line.credit(turn, command_id)
        case Permit():
            _hear_permit(turn, given)
        case Ordered():
            obeying.obey(turn)
        case Poisoned(ask):
            admission.end_poisoned(turn, ask)


def _hear_permit(turn: Turn, permit: Permit) -> None:
    if turn.page.is_limit:
        limiting.hear(turn, permit)
    elif (refused := permits.hear(turn, permit)) is not None:
        line.take_out(turn.page, refused)
        give_result(turn, refused.ask, Ending(state=State.REJECTED, reason=Reason.DIAL_LIMIT))


def _pass_time(turn: Turn, at_ms: int) -> None:
    if turn.page.wake_ms <= at_ms:
        turn.noted = True  # What the page waited for has come: it is written with the next time, not asked again.
    if turn.page.hold_until_ms <= at_ms:
        turn.page.hold_until_ms = 0
    line.expire(turn, at_ms)
    admission.give_up_gaps(turn, at_ms)
    flights.judge_silence(turn, at_ms)
    completion.time_out(turn, at_ms)
    aliases.give_up_waiting(turn, at_ms)
    if turn.page.is_limit:
        limiting.pass_time(turn, at_ms)
    if retention.is_abandoned(turn.page, turn.limits, at_ms):
        ending.abandon(turn)
    asking.pass_time(turn, at_ms)
