"""The pages of aliases: what comes under the name of a leg or of a session, and the calls that it is for.

`leg:<call_leg_id>` gets the webhooks that name no call (recordings). The call makes itself known when it was answered;
then each is written on under the call, byte for byte, and the call's page hands it on. One that comes before waits
here; after a minute it is handed on untied, as Telnyx sent it.

`session:<call_session_id>` gets to know what became of legs that no dial of ours made, as copies from their pages, and
passes it on to the calls that wait for it because of a transfer. What came before a call asked is kept for it.

Either way once for each event id, however often it comes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dispatcher.core.decision import HandOn, PassOn, Tell
from dispatcher.core.events import event_is_known, note_event
from dispatcher.core.inputs import Announced, Heard, copy_of
from dispatcher.core.page import Clue, Kept
from dispatcher.core.turn import Turn

KEPT_MAX: Final = 16
KEPT_BYTES_MAX: Final = 64 * 1024
LEGS_HEARD_MAX: Final = 64  # Events, for calls that are not interested yet.
INTERESTED_MAX: Final = 16


def hear(turn: Turn, heard: Heard) -> None:
    """Take what came under the alias."""
    page = turn.page
    if event_is_known(page, heard.event_id):
        return
    note_event(page, heard.event_id)
    turn.changed = True
    page.account = page.account or heard.account
    if heard.copy:
        _spread(turn, heard.clue)
    elif heard.raw is None or not page.is_leg:
        _hand_on_untied(turn, heard)
    elif page.link:
        turn.say(PassOn(call=page.link, raw=heard.raw))
    else:
        page.kept.append(Kept(turn.now, heard.account, heard.clue, heard.raw))
        while len(page.kept) > KEPT_MAX or sum(len(one.raw.body) for one in page.kept) > KEPT_BYTES_MAX:
            _give_up_oldest(turn)


def take_announced(turn: Turn, announced: Announced) -> None:
    """A call makes itself known: what is kept goes to it, and so does what comes from now on."""
    page = turn.page
    page.account = page.account or announced.account
    if page.is_leg and not page.link:
        turn.changed = True
        page.link, page.linked_ms = announced.call, turn.now
        for kept in page.kept:
            turn.say(PassOn(call=page.link, raw=kept.raw))
        page.kept = []
    elif page.is_session:
        turn.changed = True  # Also where the call is known: as long as it asks, the session is remembered.
        if announced.call not in page.interested:
            page.interested = [*page.interested, announced.call][-INTERESTED_MAX:]
            for clue in page.legs_heard:
                _tell(turn, announced.call, clue)


def give_up_waiting(turn: Turn, at_ms: int) -> None:
    """Hand on untied what has waited long enough for a call that did not make itself known."""
    page = turn.page
    while page.kept and page.kept[0].since_ms + turn.limits.untied_wait_ms <= at_ms:
        _give_up_oldest(turn)


def _give_up_oldest(turn: Turn) -> None:
    kept = turn.page.kept.pop(0)
    turn.changed = True
    _hand_on_untied(turn, replace(copy_of(kept.clue, kept.account), copy=False, raw=kept.raw))


def _hand_on_untied(turn: Turn, heard: Heard) -> None:
    page = turn.page
    late = heard.occurred_ms < page.occurred_ms
    page.occurred_ms = max(page.occurred_ms, heard.occurred_ms)
    turn.say(HandOn(heard=heard, command_id="", late=late))


def _spread(turn: Turn, clue: Clue) -> None:
    page = turn.page
    page.legs_heard = [*page.legs_heard, clue][-LEGS_HEARD_MAX:]
    for call in page.interested:
        _tell(turn, call, clue)


def _tell(turn: Turn, call: str, clue: Clue) -> None:
    page = turn.page
    if call != clue.call:  # A leg has its own events from Telnyx.
        turn.say(Tell(page=call, account=page.account, sender=page.key, heard=copy_of(clue, page.account)))
