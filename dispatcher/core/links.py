"""What a call's page says to the aliases of its leg and its session, once each, as soon as it is known.

To its leg: that it is its call, when the call was answered. Others have no recordings, and a campaign of calls that
nobody answers shall not pay for a page each.

To its session: that it waits for what becomes of a new leg, when a transfer is open or in doubt; and where it may be
such a new leg itself (outgoing, and by no dial of ours), that it was answered, bridged or hung up.

A dial whose legs join a call's session (`link_to`) tells that call so when it is sent, and which they are when it knows
them: they are no transfer's, and until then nobody can say whose a new leg of the session is.
"""

from __future__ import annotations

from typing import Final

import msgspec

from cordboard.catalogue import CATALOGUE
from cordboard.webhook import leg_key, session_key
from dispatcher.core.decision import Tell
from dispatcher.core.inputs import Heard, copy_of
from dispatcher.core.page import Clue, Joining, Life, Page
from dispatcher.core.turn import Turn

# The events by which a new leg says what became of it, and the actions that create one.
MAKES_A_LEG: Final = frozenset(name for name, action in CATALOGUE.items() if action.completion.failed_by_new_leg)
_FATES: Final = frozenset(
    event
    for name in MAKES_A_LEG
    for event in CATALOGUE[name].completion.failed_by_new_leg | CATALOGUE[name].completion.completed_by
)
ANSWERED: Final = "call.answered"
_SPREAD: Final = _FATES | {ANSWERED}
_UNANSWERED_EVENTS: Final = frozenset({"call.initiated", "call.hangup"})
_UNANSWERED_ACTIONS: Final = frozenset({"answer", "client_state_update", "dial", "hangup", "reject"})
_UNSPREAD_MAX: Final = 4


def note_event(turn: Turn, heard: Heard) -> None:
    """Learn from a webhook of this call what its aliases may have to know."""
    page = turn.page
    page.begun_ms = min(page.begun_ms or heard.occurred_ms, heard.occurred_ms)
    page.answered = page.answered or heard.event_type not in _UNANSWERED_EVENTS
    if heard.event_type in _SPREAD and _may_be_a_new_leg(page):
        clue = heard.clue
        clue = msgspec.structs.replace(clue, begun_ms=page.begun_ms, answered=page.answered or clue.answered)
        page.unspread = [*page.unspread, clue][-_UNSPREAD_MAX:]


def note_success(turn: Turn, action: str) -> None:
    """Most commands succeed only on a call that was answered, whether or not its webhook came."""
    turn.page.answered = turn.page.answered or action not in _UNANSWERED_ACTIONS


def announce(turn: Turn) -> None:
    """Say what the aliases have to know and were not told yet."""
    page = turn.page
    if page.leg and not page.leg_told and (page.answered or page.life is Life.ANSWERED):
        page.leg_told = turn.changed = True
        turn.say(Tell(page=leg_key(page.leg), account=page.account, sender=page.key))
    if page.session:
        _announce_transfers(turn)
    if page.unspread:
        _spread(turn)


def tell_joined(turn: Turn, joined: str, *, calls: tuple[str, ...] = (), over: bool = False) -> None:
    """On a dial's page: say to the call whose session its legs join what is known of them."""
    if joined:
        page = turn.page
        joining = Joining(page.key, turn.now, calls, over)
        turn.say(Tell(page=joined, account=page.account, sender=page.key, joining=joining))


def _announce_transfers(turn: Turn) -> None:
    untold = [one for one in turn.page.open if one.action in MAKES_A_LEG and not one.session_told]
    if not untold:
        return
    turn.changed = True
    for one in untold:
        one.session_told = True
    turn.say(Tell(page=session_key(turn.page.session), account=turn.page.account, sender=turn.page.key))


def _spread(turn: Turn) -> None:
    """As soon as it is known whether it is a leg that the session has to hear of."""
    page = turn.page
    if _may_be_a_new_leg(page) and not (page.direction and page.session):
        return
    clues: list[Clue] = page.unspread if _may_be_a_new_leg(page) else []
    page.unspread, turn.changed = [], True
    for clue in clues:
        turn.say(
            Tell(
                page=session_key(page.session), account=page.account, sender=page.key, heard=copy_of(clue, page.account)
            )
        )


def _may_be_a_new_leg(page: Page) -> bool:
    return not page.dial and page.direction != "incoming"
