"""What a page remembers of a command that has ended: 32 bytes, so that the same command again is one command.

Layout, big-endian: id digest 9, fingerprint 8, accept time 6 (ms), time taken 3 (in 10 ms), HTTP status 2, state 1,
reason 1, completion 1, doubt 1. Digests are cut short on purpose: 72 and 64 bits are far beyond what one call's
thousand commands could bring to collide.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from dispatcher.core.words import Completion, Reason, State

ENTRY_BYTES: Final = 32
ENTRIES_MAX: Final = 1_000
_ID_BYTES: Final = 9
_FINGERPRINT_BYTES: Final = 8
_TAKEN_MAX: Final = (1 << 24) - 1

# Written to disk: only ever append to these lists.
_STATES: Final = (State.SUCCEEDED, State.FAILED, State.REJECTED, State.EXPIRED, State.CANCELLED, State.UNKNOWN)
_REASONS: Final = tuple(Reason)
_COMPLETIONS: Final = (None, Completion.COMPLETED, Completion.FAILED, Completion.INCOMPLETE)
_DOUBTS: Final = (None, *_REASONS)


@dataclass(frozen=True, slots=True)
class Remembered:
    """An ended command. `fingerprint` holds the first 8 bytes only; times are Unix milliseconds."""

    fingerprint: bytes
    accept_ms: int
    finish_ms: int
    http_status: int
    state: State
    reason: Reason
    completion: Completion | None = None
    doubt: Reason | None = None  # Why its result was UNKNOWN, where that was settled later.

    def same_content(self, fingerprint: bytes) -> bool:
        """Whether a command with this fingerprint says the same."""
        return fingerprint[:_FINGERPRINT_BYTES] == self.fingerprint


def digest(command_id: str) -> bytes:
    """The short name under which a command id is remembered."""
    return hashlib.blake2b(command_id.encode(), digest_size=_ID_BYTES).digest()


def remember(entries: bytes, command_id: str, ended: Remembered) -> bytes:
    """Add an ended command, or replace what was remembered of it; the oldest beyond the limit are forgotten."""
    entry = _encode(digest(command_id), ended)
    at = _find(entries, entry[:_ID_BYTES])
    if at is not None:
        return entries[:at] + entry + entries[at + ENTRY_BYTES :]
    return (entries + entry)[-ENTRIES_MAX * ENTRY_BYTES :]


def recall(entries: bytes, command_id: str) -> Remembered | None:
    """What is remembered of a command id."""
    at = _find(entries, digest(command_id))
    return None if at is None else _decode(entries[at : at + ENTRY_BYTES])


def _find(entries: bytes, name: bytes) -> int | None:
    at = entries.find(name)
    while at >= 0:
        if at % ENTRY_BYTES == 0:
            return at
        at = entries.find(name, at + 1)  # It was found inside an entry: go on.
    return None


def _encode(name: bytes, ended: Remembered) -> bytes:
    taken = min(max(ended.finish_ms - ended.accept_ms, 0) // 10, _TAKEN_MAX)
    return b"".join(
        (
            name,
            ended.fingerprint[:_FINGERPRINT_BYTES].ljust(_FINGERPRINT_BYTES, b"\0"),
            ended.accept_ms.to_bytes(6, "big"),
            taken.to_bytes(3, "big"),
            ended.http_status.to_bytes(2, "big"),
            bytes((_STATES.index(ended.state), _REASONS.index(ended.reason))),
            bytes((_COMPLETIONS.index(ended.completion), _DOUBTS.index(ended.doubt))),
        )
    )


def _known(reasons: tuple[Reason | None, ...], index: int) -> Reason | None:
    """A newer version may have written one that this one has not: the state says what matters of it."""
    return reasons[index] if index < len(reasons) else None


def _decode(entry: bytes) -> Remembered:
    accept_ms = int.from_bytes(entry[17:23], "big")
    return Remembered(
        fingerprint=entry[9:17],
        accept_ms=accept_ms,
        finish_ms=accept_ms + int.from_bytes(entry[23:26], "big") * 10,
        http_status=int.from_bytes(entry[26:28], "big"),
        state=_STATES[entry[28]],
        reason=_known(_REASONS, entry[29]) or Reason.NONE,
        completion=_COMPLETIONS[entry[30]],
        doubt=_known(_DOUBTS, entry[31]),
    )
