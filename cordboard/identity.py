"""By what a command is known: to Telnyx, to the ledger, and when it comes a second time."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import Final

import orjson

from cordboard.body import sender_body
from cordboard.v1 import Command
from cordboard.webhook import dial_key

FINGERPRINT_BYTES: Final = 16

# Ours for ever: another value would let commands that are in flight happen twice.
_NAMESPACE: Final = uuid.UUID("5f0c9f3e-6a0b-4c52-9d0e-3b8a4d7c21e6")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def telnyx_command_id(account: str, command_id: str) -> str:
    """The command_id that Telnyx is sent: the sender's own where it is a UUID, else one made of account and id."""
    if _UUID.fullmatch(command_id):
        return command_id
    return str(uuid.uuid5(_NAMESPACE, f"{account}/{command_id}"))


def fingerprint(command: Command, account: str) -> bytes:
    """16 bytes by which the same command is known again: account, action, call, and the body as its sender set it.

    `account` is the one that the command was resolved to. What the dispatcher adds to a body has no part in it, nor
    have placement, expiry and the like: a retry may well carry a later expire_time. Raises KeyError where
    the command has no action.
    """
    action = command.WhichOneof("action") or ""
    name = f"custom/{command.custom.name}" if action == "custom" else action
    content = orjson.dumps([account, name, command.call_control_id, sender_body(command)], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=FINGERPRINT_BYTES).digest()


def page_key(command: Command, account: str) -> str:
    """The key of the page that a command belongs to: its call, or a page of its own for a dial."""
    return command.call_control_id or dial_key(account, command.command_id)
