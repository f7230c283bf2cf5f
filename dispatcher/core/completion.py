"""Completion: which event shows that what a command started is in effect.

To which command an event belongs is decided in `matching`; here, what comes of it. A stop (playback_stop, gather_stop)
is completed by the same event as what it stops. What was completed by its start (an endless loop, a recording) goes on:
it is kept aside, in `Page.running`, until the event that ends it, so that this is not taken for another command's. An
event that fits nothing open is kept as a clue by those that are still in the workers' hands: it may have overtaken
their outcome.

What stops all that plays also takes away what has not begun, and Telnyx says nothing of that. So what it may have
cleared is awaited only a few seconds more (`Limits.cleared_wait_ms`).

An UNKNOWN command is settled by an event only if no other command of its kind was open since, so that nobody else's
event is taken for proof (see rivals.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cordboard.catalogue import CATALOGUE
from dispatcher.core.commands import CALL_ENDING
from dispatcher.core.links import MAKES_A_LEG
from dispatcher.core.matching import Role, clears, is_end_of, is_ended_by, match_of, owner_of, telling_events
from dispatcher.core.page import Clue, Flight, Life, Open
from dispatcher.core.rivals import is_stop
from dispatcher.core.stops import ends_one, is_past, note_start, note_stop, stops_by
from dispatcher.core.turn import GRACE_MS, Ending, Turn, awaiting, complete, settle
from dispatcher.core.words import Completion, Reason, State

CLUES_MAX: Final = 8
OPEN_MAX: Final = 256  # Commands of one call whose event is awaited: a page has to have a greatest size.
RUNNING_MAX: Final = 32  # And of those that go on after their completion; of the oldest beyond, the end is untied.
OVERTAKEN_WAIT_MS: Final = 10_000  # For an event that was overtaken by the end of what it is of.
_CALL_ENDED: Final = "call_hangup"
_NEVER_MS: Final = 1 << 52
_ENDING_MS: Final = 30_000  # For the event of what was heard when it was stopped.


def begin(turn: Turn, flight: Flight, ending: Ending) -> None:
    """A command has succeeded: complete it, or await the event that will."""
    waiting = awaiting(flight, turn.now + flight.ask.completion_ms)
    waiting.done_ms = turn.now
    waiting.calls = [leg.call for leg in ending.legs]
    _start(turn, waiting, flight.clues)


def settle_as_done(turn: Turn, doubt: Open, ending: Ending) -> None:
    """An UNKNOWN command turns out to have been done: say so, and await its completion like any other's."""
    turn.page.open.remove(doubt)
    settle(turn, doubt, ending)
    doubt.deadline_ms, doubt.done_ms = turn.now + doubt.completion_ms, turn.now
    doubt.calls = [leg.call for leg in ending.legs]
    _start(turn, doubt, ())


def _start(turn: Turn, waiting: Open, clues: Sequence[Clue]) -> None:
    if waiting.clears:
        _clear(turn, waiting)
    rule = CATALOGUE[waiting.action].completion
    if rule.at_acceptance:
        complete(turn, waiting, Completion.COMPLETED)
        _let_go_on(turn, waiting)
        match_clues(turn, waiting, clues)
        return
    await_event(turn, waiting)
    match_clues(turn, waiting, clues)
    if ends_one(waiting.action) and waiting in turn.page.open:
        note_stop(turn, waiting)
    is_too_late = turn.page.life is Life.ENDED and not rule.ends_call and not rule.outlives_call
    if is_too_late and waiting in turn.page.open:
        complete(turn, waiting, Completion.INCOMPLETE, Reason.CALL_ENDED)


def _clear(turn: Turn, by: Open) -> None:
    """Of all that was there before, only what was heard is told of: the last that has begun, or the oldest.

    What has begun ends with an event for certain, so that is awaited as long as a stop's own. What an earlier one took
    away is gone.
    """
    waiting = (one for one in turn.page.open if not one.doubtful)
    before = [one for one in sorted((*turn.page.running, *waiting), key=_age) if one.order < by.order]
    before = [one for one in before if not one.gone and clears(by.action, by.marks, one)]
    oldest = before[0] if before and not by.stopped else None
    heard = next((one for one in reversed(before) if one.begun), oldest)
    for one in before:
        one.gone = one is not heard
        wait_ms = _ENDING_MS if one.begun and not one.gone else turn.limits.cleared_wait_ms
        one.deadline_ms = min(one.deadline_ms, turn.now + wait_ms)


def _note_end(turn: Turn, ended: Open, clue: Clue) -> None:
    """Something has ended: perhaps by what clears it and is still on its way."""
    if clue.event_type in CATALOGUE[ended.action].completion.started_by:
        return
    for flight in turn.page.flights:
        if flight.ask.clears and clears(flight.ask.action, flight.ask.marks, ended):
            flight.stopped = flight.stopped or flight.first_ms - GRACE_MS <= clue.occurred_ms


def _age(waiting: Open) -> int:
    return waiting.order


def match_clues(turn: Turn, waiting: Open, clues: Sequence[Clue]) -> None:
    """Hold what was heard before the outcome against the command."""
    for clue in clues:
        if waiting in turn.page.running and is_ended_by(waiting, clue):
            turn.page.running.remove(waiting)
        if waiting not in turn.page.open or waiting.contested or (match := match_of(waiting, clue)) is None:
            continue
        if not (is_stop(waiting.action) and match.conflicts):
            _apply(turn, waiting, match.role, clue)


def hear(turn: Turn, clue: Clue) -> str:
    """Do what this event means to the command that it belongs to. Returns that command's id, or ""."""
    page = turn.page
    _forget_what_was_stopped(turn)
    owner = owner_of(page, clue)
    stops = stops_by(page, clue, owner)
    taken: list[tuple[Open, Role]] = []
    if owner and isinstance(owner.command, Open):
        taken = [(owner.command, owner.role)]
    elif not owner and (proven := next((one for one in page.open if _is_proven(one, clue)), None)):
        taken = [(proven, Role.COMPLETES)]
    taken += [(stop, Role.COMPLETES) for stop in stops]
    for waiting, role in taken:
        _apply(turn, waiting, role, clue)
        if role in (Role.COMPLETES, Role.ENDS):
            _note_end(turn, waiting, clue)
    _leave_clue(turn, clue, is_taken=bool(taken), is_past=bool(stops) or is_past(page, clue, owner))
    return taken[0][0].command_id if taken else ""


def _forget_what_was_stopped(turn: Turn) -> None:
    """Of what went on until it was cleared away: its end was lost, and must not be seen in another's for ever."""
    going_on = [one for one in turn.page.running if one.deadline_ms > turn.now]
    if len(going_on) < len(turn.page.running):
        turn.page.running, turn.changed = going_on, True


def _is_proven(waiting: Open, clue: Clue) -> bool:
    if not waiting.doubtful or waiting.contested:
        return False
    match = match_of(waiting, clue)
    return match is not None and match.role is Role.COMPLETES


def time_out(turn: Turn, at_ms: int) -> None:
    """Give up on completions whose time is over; doubts that nothing settled are forgotten."""
    for waiting in [one for one in turn.page.open if one.deadline_ms <= at_ms]:
        give_up(turn, waiting)


def await_event(turn: Turn, waiting: Open) -> None:
    """Keep a command open. There is a limit: beyond it the oldest is given up, as if its time were over."""
    turn.page.open.append(waiting)
    turn.changed = True
    if len(turn.page.open) > OPEN_MAX:
        give_up(turn, turn.page.open[0])


def give_up(turn: Turn, waiting: Open) -> None:
    """Nothing will show what became of it."""
    if waiting.doubtful:
        turn.page.open.remove(waiting)
        turn.changed = True
    elif waiting.failing is not None:
        complete(turn, waiting, Completion.FAILED, Reason.NONE, waiting.failing)
    else:
        heard = turn.page.heard_ms
        complete(turn, waiting, Completion.INCOMPLETE, Reason.NO_EVENT if heard else Reason.WEBHOOKS_ELSEWHERE)


def _leave_clue(turn: Turn, clue: Clue, *, is_taken: bool, is_past: bool) -> None:
    """For those on their way. What ends a thing completes all that would have ended it, so it is rarely used up."""
    for flight in turn.page.flights:
        action = flight.ask.action
        if is_past and ends_one(action):
            continue
        if is_taken and not is_stop(action) and action not in CALL_ENDING:
            continue
        if clue.event_type in telling_events(flight.ask):
            flight.clues = [*flight.clues, clue][-CLUES_MAX:]
            turn.changed = True


def _apply(turn: Turn, waiting: Open, role: Role, clue: Clue) -> None:
    match role:
        case Role.COMPLETES:
            _conclude(turn, waiting, clue)
        case Role.STARTS if not waiting.begun:
            waiting.begun = turn.changed = True
        case Role.ENDS:
            turn.page.running.remove(waiting)
            turn.changed = True


def _conclude(turn: Turn, waiting: Open, clue: Clue) -> None:
    """The event by which a command is complete, or has failed."""
    rule = CATALOGUE[waiting.action].completion
    if waiting.doubtful:
        turn.page.open.remove(waiting)
        settle(turn, waiting, Ending(state=State.SUCCEEDED, send_ms=waiting.sent_ms))
    if clue.event_type in rule.failed_by:
        waiting.calls = [call for call in waiting.calls if call != clue.call]
        turn.changed = True
        if clue.answered:
            waiting.failing = clue
        if not waiting.calls:  # A dial of several legs has failed when the last one has.
            _fail(turn, waiting, clue)
    elif clue.status in rule.failed_statuses:
        complete(turn, waiting, Completion.FAILED, Reason.NONE, clue)
    elif clue.status == _CALL_ENDED:
        complete(turn, waiting, Completion.INCOMPLETE, Reason.CALL_ENDED, clue)
    else:
        complete(turn, waiting, Completion.COMPLETED, Reason.NONE, clue)
        if waiting.action in MAKES_A_LEG:
            turn.page.unseen_ms = waiting.sent_ms
        if not is_end_of(waiting, clue.event_type):
            waiting.begun = waiting.begun or clue.event_type in rule.started_by
            _let_go_on(turn, waiting)


def _fail(turn: Turn, waiting: Open, clue: Clue) -> None:
    """Webhooks overtake each other: the end of a call that was answered may come before its call.answered."""
    if waiting.failing is None:
        complete(turn, waiting, Completion.FAILED, Reason.NONE, clue)
        return
    waiting.deadline_ms = min(waiting.deadline_ms, turn.now + OVERTAKEN_WAIT_MS)
    if waiting not in turn.page.open:
        turn.page.open.append(waiting)


def _let_go_on(turn: Turn, waiting: Open) -> None:
    if waiting.endless or waiting.goes_on:
        _forget_what_was_stopped(turn)
        waiting.deadline_ms = _NEVER_MS
        turn.page.running = [*turn.page.running, waiting][-RUNNING_MAX:]
        note_start(turn)
