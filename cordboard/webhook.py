"""Webhooks as ingress and owner both know them: what a body says, the key of its record, and addresses of dials.

Telnyx's payloads are open: fields come and go, and any may be null. So only the envelope is insisted on, and of the
payload a field counts when it is text; everything else passes through in the raw body, which is never written anew.
A `call_control_id` that is the name of another page (`dial:...`) counts as none: the webhook is one that names no call.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from cordboard.cloudevents import parse_rfc3339

SIGNATURE_HEADER: Final = "telnyx-signature-ed25519"
TIMESTAMP_HEADER: Final = "telnyx-timestamp"
ACCOUNT_HEADER: Final = "cordboard-account"
DIAL_COPY_HEADER: Final = "cordboard-dial-copy"
ALIAS_HEADER: Final = "cordboard-alias"  # On a webhook written on under its call: the alias that it came under.
DIAL_PREFIX: Final = "dial:"
EVENT_PREFIX: Final = "event:"
LEG_PREFIX: Final = "leg:"
LIMIT_PREFIX: Final = "limit:"
SESSION_PREFIX: Final = "session:"
# What begins so names no call.
_OTHER_PAGES: Final = (DIAL_PREFIX, EVENT_PREFIX, LEG_PREFIX, LIMIT_PREFIX, SESSION_PREFIX)

# The events that settle a dial, of which its own page gets a copy.
DIAL_EVENTS: Final = frozenset({"call.initiated", "call.answered", "call.hangup"})

_ID_LENGTH_MAX: Final = 1024
_MAC_BYTES: Final = 18


class MalformedWebhook(ValueError):
    """The body is no webhook of API v2; the message says why and repeats nothing of the body."""


class FormatOneWebhook(MalformedWebhook):
    """The body is a webhook of API v1, which this project does not read."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook. An empty string stands for a field that is absent, null or no text.

    Times are Unix milliseconds, 0 when absent or unreadable; a recording says when it began and was over. `payload` has
    all fields as they came.
    """

    id: str
    event_type: str
    occurred_at: str
    occurred_ms: int
    begun_ms: int
    over_ms: int
    payload: Mapping[str, Any]
    call_control_id: str
    call_leg_id: str
    call_session_id: str
    connection_id: str
    client_state: str
    direction: str
    from_number: str
    to_number: str
    state: str
    status: str
    reason: str
    failure_reason: str
    hangup_cause: str
    hangup_source: str
    media_url: str
    media_name: str
    digits: str
    stream_id: str
    stream_type: str

    @property
    def key(self) -> str:
        """The key of its record: the call; where the event names none, the best alias under which it can be found."""
        if self.call_control_id:
            return self.call_control_id
        if self.call_leg_id:
            return leg_key(self.call_leg_id)
        if self.call_session_id:
            return session_key(self.call_session_id)
        return EVENT_PREFIX + self.id


# Fields of the payload whose names are those of the struct, and the two that Python or we call otherwise.
_RENAMED: Final[Mapping[str, str]] = {"from_number": "from", "to_number": "to"}
_ENVELOPE: Final = frozenset({"id", "event_type", "occurred_at", "occurred_ms", "begun_ms", "over_ms", "payload"})
_PAYLOAD: Final = tuple((name, _RENAMED.get(name, name)) for name in Webhook.__struct_fields__ if name not in _ENVELOPE)
_decoder: Final = msgspec.json.Decoder(dict[str, Any])


def parse(body: bytes) -> Webhook:
    """Read a body. Raises FormatOneWebhook for API v1, and MalformedWebhook for anything else that is no webhook."""
    try:
        envelope = _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise MalformedWebhook("the body is not a JSON object") from None
    data = envelope.get("data")
    if data is None and "event_type" in envelope:
        raise FormatOneWebhook("the body has the form of API v1")
    if not isinstance(data, dict):
        raise MalformedWebhook("data is missing or no object")
    payload = data.get("payload")
    if not isinstance(payload, dict):
        raise MalformedWebhook("data.payload is missing or no object")
    occurred_at = _text(data, "occurred_at")
    said = {name: _text(payload, wire) for name, wire in _PAYLOAD}
    if not names_a_call(said["call_control_id"]):
        said["call_control_id"] = ""
    return Webhook(
        id=_required(data, "id"),
        event_type=_required(data, "event_type"),
        occurred_at=occurred_at,
        occurred_ms=_milliseconds(occurred_at),
        begun_ms=_milliseconds(_text(payload, "recording_started_at")),
        over_ms=_milliseconds(_text(payload, "recording_ended_at")),
        payload=payload,
        **said,
    )


def names_a_call(key: str) -> bool:
    """Whether a name can be a call's, and is not the key of a page of something else."""
    return not key.startswith(_OTHER_PAGES)


def leg_key(call_leg_id: str) -> str:
    """The alias of a call by its leg."""
    return LEG_PREFIX + call_leg_id


def session_key(call_session_id: str) -> str:
    """The alias of the calls of one session."""
    return SESSION_PREFIX + call_session_id


def dial_key(account: str, command_id: str) -> str:
    """The key of a dial's own page."""
    return f"{DIAL_PREFIX}{account}/{command_id}"


def dial_url(public_url: str, account: str, command_id: str, secret: bytes) -> str:
    """The address at which Telnyx is to tell about the call of one dial; sealed, so that nobody can make one up."""
    mac = _mac(account, command_id, secret).decode()
    return f"{public_url}/webhooks/telnyx/{account}/dials/{_segment(command_id)}/{mac}"


def command_id_of(segment: str) -> str:
    """The command id that a dial address's segment stands for."""
    return segment.removeprefix("=")


def check_mac(account: str, command_id: str, mac: str, secret: bytes) -> bool:
    """Whether a dial address's seal is ours, compared in constant time."""
    return hmac.compare_digest(_mac(account, command_id, secret), mac.encode(errors="replace"))


def _mac(account: str, command_id: str, secret: bytes) -> bytes:
    # Neither name can hold a `|`, so no two dials have the same text. 18 bytes are 24 characters without padding.
    text = f"dial|{account}|{command_id}".encode()
    return base64.urlsafe_b64encode(hmac.digest(secret, text, hashlib.sha256)[:_MAC_BYTES])


def _segment(command_id: str) -> str:
    # "." and ".." are ids, but in a path they are directions: clients walk them before they ask. No id holds a "=".
    return f"={command_id}" if command_id in {".", ".."} else command_id


def _required(data: Mapping[str, Any], name: str) -> str:
    if not (value := _text(data, name)):
        raise MalformedWebhook(f"data.{name} is missing or no text")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        return ""
    if len(value) > _ID_LENGTH_MAX and name.endswith(("id", "event_type")):
        raise MalformedWebhook(f"{name} has more than {_ID_LENGTH_MAX} characters")
    return value


def _milliseconds(occurred_at: str) -> int:
    try:
        return parse_rfc3339(occurred_at)
    except (ValueError, OverflowError):
        return 0
