"""Orders that reach what waits: a NOW of the call, and cancels of whole groups."""

from __future__ import annotations

from dispatcher.core.commands import Ask
from dispatcher.core.line import take_out
from dispatcher.core.turn import Ending, Turn, give_result
from dispatcher.core.words import Placement, Reason, State


def cancelled_by(turn: Turn, ask: Ask) -> Reason | None:
    """What came after it was accepted, and was read before it: as if it had waited then."""
    if ask.accept_ms < turn.page.now_ms and ask.placement is not Placement.NOW:
        return Reason.SUPERSEDED
    if turn.orders.cancels(ask.account, ask.group, ask.accept_ms):
        return Reason.CANCEL_REQUESTED
    return None


def obey(turn: Turn) -> None:
    """Cancel what waits of groups that were cancelled."""
    page = turn.page
    for held in [*page.line, *page.early]:
        if turn.orders.cancels(held.ask.account, held.ask.group, held.ask.accept_ms):
            take_out(page, held)
            turn.changed = True
            give_result(turn, held.ask, Ending(state=State.CANCELLED, reason=Reason.CANCEL_REQUESTED))
