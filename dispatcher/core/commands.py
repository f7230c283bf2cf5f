"""A command as the core sees it: what was asked for, already turned into the one request that Telnyx will get."""

from __future__ import annotations

from typing import Final

import msgspec

from cordboard.catalogue import CATALOGUE
from cordboard.work import Lane, Repeat
from dispatcher.core.words import Placement

DIAL: Final = "dial"
BRIDGE: Final = "bridge"
ANSWER: Final = "answer"
CALL_ENDING: Final = frozenset(name for name, action in CATALOGUE.items() if action.completion.ends_call)


class Ask(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One command. Times are Unix milliseconds; the request is complete, its bytes never change.

    `fingerprint` are 16 bytes over what the sender set; `expire_after_ms` is set where no expire_time was given and
    the default holds, None where it never expires; `completion_ms` bounds the wait for the completing event.
    """

    command_id: str
    account: str
    action: str
    lane: Lane
    repeat: Repeat
    method: str
    path: str
    body: bytes
    fingerprint: bytes
    accept_ms: int
    expire_ms: int | None = None
    expire_after_ms: int | None = None
    after_completed: bool = False
    requires: str = ""
    placement: Placement = Placement.LAST
    sequence: int = 0
    completion_ms: int = 30_000
    endless: bool = False  # Repeats for ever (an infinite loop): in effect once it started.
    sensitive: bool = False
    source: str = ""
    group: str = ""
    traceparent: str = ""
    marks: bytes = b""  # What its events may repeat of it: see cordboard.marks.
    goes_on: bool = False  # What it starts is over only some time after it was completed.
    clears: bool = False  # It takes away what others started, and nothing tells of it.
    new_legs: int = 1  # Of a dial or a transfer: how many it makes.
    joins: str = ""  # Of a dial: the call whose session its legs join.
    destinations: tuple[str, ...] = ()  # Whom it would call.

    @property
    def ends_call(self) -> bool:
        """Whether it ends the call: hangup or reject, which do not expire and may be repeated."""
        return self.action in CALL_ENDING

    @property
    def is_dial(self) -> bool:
        """Whether it starts a call instead of addressing one."""
        return self.action == DIAL

    @property
    def size(self) -> int:
        """What it costs in the line, in bytes."""
        return len(self.body) + len(self.path) + len(self.command_id) + 200
