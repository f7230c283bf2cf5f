"""When a page wants to be looked at again, and when it may be forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.core import asking
from dispatcher.core.limiting import SLOT_KEPT_MS
from dispatcher.core.limits import Limits
from dispatcher.core.page import Life, Page


def next_wake(page: Page, limits: Limits) -> int:
    """The earliest time at which something is due on this page (Unix ms), its own end included."""
    return min(_moments(page, limits))


def is_over(page: Page, limits: Limits, at_ms: int) -> bool:
    """Whether the page can be forgotten."""
    return not _is_busy(page) and _forget_at(page, limits) <= at_ms


def is_abandoned(page: Page, limits: Limits, at_ms: int) -> bool:
    """Whether a call has been silent for so long that what waits or is open on it is given up."""
    return _is_live_call(page) and _is_busy(page) and page.touched_ms + limits.silence_ms <= at_ms


def _is_live_call(page: Page) -> bool:
    return page.is_call and page.life is not Life.ENDED


def _moments(page: Page, limits: Limits) -> Iterator[int]:
    for held in (*page.line, *page.early):
        if held.expire_ms is not None:
            yield held.expire_ms
        if held.wait_until_ms:
            yield held.wait_until_ms
    if page.line and page.hold_until_ms:
        yield page.hold_until_ms
    yield from (flight.deadline_ms for flight in page.flights)
    yield from (waiting.deadline_ms for waiting in page.open)
    yield from (kept.since_ms + limits.untied_wait_ms for kept in page.kept)
    if page.slots and not page.is_of_number:
        yield page.slots[0].since_ms + SLOT_KEPT_MS
    if not _is_busy(page):
        yield _forget_at(page, limits)
    elif _is_live_call(page) or not (page.flights or page.open):
        yield page.touched_ms + limits.silence_ms  # Waiting for credit or a hold: looked at again, never lost.
    if (ask_ms := asking.next_ms(page, limits)) is not None:
        yield ask_ms


def _is_busy(page: Page) -> bool:
    waits = page.line or page.early or page.flights or page.kept or page.queue
    if page.slots and not page.is_of_number:
        return True
    return bool(waits or any(not waiting.doubtful for waiting in page.open))


def _forget_at(page: Page, limits: Limits) -> int:
    if page.is_dial:
        return page.touched_ms + limits.dial_memory_ms
    if page.is_limit:
        window_ms = limits.guards_of(page.account).number_window_ms if page.is_of_number else limits.alias_memory_ms
        return page.touched_ms + window_ms
    if page.is_alias:
        linked_until = page.linked_ms + limits.link_memory_ms if page.link else 0
        return max(page.touched_ms + limits.alias_memory_ms, linked_until)
    if page.life is Life.ENDED:
        return page.ended_ms + limits.call_memory_ms
    if 0 < page.touched_ms <= page.given_up_ms:  # What was said then is remembered as after a call's end.
        return page.given_up_ms + limits.call_memory_ms
    return page.touched_ms + (limits.call_memory_ms if page.life is Life.STRANGER else limits.silence_ms)
