"""What is recorded: entries, one for each record of the log, and of each call what is searched for.

Whatever a sender put into a record has to fit into a table: so texts are made to, and names that are too long to be
found by get a short form of their own, always the same one.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, replace
from typing import Final

NAME_BYTES_MAX: Final = 600  # Of what stands in an index: no command may name a call by more than 512 bytes.
TEXT_MAX: Final = 300


class Kind(enum.StrEnum):
    """What a record of the log was."""

    COMMAND = "command"
    ROUTED = "routed"  # A command written on to where its call is decided about: it counts from there.
    CANCEL = "cancel"
    RELEASE = "release"
    OUTCOME = "outcome"
    RESULT = "result"
    REPLAYED = "replayed"
    REFUSED = "refused"
    SETTLED = "settled"
    COMPLETION = "completion"
    CANCELLED = "cancelled"  # What came of a cancel request.
    EVENT = "event"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record of the log. `place` is its offset; `content` is JSON, masked, "" where it is forgotten."""

    topic: str
    part: int
    place: int
    call: str
    time_ms: int
    kind: str
    command_id: str = ""
    account: str = ""
    action: str = ""
    state: str = ""
    reason: str = ""
    sender: str = ""
    attempt: int = 0
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A call, or a dial until it led to one. Times are Unix milliseconds, 0 for never."""

    call: str
    account: str = ""
    direction: str = ""
    from_number: str = ""
    to_number: str = ""
    leg: str = ""
    session: str = ""
    dial: str = ""  # Of a call: the dial that it came from.
    led_to: str = ""  # Of a dial: its call.
    outcome: str = ""
    first_ms: int
    last_ms: int
    heard_ms: int = 0
    answered_ms: int = 0
    ended_ms: int = 0
    forgotten_ms: int = 0


_TEXTS: Final = (
    "direction",
    "from_number",
    "to_number",
    "leg",
    "session",
    "dial",
    "led_to",
    "outcome",
)


def joined(first: Story, second: Story) -> Story:
    """What two records tell of one call, the second one the later."""
    texts = {name: getattr(second, name) or getattr(first, name) for name in _TEXTS}
    owned = first.account and not (second.account and second.heard_ms)  # As `tell_story` says.
    return replace(
        first,
        **texts,
        account=first.account if owned else second.account,
        first_ms=min(first.first_ms, second.first_ms),
        last_ms=max(first.last_ms, second.last_ms),
        heard_ms=max(first.heard_ms, second.heard_ms),
        answered_ms=first.answered_ms or second.answered_ms,
        ended_ms=first.ended_ms or second.ended_ms,
    )


def name_of(text: str) -> str:
    """A text that something is found by: what is too long for an index is told by its beginning and a digest."""
    text = plain(text)
    raw = text.encode()
    if len(raw) <= NAME_BYTES_MAX:
        return text
    digest = hashlib.blake2b(raw, digest_size=16).hexdigest()
    return f"{raw[:400].decode(errors='ignore')}~{digest}"


def short(text: str) -> str:
    """The beginning of a text that may be as long as its sender liked."""
    return plain(text[:TEXT_MAX])


def plain(text: str) -> str:
    """A text that every table takes: without NUL, and without halves of characters."""
    if "\0" in text:
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if text.isascii() else text.encode(errors="replace").decode()
