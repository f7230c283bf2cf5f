"""A dial's permits: what has to be asked of the pages that count for the whole account, before it may go.

A dial stands first in its own line, and goes through these gates in this order, each of them only where it is set:

    number     the page of each number it calls: how often it was called lately
    credit     room in its lane (the shell's affair, see dispatcher/credit.py)
    account    the account's page: dials of the last minute, and a slot among the dials in progress

Pages are asked by records, and answer by records (limiting.py). A slot that was granted is given back once: by the
dial's page where no call came of it, else by each call's page at the call's end, however that is learned. What neither
gives back the account's page takes back after 24 h.
"""

from __future__ import annotations

from cordboard.webhook import LIMIT_PREFIX
from dispatcher.core import memory
from dispatcher.core.decision import Tell
from dispatcher.core.inputs import Permit, Step
from dispatcher.core.limits import Guards
from dispatcher.core.page import Held, Life, Page
from dispatcher.core.turn import Turn
from dispatcher.core.words import State


def may_go(turn: Turn, held: Held) -> bool:
    """Whether a dial has all its permits; asks for the next one."""
    guards = turn.limits.guards_of(held.ask.account)
    if not _all_granted(turn, held, _number_pages(guards, held)):
        return False
    return held.credited and _all_granted(turn, held, _account_pages(guards, held.ask.account))


def wants_credit(turn: Turn, held: Held) -> bool:
    """Whether nothing but room in its lane is what it waits for now."""
    guards = turn.limits.guards_of(held.ask.account)
    return not held.credited and not held.asked and all(name in held.permits for name in _number_pages(guards, held))


def _number_pages(guards: Guards, held: Held) -> list[str]:
    if guards.dials_per_number_max is None:
        return []
    return [f"{LIMIT_PREFIX}{held.ask.account}/{number}" for number in dict.fromkeys(held.ask.destinations)]


def _account_pages(guards: Guards, account: str) -> list[str]:
    counts = guards.dials_per_minute_max is not None or guards.dials_in_progress_max is not None
    return [LIMIT_PREFIX + account] if counts else []


def _all_granted(turn: Turn, held: Held, pages: list[str]) -> bool:
    missing = next((name for name in pages if name not in held.permits), None)
    if missing is not None and not held.asked:
        held.asked, turn.changed = missing, True
        _say(turn, missing, Permit(Step.ASKED, legs=held.ask.new_legs))
    return missing is None


def hear(turn: Turn, permit: Permit) -> Held | None:
    """On the dial's page: an answer. Returns the dial that was refused, if it was."""
    held = next((one for one in turn.page.line if one.asked == permit.sender), None)
    if held is None:
        if permit.step is Step.GRANTED and not (turn.page.slot or turn.page.flights or turn.page.legs):
            _say(turn, permit.sender, Permit(Step.RETURNED))  # It expired, or was cancelled, while it was asked for.
        return None
    turn.changed = True
    held.asked = ""
    if permit.step is Step.REFUSED:
        return held
    held.permits = [*held.permits, permit.sender]
    if permit.sender == LIMIT_PREFIX + held.ask.account:
        turn.page.slot = permit.sender
    return None


def settle(turn: Turn) -> None:
    """Give a slot back once what it was for is over, on the dial's page or on the call's."""
    page = turn.page
    if page.is_dial and page.slot:
        _settle_dial(turn)
    elif page.dial and page.life is Life.ENDED and not page.slot_returned:
        page.slot_returned = True
        if turn.limits.guards_of(page.account).dials_in_progress_max is not None:
            turn.changed = True
            tell = Permit(Step.RETURNED, dial=page.dial, call=page.key)
            _say(turn, LIMIT_PREFIX + page.account, tell)


def _settle_dial(turn: Turn) -> None:
    page = turn.page
    if page.line or page.flights or page.open:
        return
    if not page.legs and not _is_in_doubt(page):
        _say(turn, page.slot, Permit(Step.RETURNED))
    page.slot, turn.changed = "", True  # If there are calls, they give it back.


def _is_in_doubt(page: Page) -> bool:
    """Whether a call may live of which nothing is known: then its slot comes back by time alone."""
    known = memory.recall(page.ended, page.key.partition("/")[2])
    return known is not None and known.state is State.UNKNOWN


def _say(turn: Turn, to: str, permit: Permit) -> None:
    turn.say(Tell(page=to, account=turn.page.account, sender=turn.page.key, permit=permit))
