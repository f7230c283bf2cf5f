"""From a typed command to the request that Telnyx gets: verb, percent-encoded path, JSON body."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import orjson

from cordboard.body import sender_body
from cordboard.catalogue import action_of
from cordboard.v1 import Command

_PATH_SAFE: Final = "!$&'()*+,;=:@"  # What RFC 3986 lets stand in a path's segment, beside letters, digits and -._~
_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Request(NamedTuple):
    """What is sent. `path` is below the API's base URL; every resend, by whomever, is these bytes."""

    method: str
    path: str
    body: bytes
    destinations: tuple[str, ...] = ()  # Whom it would have Telnyx call: numbers and SIP addresses.


def build(command: Command, telnyx_command_id: str, overrides: Mapping[str, object] = _NOTHING) -> Request:
    """Make the request of a valid command.

    `telnyx_command_id` goes into the body of every action that takes one. `overrides` are body fields of the
    dispatcher's own, such as a dial's webhook address. Raises KeyError where the command has no action.
    """
    action = action_of(command)
    body = sender_body(command)
    if action.takes_command_id:
        body["command_id"] = telnyx_command_id
    body.update(overrides)
    return Request(action.method, _path(action.path, command), _encode(body), _destinations(body))


def _destinations(body: Mapping[str, object]) -> tuple[str, ...]:
    """By the names that Telnyx knows, whichever way the sender gave them: typed, in `extra`, or in a custom body."""
    said = [body[name] for name in ("to", "sip_address") if name in body]
    return tuple(str(one) for value in said for one in (value if isinstance(value, list) else [value]))


def sets(command: Command, field: str) -> bool:
    """Whether the sender set a field of the body, named as Telnyx names it, by its type or in `extra`."""
    return field in sender_body(command)


def _path(template: str, command: Command) -> str:
    return template.replace("{name}", command.custom.name, 1).replace(
        "{call_control_id}", quote(command.call_control_id, safe=_PATH_SAFE), 1
    )


def _encode(body: dict[str, Any]) -> bytes:
    return orjson.dumps(body)
