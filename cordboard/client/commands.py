"""Commands made from a method's arguments: with an id and an absolute expiry from before the first try.

A command that is sent again is the same bytes. So its id is made here, once, and so is the time after which it is no
longer worth sending: counted from an acceptance, it would be later with every try.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message

from cordboard.v1 import START_AFTER_PREVIOUS_COMPLETED, Command, options_pb2
from cordboard.v1.commands import CommandOptions

_EXPIRE_SECONDS: Final = 30  # As the contract says, where an action says nothing else.
_EVERY: Final = CommandOptions.__optional_keys__ | CommandOptions.__required_keys__
_OWN: Final = frozenset({"command_id", "placement", "group", "sensitive", "client_state", "expire_time"})


def command_of(
    action: str, fields: Mapping[str, Any], options: CommandOptions, *, call: str = "", account: str = ""
) -> Command:
    """The command that a method's arguments stand for. Raises TypeError for what it does not take."""
    if unknown := options.keys() - _EVERY:
        raise TypeError(f"{action} takes no argument {', '.join(sorted(unknown))}")
    command = Command(call_control_id=call, account=account)
    message: Message = getattr(command, action)
    try:
        message.MergeFrom(type(message)(**fields))
    except DecodeError:
        raise TypeError(f"{action}: structures must not be nested too deeply") from None
    message.SetInParent()  # Also where it has no fields: it is the action that is asked for.
    for name, value in options.items():
        if name in _OWN:
            _set(command, name, value)
    command.command_id = command.command_id or str(uuid.uuid4())
    command.requires_command_id = options.get("requires", "")
    if options.get("after_completed"):
        command.start_after = START_AFTER_PREVIOUS_COMPLETED
    if "completion_timeout" in options:
        command.completion_timeout.CopyFrom(_duration(options["completion_timeout"]))
    if "extra" in options:
        _add(command, options["extra"])
    if not command.HasField("expire_time"):
        _expire(command, message)
    return command


def _add(command: Command, extra: Mapping[str, Any]) -> None:
    try:
        json_format.ParseDict(dict(extra), command.extra)
    except json_format.ParseError as error:
        raise TypeError(f"extra must hold what JSON has, and not be nested too deeply: {error}") from None


def _set(command: Command, name: str, value: Any) -> None:
    if name == "expire_time":
        command.expire_time.FromDatetime(value)
    else:
        setattr(command, name, value)


def _expire(command: Command, message: Message) -> None:
    """Make the action's own expiry absolute. Behind a gate it counts from the gate's opening, which is not known."""
    action = message.DESCRIPTOR.GetOptions().Extensions[options_pb2.action]
    if not action.never_expires and command.start_after != START_AFTER_PREVIOUS_COMPLETED:
        seconds = action.expire_seconds or _EXPIRE_SECONDS
        command.expire_time.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    return duration
