"""A dial's own page: the call it starts has no id yet, so the dial is known by its command until it has.

Its result is the only place where Telnyx names what a command made. Where the answer was lost, webhooks that carry the
dial's own address prove it: they settle here, and are handed on by the call's page, not by this one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import msgspec

from cordboard.catalogue import CATALOGUE
from dispatcher.core.commands import DIAL, Ask
from dispatcher.core.completion import CLUES_MAX, match_clues, settle_as_done
from dispatcher.core.decision import HangUp, Tell
from dispatcher.core.inputs import Opened, copy_of
from dispatcher.core.links import tell_joined
from dispatcher.core.page import Clue, Leg, Life, Open, Page
from dispatcher.core.turn import Ending, Turn
from dispatcher.core.words import Reason, State

MILESTONES: Final = frozenset({"call.initiated", "call.answered", "call.hangup"})
_DIAL_ID_SHOWN: Final = 100  # Characters of a dial's id in that of the hangup it causes.


class _Data(msgspec.Struct):
    call_control_id: str
    call_leg_id: str | None = None
    call_session_id: str | None = None


class _Answer(msgspec.Struct):
    data: _Data | list[_Data]


_decoder = msgspec.json.Decoder(_Answer)


def with_legs(turn: Turn, ending: Ending, dial: Ask | Open) -> Ending:
    """Read the new legs from the answer, open their pages, and show them in the result."""
    return _with_legs(turn, ending, dial, late=None)


def found_out(turn: Turn, doubt: Open, ending: Ending) -> Ending:
    """The same for a dial whose result was UNKNOWN: its sender may have given it up."""
    return _with_legs(turn, ending, doubt, late=doubt)


def _with_legs(turn: Turn, ending: Ending, dial: Ask | Open, late: Open | None) -> Ending:
    are_all = not ending.legs  # As the answer says; webhooks tell of them one by one.
    legs = ending.legs or _legs_in(ending.response)
    turn.page.legs = list(legs)
    turn.changed = True
    for leg in legs:
        _introduce(turn, leg, late)
    _tell_joined(turn, dial, over=are_all)
    return replace(ending, legs=legs)


def names_a_leg(response: bytes) -> bool:
    """Whether an answer to a dial says which call it made."""
    return bool(_legs_in(response))


def _legs_in(response: bytes) -> tuple[Leg, ...]:
    try:
        data = _decoder.decode(response).data
    except msgspec.MsgspecError:
        return ()
    made = data if isinstance(data, list) else [data]
    return tuple(
        Leg(one.call_control_id, one.call_leg_id or "", one.call_session_id or "")
        for one in made
        if one.call_control_id
    )


def proven_by(clues: Sequence[Clue], new_legs: int, ending: Ending) -> Ending:
    """The dial's answer was lost, but its own webhooks came: it happened, and these are the calls.

    Of more calls than it dialled, the later ones are those that its calls were transferred to.
    """
    in_order = sorted(clues, key=lambda clue: clue.occurred_ms)
    legs = tuple({clue.call: _leg(clue) for clue in in_order}.values())[:new_legs]
    return replace(ending, state=State.SUCCEEDED, reason=Reason.NONE, message="", legs=legs)


def _leg(clue: Clue) -> Leg:
    return Leg(clue.call, clue.leg, clue.session)


def hear_own(turn: Turn, clue: Clue) -> None:
    """A webhook of a call that this dial made."""
    page = turn.page
    if clue.event_type not in MILESTONES or not clue.call:
        return
    page.heard_ms, turn.changed = turn.now, True
    for flight in page.flights:
        if all(clue.event_id != known.event_id for known in flight.clues):  # The call's page may tell of it, too.
            clues_max = max(CLUES_MAX, len(MILESTONES) * flight.ask.new_legs)
            flight.clues = [*flight.clues, clue][-clues_max:]
    for waiting in list(page.open):
        if waiting.doubtful:
            ending = Ending(state=State.SUCCEEDED, legs=(_leg(clue),), send_ms=waiting.sent_ms)
            settle_as_done(turn, waiting, found_out(turn, waiting, ending))
        elif all(clue.call != leg.call for leg in page.legs):
            if len(page.legs) >= waiting.new_legs:
                continue  # Its call was transferred: the new leg has the same address, and is not the dial's.
            _add_leg(turn, waiting, _leg(clue))
        match_clues(turn, waiting, [clue])


def _add_leg(turn: Turn, waiting: Open, leg: Leg) -> None:
    """Of a dial whose answer was lost, the legs become known one by one."""
    turn.page.legs = [*turn.page.legs, leg]
    waiting.calls = [*waiting.calls, leg.call]
    _introduce(turn, leg, waiting if waiting.settled else None)
    _tell_joined(turn, waiting, over=False)


def _tell_joined(turn: Turn, dial: Ask | Open, *, over: bool) -> None:
    calls = tuple(leg.call for leg in turn.page.legs)
    tell_joined(turn, dial.joins, calls=calls, over=over or len(calls) >= dial.new_legs)


def _introduce(turn: Turn, leg: Leg, late: Open | None) -> None:
    page = turn.page
    told = Tell(page=leg.call, account=page.account, sender=page.key, leg=leg)
    # What a log has lost that was restored may be commands for this leg: somebody may be talking.
    is_given_up = late is not None and not turn.orders.has_lost(late.accept_ms)
    if late is not None and is_given_up and page.account in turn.limits.late_dials_hung_up:
        told = replace(told, given_up=True, traceparent=late.traceparent)
    turn.say(told)


def open_page(turn: Turn, opened: Opened) -> None:
    """On the call's page: a dial made this call; what was heard before is told to the dial now."""
    page = turn.page
    is_news = not page.dial  # What pages tell each other comes at least once.
    page.account, page.dial, page.direction = page.account or opened.account, opened.dial, "outgoing"
    page.leg, page.session = opened.leg.leg or page.leg, opened.leg.session or page.session
    if page.life in (Life.UNHEARD, Life.STRANGER):
        page.life = Life.ALIVE
    turn.changed = True
    if opened.given_up and is_news and page.life is not Life.ENDED and not _is_in_use(page):
        turn.say(_hang_up(opened))
    untold, page.untold = page.untold, []
    for clue in untold:
        _tell(turn, clue)


def dial_of(page: Page, clue: Clue) -> str:
    """On the call's page: the dial to which an event belongs that is no other command's; "" for none."""
    return page.dial.partition("/")[2] if clue.event_type in CATALOGUE[DIAL].completion.events else ""


def _is_in_use(page: Page) -> bool:
    """Whether anybody has sent a command for the call: then it is theirs, however late its dial was."""
    return bool(page.line or page.early or page.flights or page.ended)


def _hang_up(opened: Opened) -> HangUp:
    # Made of dial and leg, so that a repeat is the same command.
    digest = hashlib.blake2b(f"{opened.dial} {opened.leg.call}".encode(), digest_size=8).hexdigest()
    dial = opened.dial.partition("/")[2][:_DIAL_ID_SHOWN]
    return HangUp(
        command_id=f"late~{digest}~{dial}",
        call=opened.leg.call,
        account=opened.account,
        traceparent=opened.traceparent,
    )


def report(turn: Turn, clue: Clue) -> None:
    """On the call's page: let the dial know what became of its call."""
    page = turn.page
    if clue.event_type not in MILESTONES or page.direction == "incoming":
        return
    if page.dial:
        _tell(turn, clue)
    elif clue.event_type != "call.initiated":
        turn.changed = True
        page.untold = [*page.untold, clue][-CLUES_MAX:]


def _tell(turn: Turn, clue: Clue) -> None:
    page = turn.page
    own = msgspec.structs.replace(clue, call=page.key, leg=page.leg, session=page.session)
    heard = copy_of(own, page.account)
    turn.say(Tell(page=page.dial, account=page.account, sender=page.key, heard=heard))
