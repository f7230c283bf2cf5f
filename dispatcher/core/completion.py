"""Completion: which event shows that what a command started is in effect.

No webhook names its command, so an event is given to the oldest open command that it could complete and that was sent
before it happened (2 s grace). Telnyx queues speaks and playbacks in order, so the oldest is the right one. A stop
(playback_stop, gather_stop) is completed by the same event as what it stops. An event that fits nothing open is kept as
a clue by those that are still in the workers' hands: it may have overtaken their outcome.

An UNKNOWN command is settled by an event only if no other command of its kind was open, so that nobody else's event is
taken for proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cordboard.catalogue import CATALOGUE
from dispatcher.core.commands import CALL_ENDING
from dispatcher.core.page import Clue, Flight, Life, Open
from dispatcher.core.turn import GRACE_MS, Ending, Turn, awaiting, complete, settle
from dispatcher.core.words import Completion, Reason, State

CLUES_MAX: Final = 8
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
    doubt.calls = [leg.call for leg in ending.legs]
    _start(turn, doubt, ())


def _start(turn: Turn, waiting: Open, clues: Sequence[Clue]) -> None:
    if CATALOGUE[waiting.action].completion.at_acceptance:
        complete(turn, waiting, Completion.COMPLETED)
        return
    turn.page.open.append(waiting)
    turn.changed = True
    match_clues(turn, waiting, clues)
    if turn.page.life is Life.ENDED and waiting.action not in CALL_ENDING and waiting in turn.page.open:
        complete(turn, waiting, Completion.INCOMPLETE, Reason.CALL_ENDED)


def match_clues(turn: Turn, waiting: Open, clues: Sequence[Clue]) -> None:
    """Hold what was heard before the outcome against the command."""
    for clue in clues:
        if waiting in turn.page.open and _fits(waiting, clue):
            _apply(turn, waiting, clue)


def hear(turn: Turn, clue: Clue) -> str:
    """Complete what this event completes. Returns the command it belongs to, or ""."""
    fitting = [waiting for waiting in turn.page.open if _fits(waiting, clue)]
    stops = [waiting for waiting in fitting if _is_stop(waiting.action) and not waiting.doubtful]
    started = [waiting for waiting in fitting if not _is_stop(waiting.action) and not waiting.doubtful]
    doubtful = [waiting for waiting in fitting if waiting.doubtful]
    taken = started[:1] or ([] if _rivals(turn, clue, doubtful) else doubtful)
    for waiting in (*taken, *stops):
        _apply(turn, waiting, clue)
    if not taken and not stops:
        _leave_clue(turn, clue)
    first = next(iter((*taken, *stops)), None)
    return "" if first is None else first.command_id


def time_out(turn: Turn, at_ms: int) -> None:
    """Give up on completions whose time is over; doubts that nothing settled are forgotten."""
    for waiting in [one for one in turn.page.open if one.deadline_ms <= at_ms]:
        if waiting.doubtful:
            turn.page.open.remove(waiting)
            turn.changed = True
        else:
            heard = turn.page.heard_ms
            complete(turn, waiting, Completion.INCOMPLETE, Reason.NO_EVENT if heard else Reason.WEBHOOKS_ELSEWHERE)


def _is_stop(action: str) -> bool:
    return action.endswith("_stop")


def _events(waiting: Open) -> frozenset[str]:
    return completing_events(waiting.action, endless=waiting.endless)


def completing_events(action: str, *, endless: bool = False) -> frozenset[str]:
    """The event types that end the wait for a command; what repeats for ever is in effect once it started."""
    rule = CATALOGUE[action].completion
    done = rule.endless.completed_by if endless and rule.endless else rule.completed_by
    return done | rule.failed_by


def _fits(waiting: Open, clue: Clue) -> bool:
    return clue.event_type in _events(waiting) and waiting.sent_ms - GRACE_MS <= clue.occurred_ms


def _rivals(turn: Turn, clue: Clue, doubtful: Sequence[Open]) -> bool:
    """Whether the event could be another command's than the one in doubt."""
    if len(doubtful) > 1:
        return True
    return any(clue.event_type in completing_events(flight.ask.action) for flight in turn.page.flights)


def _leave_clue(turn: Turn, clue: Clue) -> None:
    for flight in turn.page.flights:
        if clue.event_type in completing_events(flight.ask.action, endless=flight.ask.endless):
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
    elif clue.status in _FAILED:
        complete(turn, waiting, Completion.FAILED, Reason.NONE, clue)
    elif clue.status == _CALL_ENDED:
        complete(turn, waiting, Completion.INCOMPLETE, Reason.CALL_ENDED, clue)
    else:
        complete(turn, waiting, Completion.COMPLETED, Reason.NONE, clue)
