"""What is refused on a stream, as exceptions: by the dispatcher, or here, where it would break the stream off."""

from __future__ import annotations

from typing import Final

import grpc
from google.protobuf.message import DecodeError

from cordboard.client.errors import CommandRefused, Violation
from cordboard.enumerations import name_of
from cordboard.v1 import Command, Reason
from cordboard.v1 import dispatcher_service_pb2 as service

_CODES: Final = {
    "UNAUTHENTICATED": grpc.StatusCode.UNAUTHENTICATED,
    "NOT_PERMITTED": grpc.StatusCode.PERMISSION_DENIED,
}  # All others that a stream says for good are about the command.
BYTES_MAX: Final = 128 * 1024  # Of a command, as the contract has it.


def check(command: Command) -> None:
    """Keep from a stream what would break it off, and with it all others. Raises CommandRefused."""
    size = command.ByteSize()
    if size > BYTES_MAX:
        raise _refused(f"The command has {size} bytes; at most {BYTES_MAX} are taken.", "COMMAND_TOO_LARGE")
    try:
        Command.FromString(command.SerializeToString())
    except DecodeError:
        raise _refused("Structures in the command are nested too deeply.", "INVALID_COMMAND") from None


def _refused(message: str, reason: str) -> CommandRefused:
    return CommandRefused(grpc.StatusCode.INVALID_ARGUMENT, message, reason)


def refused_by(refusal: service.Refusal) -> CommandRefused:
    """A stream's refusal as an exception."""
    reason = name_of(Reason.Name, refusal.reason, "REASON_")
    violations = tuple(Violation(one.field, one.description) for one in refusal.violations)
    facts = dict(refusal.metadata)
    code = _CODES.get(reason, grpc.StatusCode.INVALID_ARGUMENT)
    return CommandRefused(code, refusal.message, reason, violations, None, facts)
