"""Orders that reach what waits: a NOW of the call, requests to cancel, and cancels of whole groups."""

from __future__ import annotations

from dispatcher.core import memory
from dispatcher.core.commands import Ask
from dispatcher.core.decision import CancelAnswer
from dispatcher.core.inputs import CancelAsked
from dispatcher.core.line import take_out
from dispatcher.core.page import Page
from dispatcher.core.turn import Ending, Turn, give_result
from dispatcher.core.words import Placement, Reason, State


def cancelled_by(turn: Turn, ask: Ask) -> Reason | None:
    """What came after it was accepted, and was read before it: as if it had waited then."""
    if _was_overtaken(turn.page, ask):
        return Reason.SUPERSEDED
    if turn.orders.cancels(ask.account, ask.group, ask.accept_ms):
        return Reason.CANCEL_REQUESTED
    return None


def _was_overtaken(page: Page, ask: Ask) -> bool:
    """Whether it was accepted before a command with placement NOW, but read after it: as if cancelled by it.

    What comes after that one by its own number is not before it.
    """
    if ask.placement is Placement.NOW or ask.accept_ms > page.now_ms:
        return False
    if ask.sequence and page.now_sequence:
        return ask.sequence < page.now_sequence
    return ask.accept_ms < page.now_ms


def obey(turn: Turn) -> None:
    """Cancel what waits of groups that were cancelled."""
    page = turn.page
    for held in [*page.line, *page.early]:
        if turn.orders.cancels(held.ask.account, held.ask.group, held.ask.accept_ms):
            take_out(page, held)
            turn.changed = True
            give_result(turn, held.ask, Ending(state=State.CANCELLED, reason=Reason.CANCEL_REQUESTED))


def cancel(turn: Turn, wanted: CancelAsked) -> None:
    """Cancel what waits; what was released is too late for it."""
    page = turn.page

    def is_meant(ask: Ask) -> bool:
        if wanted.group and ask.group != wanted.group:
            return False
        return not wanted.command_ids or ask.command_id in wanted.command_ids

    meant = [held for held in (*page.line, *page.early) if is_meant(held.ask)]
    for held in meant:
        take_out(page, held)
        give_result(turn, held.ask, Ending(state=State.CANCELLED, reason=Reason.CANCEL_REQUESTED))
    cancelled = tuple(held.ask.command_id for held in meant)
    released = {flight.ask.command_id for flight in page.flights if is_meant(flight.ask)}
    ended = {name for name in wanted.command_ids if memory.recall(page.ended, name) is not None}
    too_late = tuple(sorted((released | ended) - set(cancelled)))
    turn.say(
        CancelAnswer(
            request_id=wanted.request_id,
            page=page.key,
            account=page.account,
            cancelled=cancelled,
            too_late=too_late,
            unknown=tuple(name for name in wanted.command_ids if name not in cancelled and name not in too_late),
        )
    )
