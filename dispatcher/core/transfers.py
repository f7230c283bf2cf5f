"""What became of new legs, held against the transfers that may have made them: on the page of the call transferred.

Rule 1: nothing here ends this call; a new leg's hangup is its own.
Rule 2: a leg belongs to the oldest open transfer that was sent before the leg began (2 s grace); a transfer in doubt
could only have made it before it was given up. Where that one could be confused with another, nobody can say whose leg
it is, and it counts for none.
So it is with the leg of a transfer that this call's own event has completed, until that leg is heard of.
Rule 3: a leg counts once. One that was bridged has done what was asked: its hangup, whenever it comes, fails nothing.
Rule 4: webhooks overtake each other. The hangup of a leg that was answered may have overtaken its call.bridged, which
is awaited for as long as that is likely; one that nobody answered was never bridged.
Rule 5: the leg of a dial that joined this call's session is no transfer's. While a dial was sent and its legs are not
known, a leg that began since counts for nothing: it may be the dial's.
Rule 6: a leg that was answered is told which transfer made it, if that asked for what answers: so the leg's events of
that are the transfer's.
"""

from __future__ import annotations

from typing import Final

from cordboard.catalogue import CATALOGUE
from dispatcher.core.completion import OVERTAKEN_WAIT_MS, settle_as_done
from dispatcher.core.decision import Tell
from dispatcher.core.events import event_is_known, note_event
from dispatcher.core.flights import DOUBT_KEPT_MS
from dispatcher.core.links import ANSWERED, MAKES_A_LEG
from dispatcher.core.page import Clue, Joining, Open, Page
from dispatcher.core.turn import GRACE_MS, Ending, Turn, complete
from dispatcher.core.words import Completion, Reason, State

LEGS_MAX: Final = 64  # That a page knows of. Telnyx documents no limit; of longer lists, those that ended first.
_JOINING_MAX: Final = 16  # So many dials, too.
_OF_NEW_LEGS: Final = frozenset(
    event for name in MAKES_A_LEG for event in CATALOGUE[name].completion.progress_of_new_leg
)


def hear(turn: Turn, clue: Clue) -> None:
    """Another leg of this call's session was bridged or hung up."""
    page = turn.page
    if event_is_known(page, clue.event_id) or clue.call in page.spent:
        return
    note_event(page, clue.event_id)
    page.legs_heard = [*page.legs_heard, clue][-LEGS_MAX:]
    turn.changed = True


def note_dial(turn: Turn, joining: Joining) -> None:
    """A dial whose legs join this call's session was sent, or knows some of its legs, or all."""
    page = turn.page
    known = next((one for one in page.joining if one.dial == joining.dial), joining)
    others = [one for one in page.joining if one.dial != joining.dial]
    now = Joining(joining.dial, known.since_ms, over=joining.over or known.over)
    page.joining = [*others, now][-_JOINING_MAX:]
    page.legs_heard = [clue for clue in page.legs_heard if clue.call not in joining.calls]
    page.spent = [*page.spent, *(call for call in joining.calls if call not in page.spent)][-LEGS_MAX:]
    turn.changed = True


def note_maker(turn: Turn, maker: str) -> None:
    """This call was made by a transfer of another one."""
    turn.changed = turn.changed or turn.page.made_by != maker
    turn.page.made_by = maker


def maker_of(page: Page, clue: Clue) -> str:
    """The transfer of another call to which an event belongs that is nobody else's; "" for none."""
    return page.made_by if clue.event_type in _OF_NEW_LEGS else ""


def settle_by_legs(turn: Turn) -> None:
    """Complete or fail what the legs known by now decide; what may be of a transfer still on its way is kept."""
    page = turn.page
    for clue in list(page.legs_heard):
        if _may_be_a_dials(turn, clue):
            continue
        waiting = _maker_of(page, clue)
        if waiting is None and any(flight.ask.action in MAKES_A_LEG for flight in page.flights):
            continue
        page.legs_heard.remove(clue)
        turn.changed = True
        if clue.event_type == ANSWERED:
            _introduce(turn, clue)
        elif waiting is not None and not (waiting.doubtful and _proves_nothing(page, waiting, clue)):
            _apply(turn, waiting, clue)
        elif not _is_failure(clue):
            _spend(page, clue)


def _proves_nothing(page: Page, doubt: Open, clue: Clue) -> bool:
    """Whether a leg may be another transfer's: of one beside it, or before it, whose leg was not heard of yet."""
    is_before_its = page.unseen_ms and clue.begun_ms >= page.unseen_ms - GRACE_MS
    return doubt.contested or bool(is_before_its)


def _may_be_a_dials(turn: Turn, clue: Clue) -> bool:
    return any(
        not one.over and one.since_ms - GRACE_MS <= clue.begun_ms and turn.now < one.since_ms + DOUBT_KEPT_MS
        for one in turn.page.joining
    )


def _introduce(turn: Turn, clue: Clue) -> None:
    """Tell a leg which transfer made it: perhaps one that is complete by now, as being bridged is heard of first."""
    page = turn.page
    able = [one for one in (*page.running, *page.open) if one.action in MAKES_A_LEG and _may_have_made(one, clue)]
    made_by = max(able, key=lambda one: one.order, default=None)
    if made_by is not None and made_by.goes_on and not any(one.doubtful for one in able):
        turn.say(Tell(page=clue.call, account=page.account, sender=page.key, maker=made_by.command_id))


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
        waiting.failing, waiting.deadline_ms = clue, min(waiting.deadline_ms, turn.now + OVERTAKEN_WAIT_MS)
    else:
        _spend(turn.page, clue)
        complete(turn, waiting, Completion.FAILED, Reason.NONE, clue)


def _spend(page: Page, clue: Clue) -> None:
    page.unseen_ms = 0
    page.spent = [*page.spent, clue.call][-LEGS_MAX:]
