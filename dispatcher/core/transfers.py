"""What became of new legs, held against the transfers that may have made them: on the page of the call transferred.

Rule 1: nothing here ends this call; a new leg's hangup is its own.
Rule 2: a leg belongs to the oldest open transfer that was sent before the leg began (2 s grace); a transfer in doubt
could only have made it before it was given up. Where that one could be confused with another, nobody can say whose leg
it is, and it counts for none.
Rule 3: a leg counts once. One that was bridged has done what was asked: its hangup, whenever it comes, fails nothing.
Rule 4: webhooks overtake each other. The hangup of a leg that was answered may have overtaken its call.bridged, which
is awaited for as long as that is likely; one that nobody answered was never bridged.
"""

from __future__ import annotations

from typing import Final

from cordboard.catalogue import CATALOGUE
from dispatcher.core.completion import settle_as_done
from dispatcher.core.flights import DOUBT_KEPT_MS
from dispatcher.core.links import MAKES_A_LEG
from dispatcher.core.page import Clue, Open, Page, event_is_known, note_event
from dispatcher.core.turn import GRACE_MS, Ending, Turn, complete
from dispatcher.core.words import Completion, Reason, State

BRIDGED_WAIT_MS: Final = 10_000
LEGS_MAX: Final = 16  # That a page knows of.


def hear(turn: Turn, clue: Clue) -> None:
    """Another leg of this call's session was bridged or hung up."""
    page = turn.page
    if event_is_known(page, clue.event_id) or clue.call in page.spent:
        return
    note_event(page, clue.event_id)
    page.legs_heard = [*page.legs_heard, clue][-LEGS_MAX:]
    turn.changed = True


def settle_by_legs(turn: Turn) -> None:
    """Complete or fail what the legs known by now decide; what may be of a transfer still on its way is kept."""
    page = turn.page
    for clue in list(page.legs_heard):
        waiting = _maker_of(page, clue)
        if waiting is None and any(flight.ask.action in MAKES_A_LEG for flight in page.flights):
            continue
        page.legs_heard.remove(clue)
        turn.changed = True
        if waiting is not None and not (waiting.doubtful and waiting.contested):
            _apply(turn, waiting, clue)
        elif not _is_failure(clue):
            _spend(page, clue)


def _maker_of(page: Page, clue: Clue) -> Open | None:
    able = [one for one in page.open if one.action in MAKES_A_LEG and _may_have_made(one, clue)]
    return min(able, key=lambda one: one.sent_ms, default=None)


def _may_have_made(waiting: Open, clue: Clue) -> bool:
    if clue.begun_ms < waiting.sent_ms - GRACE_MS:
        return False
    return not waiting.doubtful or clue.begun_ms <= waiting.deadline_ms - DOUBT_KEPT_MS + GRACE_MS


def _is_failure(clue: Clue) -> bool:
    return any(clue.event_type in CATALOGUE[name].completion.failed_by_new_leg for name in MAKES_A_LEG)


def _apply(turn: Turn, waiting: Open, clue: Clue) -> None:
    if waiting.doubtful:
        settle_as_done(turn, waiting, Ending(state=State.SUCCEEDED, send_ms=waiting.sent_ms))
        if waiting not in turn.page.open:
            return  # The call has ended meanwhile.
    if not _is_failure(clue):
        _spend(turn.page, clue)
        complete(turn, waiting, Completion.COMPLETED, Reason.NONE, clue)
        return
    waiting.lost_legs += 1
    if waiting.lost_legs < waiting.new_legs:
        return
    if clue.answered:
        waiting.failing, waiting.deadline_ms = clue, min(waiting.deadline_ms, turn.now + BRIDGED_WAIT_MS)
    else:
        _spend(turn.page, clue)
        complete(turn, waiting, Completion.FAILED, Reason.NONE, clue)


def _spend(page: Page, clue: Clue) -> None:
    page.spent = [*page.spent, clue.call][-LEGS_MAX:]
