"""Completion: which event shows that what a command started is in effect.

No webhook names its command, so an event is given to the oldest open command that it could complete and that was sent
before it happened (2 s grace). Telnyx queues speaks and playbacks in order, so the oldest is the right one. A stop
(playback_stop, gather_stop) is completed by the same event as what it stops. An event that fits nothing open is kept as
a clue by those that are still in the workers' hands: it may have overtaken their outcome.

An UNKNOWN command is settled by an event only if no other command of its kind was open since, so that nobody else's
event is taken for proof (see rivals.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cordboard.catalogue import CATALOGUE
from dispatcher.core.commands import CALL_ENDING, DIAL
from dispatcher.core.page import Clue, Flight, Life, Open
from dispatcher.core.rivals import completing_events, is_stop
from dispatcher.core.turn import GRACE_MS, Ending, Turn, awaiting, complete, settle
from dispatcher.core.words import Completion, Reason, State

CLUES_MAX: Final = 8
OPEN_MAX: Final = 256  # Commands of one call whose event is awaited: a page has to have a greatest size.
_FAILED: Final = frozenset({"failed", "file_not_found", "unknown"})  # Of a playback that did not play.
_CALL_ENDED: Final = "call_hangup"


def begin(turn: Turn, flight: Flight, ending: Ending) -> None:
    """A command has succeeded: complete it, or await the event that will."""
    waiting = awaiting(flight, ending.send_ms or flight.first_ms, turn.now + flight.ask.completion_ms)
    waiting.calls = [leg.call for leg in ending.legs]
    _start(turn, waiting, flight.clues)


def settle_as_done(turn: Turn, doubt: Open, ending: Ending) -> None:
    """An UNKNOWN command turns out to have been done: say so, and await its completion like any other's."""
    turn.page.open.remove(doubt)
    settle(turn, doubt, ending)
    doubt.deadline_ms = turn.now + doubt.completion_ms
    doubt.calls = [leg.call for leg in ending.legs]
    _start(turn, doubt, ())


def _start(turn: Turn, waiting: Open, clues: Sequence[Clue]) -> None:
    if CATALOGUE[waiting.action].completion.at_acceptance:
        complete(turn, waiting, Completion.COMPLETED)
        return
    await_event(turn, waiting)
    match_clues(turn, waiting, clues)
    if turn.page.life is Life.ENDED and waiting.action not in CALL_ENDING and waiting in turn.page.open:
        complete(turn, waiting, Completion.INCOMPLETE, Reason.CALL_ENDED)


def match_clues(turn: Turn, waiting: Open, clues: Sequence[Clue]) -> None:
    """Hold what was heard before the outcome against the command."""
    for clue in clues:
        if waiting in turn.page.open and not waiting.contested and _fits(waiting, clue):
            _apply(turn, waiting, clue)


def hear(turn: Turn, clue: Clue) -> str:
    """Complete what this event completes. Returns the command it belongs to, or ""."""
    fitting = [waiting for waiting in turn.page.open if _fits(waiting, clue)]
    stops = [waiting for waiting in fitting if is_stop(waiting.action) and not waiting.doubtful]
    started = [waiting for waiting in fitting if not is_stop(waiting.action) and not waiting.doubtful]
    proven = [waiting for waiting in fitting if waiting.doubtful and not waiting.contested]
    taken = started[:1] or proven[:1]
    for waiting in (*taken, *stops):
        _apply(turn, waiting, clue)
    _leave_clue(turn, clue, is_taken=bool(taken or stops))
    first = next(iter((*taken, *stops)), None)
    return "" if first is None else first.command_id


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
    else:
        heard = turn.page.heard_ms
        complete(turn, waiting, Completion.INCOMPLETE, Reason.NO_EVENT if heard else Reason.WEBHOOKS_ELSEWHERE)


def _fits(waiting: Open, clue: Clue) -> bool:
    if clue.event_type not in completing_events(waiting.action, endless=waiting.endless):
        return False
    # A call ends once, and a dial hears only of its own legs: whatever the clocks say.
    is_certain = waiting.action in CALL_ENDING or waiting.action == DIAL
    return is_certain or waiting.sent_ms - GRACE_MS <= clue.occurred_ms


def _leave_clue(turn: Turn, clue: Clue, *, is_taken: bool) -> None:
    """For those on their way. What ends a thing completes all that would have ended it, so it is never used up."""
    for flight in turn.page.flights:
        action = flight.ask.action
        if is_taken and not is_stop(action) and action not in CALL_ENDING:
            continue
        if clue.event_type in completing_events(action, endless=flight.ask.endless):
            flight.clues = [*flight.clues, clue][-CLUES_MAX:]
            turn.changed = True


def _apply(turn: Turn, waiting: Open, clue: Clue) -> None:
    if waiting.doubtful:
        turn.page.open.remove(waiting)
        settle(turn, waiting, Ending(state=State.SUCCEEDED, send_ms=waiting.sent_ms))
    if clue.event_type in CATALOGUE[waiting.action].completion.failed_by:
        waiting.calls = [call for call in waiting.calls if call != clue.call]
        turn.changed = True
        if not waiting.calls:  # A dial of several legs has failed when the last one has.
            complete(turn, waiting, Completion.FAILED, Reason.NONE, clue)
    elif clue.status in _FAILED and not is_stop(waiting.action):
        complete(turn, waiting, Completion.FAILED, Reason.NONE, clue)
    elif clue.status == _CALL_ENDED:
        complete(turn, waiting, Completion.INCOMPLETE, Reason.CALL_ENDED, clue)
    else:
        complete(turn, waiting, Completion.COMPLETED, Reason.NONE, clue)
