"""The pages that count for a whole account, and let its dials go or refuse them.

`limit:<account>` counts the dials of the last minute and holds the slots of dials in progress; who finds none waits on
the page for the next one. `limit:<account>/<number>` counts how often a number was called.

There is one such page for an account, and one owner of it, wherever dispatchers come and go: what it granted is written
before it is said. Both sides say things at least once, so a dial that asks again is granted again, and counts once. Who
holds a slot is known by eight bytes of its key: a page of ten thousand slots is written with every dial.
"""

from __future__ import annotations

import hashlib
from typing import Final

from dispatcher.core.decision import Tell
from dispatcher.core.inputs import Permit, Step
from dispatcher.core.limits import Guards
from dispatcher.core.page import Page, Queued, Slot
from dispatcher.core.turn import Turn

SLOT_KEPT_MS: Final = 24 * 3_600_000  # Longer no call lasts: what was not given back by then was lost.
_MINUTE_MS: Final = 60_000
_QUEUED_MAX: Final = 10_000


def hear(turn: Turn, permit: Permit) -> None:
    """Take what a dial asks for, or what it gives back."""
    page = turn.page
    page.account = page.account or permit.account
    if permit.step is Step.RETURNED:
        _take_back(turn, permit)
    elif permit.step is Step.ASKED and page.is_of_number:
        _judge_number(turn, permit)
    elif permit.step is Step.ASKED:
        _judge_account(turn, permit)


def pass_time(turn: Turn, at_ms: int) -> None:
    """Take back slots that nobody gave back."""
    page = turn.page
    kept = [slot for slot in page.slots if slot.since_ms + SLOT_KEPT_MS > at_ms]
    if len(kept) < len(page.slots):
        page.slots, turn.changed = kept, True
        _let_in(turn)


def _judge_number(turn: Turn, permit: Permit) -> None:
    page, guards = turn.page, turn.limits.guards_of(turn.page.account)
    since_ms = turn.now - guards.number_window_ms
    page.slots = [slot for slot in page.slots if slot.since_ms > since_ms]
    limit = guards.dials_per_number_max
    if not _holds(page, permit.sender):
        if limit is not None and len(page.slots) >= limit:
            _answer(turn, permit.sender, Step.REFUSED)
            return
        page.slots.append(Slot(_digest(permit.sender), turn.now))
        turn.changed = True
    _answer(turn, permit.sender, Step.GRANTED)


def _judge_account(turn: Turn, permit: Permit) -> None:
    page = turn.page
    if _holds(page, permit.sender):
        _answer(turn, permit.sender, Step.GRANTED)
    elif all(queued.dial != permit.sender for queued in page.queue):
        turn.changed = True
        page.queue.append(Queued(permit.sender, permit.legs))
        _let_in(turn)
        if len(page.queue) > _QUEUED_MAX:
            _answer(turn, page.queue.pop().dial, Step.REFUSED)


def _let_in(turn: Turn) -> None:
    """Grant or refuse in the order of asking, until somebody has to wait for a slot."""
    page, guards = turn.page, turn.limits.guards_of(turn.page.account)
    while page.queue:
        queued = page.queue[0]
        if _is_used_up(turn, guards):
            _answer(turn, queued.dial, Step.REFUSED)
        elif _has_slots(page, guards, queued.legs):
            if guards.dials_in_progress_max is not None:
                page.slots.append(Slot(_digest(queued.dial), turn.now, queued.legs))
            _count(turn)
            _answer(turn, queued.dial, Step.GRANTED)
        else:
            return
        page.queue.pop(0)


def _is_used_up(turn: Turn, guards: Guards) -> bool:
    since = (turn.now - _MINUTE_MS) // 1_000
    recent = [one for one in turn.page.recent if one[0] > since]
    return guards.dials_per_minute_max is not None and sum(many for _, many in recent) >= guards.dials_per_minute_max


def _count(turn: Turn) -> None:
    """Count a dial of this second; a minute's seconds are kept."""
    page, second = turn.page, turn.now // 1_000
    recent = [one for one in page.recent if one[0] > second - 60]
    many = recent.pop()[1] if recent and recent[-1][0] == second else 0
    page.recent, turn.changed = [*recent, (second, many + 1)], True


def _has_slots(page: Page, guards: Guards, legs: int) -> bool:
    if guards.dials_in_progress_max is None:
        return True
    taken = sum(slot.legs for slot in page.slots)
    # A dial to more numbers than there are slots goes when it is alone, or it would never go.
    return taken + legs <= guards.dials_in_progress_max or not taken


def _take_back(turn: Turn, permit: Permit) -> None:
    """The whole slot, or one leg of it where a call has ended: each call once, however often it is told."""
    page, name = turn.page, _digest(permit.dial or permit.sender)
    slot = next((slot for slot in page.slots if slot.dial == name), None)
    if slot is None or page.is_of_number:
        return
    call = _digest(permit.call) if permit.call else b""
    if call and call in slot.ended:
        return
    turn.changed = True
    slot.legs, slot.ended = slot.legs - 1, [*slot.ended, call]
    if not call or slot.legs <= 0:
        page.slots.remove(slot)
    _let_in(turn)


def _holds(page: Page, dial: str) -> bool:
    name = _digest(dial)
    return any(slot.dial == name for slot in page.slots)


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=8).digest()


def _answer(turn: Turn, dial: str, step: Step) -> None:
    turn.say(Tell(page=dial, account=turn.page.account, sender=turn.page.key, permit=Permit(step)))
