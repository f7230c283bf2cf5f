"""Which command a request is: by the id that its sender gave it, or by what the vendor's SDK says of its own retries.

The SDKs invent no ids. What they send on a retry is the same request, byte for byte, with a higher
`x-stainless-retry-count`. So of each request of theirs that has no id it is remembered for some minutes under which
one it was taken, and a retry is given that one again: it is the same command then, and never done twice.

Two equal requests of one client look alike. Each retry takes up one earlier request, and no two take up the same one:
first one whose caller was lost or told to come again, then one that is still waited for, then one that was answered.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cordboard.clock import Clock

COUNT_HEADER: Final = "x-stainless-retry-count"
KEY_HEADER: Final = "idempotency-key"
KEPT_MS: Final = 10 * 60_000  # Longer than an SDK's patience with all its retries.
KEPT_MAX: Final = 65_536
_ID: Final = re.compile(r"[A-Za-z0-9._:~-]{1,128}")
_KEY_ROOM: Final = 128 - len("key:")
# By these, beside where it is and what it asks for, one of its clients is told from another.
_CLIENT_HEADERS: Final = (
    "user-agent",
    "x-stainless-lang",
    "x-stainless-package-version",
    "x-stainless-runtime-version",
)


class Fate(IntEnum):
    """What became of a request, in the order in which a retry is less likely to be its."""

    LOST = 0  # Its caller hung up, or was told to come again.
    OPEN = 1
    ANSWERED = 2


@dataclass(slots=True, eq=False)
class Named:
    """A request under its command's id. `is_own`: its sender chose the id, or what it is made of.

    `in_doubt`: it was accepted, or may have been, by this try or by one before it.
    """

    command_id: str
    is_own: bool
    is_repeat: bool = False
    in_doubt: bool = False
    count: int = 0  # Of the latest retry that was taken for it.
    at_ms: int = 0
    fate: Fate = Fate.OPEN


class Repeats:
    """Gives each request its command's id. `make` makes new ones."""

    def __init__(self, clock: Clock, make: Callable[[], str], kept_max: int = KEPT_MAX) -> None:
        self._clock = clock
        self._make = make
        self._kept_max = kept_max
        self._kept = 0
        self._by_request: OrderedDict[bytes, list[Named]] = OrderedDict()

    def __len__(self) -> int:
        return self._kept

    def name(self, given: object, headers: Mapping[str, str], request: tuple[bytes, ...]) -> Named:
        """The id of a request: `given` is what its body says, `request` what it is told from others by."""
        if isinstance(given, str) and given:
            return Named(given if _ID.fullmatch(given) else f"id:{_digest(given.encode()).hex()}", is_own=True)
        if key := headers.get(KEY_HEADER):
            fits = _ID.fullmatch(key) and len(key) <= _KEY_ROOM
            return Named(f"key:{key if fits else _digest(key.encode()).hex()}", is_own=True)
        count = headers.get(COUNT_HEADER, "")
        if not count.isdecimal() or len(count) > 4:
            return Named(self._make(), is_own=False)
        client = tuple(headers.get(name, "").encode() for name in _CLIENT_HEADERS)
        return self._known(_digest(*client, *request), int(count))

    def _known(self, request: bytes, count: int) -> Named:
        self._forget()
        earlier = self._by_request.setdefault(request, [])
        self._by_request.move_to_end(request)
        found = min((one for one in earlier if one.count < count), key=lambda one: (one.fate, -one.count), default=None)
        if found is None:
            found = Named(self._make(), is_own=False)
            earlier.append(found)
            self._kept += 1
        else:
            found.is_repeat = True
        found.count, found.at_ms, found.fate = count, self._clock.now_ms(), Fate.OPEN
        return found

    def _forget(self) -> None:
        """Let go of what is too old, or too much; who asked last is last in the table."""
        before_ms = self._clock.now_ms() - KEPT_MS
        while self._by_request:
            request, oldest = next(iter(self._by_request.items()))
            if self._kept <= self._kept_max and max(one.at_ms for one in oldest) > before_ms:
                return
            self._kept -= len(oldest)
            del self._by_request[request]


def is_retry(headers: Mapping[str, str]) -> bool:
    """Whether an SDK says that it sends something again."""
    return headers.get(COUNT_HEADER, "0") != "0"


def _digest(*parts: bytes) -> bytes:
    """16 bytes of several parts, of which none can pass for two."""
    whole = hashlib.blake2b(digest_size=16)
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()
