"""Which events a page has handed on: eight bytes of each, for the latest ones."""

from __future__ import annotations

import hashlib
from typing import Final

from dispatcher.core.page import Page

EVENTS_MAX: Final = 512  # Event ids remembered by a page, newest last.
_EVENT_BYTES: Final = 8


def _event_digest(event_id: str) -> bytes:
    return hashlib.blake2b(event_id.encode(), digest_size=_EVENT_BYTES).digest()


def event_is_known(page: Page, event_id: str) -> bool:
    """Whether the event was handed on before."""
    name = _event_digest(event_id)
    at = page.events.find(name)
    while at >= 0 and at % _EVENT_BYTES:
        at = page.events.find(name, at + 1)
    return at >= 0


def note_event(page: Page, event_id: str) -> None:
    """Remember an event as handed on; the oldest beyond the limit are forgotten."""
    page.events = (page.events + _event_digest(event_id))[-EVENTS_MAX * _EVENT_BYTES :]
