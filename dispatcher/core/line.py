"""The line: which command of a call goes next, and when.

One command is in the workers' hands at a time, and the next one waits for its outcome. What passes:

- hangup and reject with placement NOW, even while another is in flight;
- nothing else. NEXT only goes to the head of the line, and through a gate.

What holds the head back: a gate (the command before it has not completed), the hold after answer, a command it requires
that has not succeeded (it is cancelled then), for a dial the want of a permit (permits.py), and a pause of its account.
While an account is paused its line stands still, but for what ends the call: that passes what the pause holds back.
"""

from __future__ import annotations

from typing import Final

from cordboard.work import Work
from dispatcher.core import memory, permits
from dispatcher.core.commands import Ask
from dispatcher.core.decision import Release
from dispatcher.core.links import tell_joined
from dispatcher.core.page import Flight, Held, Page
from dispatcher.core.rivals import contest, is_contested
from dispatcher.core.turn import Ending, Turn, give_result
from dispatcher.core.words import Placement, Reason, State

OUTCOME_WAIT_MS: Final = 15_000  # No outcome for so long: judge.
_USED_MAX: Final = 64
WINDOW_MS: Final = 50_000  # No try starts later than this after the first release: Telnyx remembers for 60 s.


def move(turn: Turn) -> None:
    """Release whatever may go now, and end what cannot go any more."""
    _let_pass(turn)
    while turn.page.line and not _is_held_up(turn):
        held = turn.page.line[0]
        if _ends_here(turn, held):
            continue
        if _is_paused(turn, held):
            _end_call_all_the_same(turn)
            return
        if held.ask.is_dial and not permits.may_go(turn, held):
            return
        turn.page.line.pop(0)
        _release_first(turn, held, passing=False)


def _is_paused(turn: Turn, held: Held) -> bool:
    return not held.ask.ends_call and held.ask.account in turn.orders.paused


def _end_call_all_the_same(turn: Turn) -> None:
    final = next((held for held in turn.page.line if held.ask.ends_call and not held.ask.requires), None)
    if final is not None:
        turn.page.line.remove(final)
        _release_first(turn, final, passing=False)


def wanting_credit(turn: Turn) -> tuple[str, ...]:
    """The dials that could go if their lane had room."""
    return tuple(
        held.ask.command_id for held in turn.page.line[:1] if held.ask.is_dial and permits.wants_credit(turn, held)
    )


def has_credit(page: Page) -> bool:
    """Whether a dial has its lane's room, and nobody knows yet what came of it."""
    if not page.is_dial:
        return False
    return any(held.credited for held in page.line) or any(not flight.answered for flight in page.flights)


def expire(turn: Turn, at_ms: int) -> None:
    """End everything in the line whose time has passed."""
    page = turn.page
    for held in [*page.line, *page.early]:
        if held.expire_ms is not None and held.expire_ms <= at_ms:
            ending = Ending(state=State.EXPIRED, reason=_why_it_waited(turn, held))
            take_out(page, held)
            give_result(turn, held.ask, ending)


def _why_it_waited(turn: Turn, held: Held) -> Reason:
    if _is_paused(turn, held):
        return Reason.PAUSED
    # A dial is alone in its line, and waits for nothing but its permits.
    return Reason.RATE_LIMITED if held.ask.is_dial and turn.page.opened_ms < turn.now else Reason.IN_LINE


def take_out(page: Page, held: Held) -> None:
    """Remove a command that will not be sent. Who waited for it now waits for what it waited for."""
    page.line = [one for one in page.line if one is not held]
    page.early = [one for one in page.early if one is not held]
    if held.ask.sequence > page.sequence:
        page.used = [*page.used, held.ask.sequence][-_USED_MAX:]
    if not held.gate:
        return
    page.last = held.gate if page.last == held.ask.command_id else page.last
    for one in page.line:
        one.gate = held.gate if one.gate == held.ask.command_id else one.gate


def empty(turn: Turn) -> None:
    """The call is over: nothing that waits will be sent."""
    page = turn.page
    waiting, page.line, page.early = [*page.line, *page.early], [], []
    for held in waiting:
        if held.ask.ends_call:
            ending = Ending(state=State.SUCCEEDED, reason=Reason.ALREADY_ENDED)
        else:
            ending = Ending(state=State.CANCELLED, reason=Reason.CALL_ENDED)
        give_result(turn, held.ask, ending)


def _let_pass(turn: Turn) -> None:
    page = turn.page
    for held in [held for held in page.line if _passes(held.ask)]:
        page.line.remove(held)
        _release_first(turn, held, passing=True)


def _passes(ask: Ask) -> bool:
    return ask.ends_call and ask.placement is Placement.NOW and not ask.requires


def _is_held_up(turn: Turn) -> bool:
    page, head = turn.page, turn.page.line[0]
    if any(not flight.passing for flight in page.flights):
        return True
    if turn.now < page.hold_until_ms:
        return True
    if head.gate and not _opens(turn, head):
        return True
    return bool(head.ask.requires) and _is_under_way(page, head.ask.requires)


def _opens(turn: Turn, held: Held) -> bool:
    """Whether the command before it has completed, failed or was never done; its default expiry runs from here."""
    if is_awaited(turn.page, held.gate):
        return False
    held.gate = ""
    if held.expire_ms is None and held.ask.expire_after_ms is not None:
        held.expire_ms = turn.now + held.ask.expire_after_ms
    turn.changed = True
    return True


def is_awaited(page: Page, command_id: str) -> bool:
    """Whether a command was released and has not completed, so that a gate behind it is closed."""
    is_open = any(waiting.command_id == command_id and not waiting.doubtful for waiting in page.open)
    return is_open or _is_under_way(page, command_id)


def _is_under_way(page: Page, command_id: str) -> bool:
    """Whether a command was released and has no result yet. What still waits in the line stands behind."""
    return any(flight.ask.command_id == command_id and not flight.answered for flight in page.flights)


def _ends_here(turn: Turn, held: Held) -> bool:
    if held.expire_ms is not None and held.expire_ms <= turn.now:
        ending = Ending(state=State.EXPIRED, reason=_why_it_waited(turn, held))
    elif held.ask.requires and not _has_succeeded(turn.page, held.ask.requires):
        ending = Ending(state=State.CANCELLED, reason=Reason.PREVIOUS_FAILED, related=held.ask.requires)
    elif turn.limits.guards_of(held.ask.account).dry_run and not held.ask.ends_call:
        ending = Ending(state=State.REJECTED, reason=Reason.DRY_RUN)
    else:
        return False
    take_out(turn.page, held)
    give_result(turn, held.ask, ending)
    return True


def _has_succeeded(page: Page, command_id: str) -> bool:
    known = memory.recall(page.ended, command_id)
    return known is not None and known.state is State.SUCCEEDED


def _release_first(turn: Turn, held: Held, *, passing: bool) -> None:
    # Whose events are still to come when this one goes may be heard of after it is gone.
    is_contestable = is_contested(turn.page, held.ask.action)
    contest(turn.page, held.ask.action)
    turn.page.released += 1
    flight = Flight(
        ask=held.ask,
        attempt=0,
        first_ms=turn.now,
        released_ms=turn.now,
        deadline_ms=turn.now,
        expire_ms=held.expire_ms,
        passing=passing,
        contested=is_contestable,
        order=turn.page.released,
    )
    turn.page.flights.append(flight)
    tell_joined(turn, held.ask.joins)
    release(turn, flight)


def release(turn: Turn, flight: Flight) -> None:
    """Hand the request to the workers: the first time, or again as the next attempt, with the same bytes."""
    ask = flight.ask
    turn.changed = True
    flight.attempt += 1
    flight.released_ms = turn.now
    flight.deadline_ms = turn.now + OUTCOME_WAIT_MS
    turn.say(
        Release(
            work=Work(
                key=turn.page.key,
                command_id=ask.command_id,
                attempt=flight.attempt,
                account=ask.account,
                action=ask.action,
                lane=ask.lane,
                repeat=ask.repeat,
                method=ask.method,
                path=ask.path,
                body=ask.body,
                released_ms=turn.now,
                not_after_ms=None if ask.ends_call else flight.first_ms + WINDOW_MS,
                expire_ms=flight.expire_ms,
                traceparent=ask.traceparent,
            ),
            accept_ms=ask.accept_ms,
        )
    )


def credit(turn: Turn, command_id: str) -> None:
    """The lane has room for this one."""
    for held in turn.page.line:
        if held.ask.command_id == command_id and not held.credited:
            held.credited = turn.changed = True
