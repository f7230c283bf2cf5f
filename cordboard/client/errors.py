"""What the dispatcher turned away, as one exception."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped] # generated, no stubs exist

from cordboard.enumerations import name_of
from cordboard.v1 import Command, CommandCompletion, CommandResult, CompletionState, Reason, State

DOMAIN: Final = "cordboard.v1"
ACCEPTANCE_UNKNOWN: Final = "ACCEPTANCE_UNKNOWN"
_DETAILS: Final = "grpc-status-details-bin"

P = ParamSpec("P")
T = TypeVar("T")


class Violation(NamedTuple):
    """A field that is wrong: its path in the command, and a sentence that says what would be right."""

    field: str
    description: str


@dataclass(eq=False)
class CommandRefused(Exception):
    """The dispatcher refused: nothing will happen, unless `acceptance_unknown`.

    `reason` is a cordboard.v1.Reason without its prefix; `retry_delay` says how long to wait (seconds) before the same
    is tried again, None that trying again is no use; `metadata` holds the facts of the message.
    """

    code: grpc.StatusCode
    message: str
    reason: str
    violations: tuple[Violation, ...] = ()
    retry_delay: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    @property
    def acceptance_unknown(self) -> bool:
        """Whether it may have been accepted after all: send the same again under the same id."""
        return self.reason == ACCEPTANCE_UNKNOWN


class CommandFailed(Exception):
    """A command did not succeed: `result` says what became of it, and why.

    `may_have_happened` is true of UNKNOWN alone: of all others it is certain that nothing did or will.
    """

    def __init__(self, result: CommandResult) -> None:
        state = name_of(State.Name, result.state, "STATE_")
        reason = name_of(Reason.Name, result.reason, "REASON_")
        said = "; ".join(f"Telnyx {one.code}: {one.detail or one.title}" for one in result.errors)
        super().__init__(f"{result.action or 'command'} {state}, {reason}: {said or result.message}")
        self.result = result
        self.state = state
        self.reason = reason

    @property
    def may_have_happened(self) -> bool:
        """Whether nobody knows."""
        return self.state == "UNKNOWN"


class NotCompleted(Exception):
    """A command succeeded, and what it started is not known to be in effect; `completion` None: none will come."""

    def __init__(self, command_id: str, completion: CommandCompletion | None) -> None:
        state, reason = "no completion will come", ""
        if completion is not None:
            state = name_of(CompletionState.Name, completion.state, "COMPLETION_STATE_")
            reason = name_of(Reason.Name, completion.reason, "REASON_") if completion.reason else completion.status
        super().__init__(f"{command_id}: {state}" + (f", {reason}" if reason else ""))
        self.completion = completion


class Unanswered(Exception):
    """No dispatcher said whether it took a command. Sending `command` again is right, whenever: it is never two."""

    def __init__(self, command: Command, seconds: float) -> None:
        super().__init__(f"nobody said within {seconds:g} s whether {command.command_id} was taken")
        self.command = command


def refusal_in(error: grpc.aio.AioRpcError) -> CommandRefused | None:
    """The dispatcher's refusal, if that is what the error is; any other error says nothing about what will happen."""
    details = next((value for name, value in error.trailing_metadata() or () if name == _DETAILS), None)
    if not isinstance(details, bytes):
        return None
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status_pb2.Status.FromString(details).details:
        for known in (info, bad_request, retry):
            detail.Unpack(known)
    if info.domain != DOMAIN:
        return None
    return CommandRefused(
        error.code(),
        error.details() or "",
        info.reason,
        tuple(Violation(one.field, one.description) for one in bad_request.field_violations),
        retry.retry_delay.ToMilliseconds() / 1000 if retry.HasField("retry_delay") else None,
        dict(info.metadata),
    )


def refusing(ask: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let a method raise CommandRefused where gRPC's error carries one."""

    @wraps(ask)
    async def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await ask(*args, **kwargs)
        except grpc.aio.AioRpcError as error:
            refused = refusal_in(error)
            if refused is None:
                raise
            raise refused from error

    return asked
