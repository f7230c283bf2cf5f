"""Marks: by what an event repeats of its command's body, short enough to be kept on every page.

No webhook names its command, but many say which file was played, which stream was started, which queue was entered.
The contract says what can be held against what (`Completion.matches`). A mark is six bytes: two for what is spoken
of, the first bit of which says whether Telnyx repeats it exactly, and four for what is said of it. A command that could
mean several things has a mark for each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import orjson

from cordboard.body import sender_body
from cordboard.catalogue import CATALOGUE, Match, action_of
from cordboard.v1 import Command

_NAME_BYTES: Final = 2
_VALUE_BYTES: Final = 4
_MARK_BYTES: Final = _NAME_BYTES + _VALUE_BYTES
_EXACT: Final = 0x80


def _name(match: Match) -> bytes:
    """What is spoken of is called by the payload's first field."""
    first, *rest = hashlib.blake2b(match.payload[0].encode(), digest_size=_NAME_BYTES).digest()
    return bytes([first | _EXACT if match.exact else first & ~_EXACT, *rest])


def _mark(match: Match, value: object) -> bytes:
    said = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return _name(match) + hashlib.blake2b(said, digest_size=_VALUE_BYTES).digest()


def _by_event() -> dict[str, dict[str, Match]]:
    """What each type of event may say, by the payload's first field."""
    found: dict[str, dict[str, Match]] = {}
    for action in CATALOGUE.values():
        for event_type in action.completion.events:
            found.setdefault(event_type, {}).update({match.payload[0]: match for match in action.completion.matches})
    return found


_MATCHES: Final = _by_event()


def of_command(command: Command) -> bytes:
    """What a command says that its events may repeat."""
    matches = action_of(command).completion.matches
    if not matches:
        return b""
    body = sender_body(command)
    return b"".join(mark for match in matches for mark in _said(match, body))


def _said(match: Match, body: Mapping[str, Any]) -> Iterator[bytes]:
    values = [body[name] for name in match.wire_names if body.get(name) is not None]
    if not values and match.default is not None:
        values = [match.default]
    return (_mark(match, value) for value in values)


def of_event(event_type: str, payload: Mapping[str, Any]) -> bytes:
    """What an event repeats of its command."""
    marks = []
    for match in _MATCHES.get(event_type, {}).values():
        found = (value for path in match.payload if (value := _at(payload, path)) is not None)
        value = next(found, match.assumed)
        if value is not None:
            with suppress(orjson.JSONEncodeError):  # No command says what cannot be written: it is nobody's.
                marks.append(_mark(match, value))
    return b"".join(marks)


def _at(payload: Mapping[str, Any], path: str) -> object:
    value: object = payload
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def compare(one: bytes, other: bytes) -> tuple[int, int] | None:
    """In how many things of which both speak they differ, and in how many they agree; None: they cannot be one."""
    ours, theirs = _by_name(one), _by_name(other)
    shared = ours.keys() & theirs.keys()
    differing = [name for name in shared if ours[name].isdisjoint(theirs[name])]
    if any(name[0] & _EXACT for name in differing):
        return None
    return len(differing), len(shared) - len(differing)


def _by_name(marks: bytes) -> dict[bytes, set[bytes]]:
    found: dict[bytes, set[bytes]] = {}
    for at in range(0, len(marks), _MARK_BYTES):
        middle = at + _NAME_BYTES
        found.setdefault(marks[at:middle], set()).add(marks[middle : at + _MARK_BYTES])
    return found
