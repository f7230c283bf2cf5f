"""The call's end: what waits is ended at once, what is open is settled, and nothing enters any more."""

from __future__ import annotations

from cordboard.catalogue import CATALOGUE
from dispatcher.core import completion, line
from dispatcher.core.commands import CALL_ENDING
from dispatcher.core.page import Clue, Life, Open
from dispatcher.core.turn import Ending, Turn, complete, give_result, settle
from dispatcher.core.words import Completion, Reason, State


def end_call(turn: Turn, clue: Clue | None = None) -> None:
    """The call has ended: by its webhook (`clue`), or because Telnyx said so when asked for something."""
    page = turn.page
    if page.life is not Life.ENDED:
        page.life, page.ended_ms, page.hold_until_ms = Life.ENDED, turn.now, 0
        turn.changed = True
        line.empty(turn)
    for waiting in list(page.open):
        _close(turn, waiting, clue)


def abandon(turn: Turn) -> None:
    """Nothing was heard of the call for so long that it is dropped. What would end it is still sent."""
    page = turn.page
    for waiting in list(page.open):
        completion.give_up(turn, waiting)
    page.hold_until_ms, page.given_up_ms, turn.changed = 0, turn.now, True
    for held in [held for held in page.line if not held.ask.ends_call]:
        line.take_out(page, held)
        message = "Nothing was heard of the call for so long that it is taken for over; this was not sent."
        give_result(turn, held.ask, Ending(state=State.CANCELLED, reason=Reason.CALL_ENDED, message=message))


def _close(turn: Turn, waiting: Open, clue: Clue | None) -> None:
    if waiting.action in CALL_ENDING:
        ending = Ending(state=State.SUCCEEDED, send_ms=waiting.sent_ms)
        if waiting.doubtful and clue is None:
            completion.settle_as_done(turn, waiting, ending)  # Its event may still come.
        elif waiting.doubtful:
            turn.page.open.remove(waiting)
            settle(turn, waiting, ending)
        if clue is not None:
            complete(turn, waiting, Completion.COMPLETED, Reason.NONE, clue)
    elif not waiting.doubtful and not CATALOGUE[waiting.action].completion.outlives_call:
        complete(turn, waiting, Completion.INCOMPLETE, Reason.CALL_ENDED, clue)
