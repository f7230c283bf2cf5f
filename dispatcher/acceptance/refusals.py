"""Refusals: why the door turned a request away, from the contract's closed list, as gRPC says it and as streams do.

Rule: a refusal that carries our ErrorInfo means that nothing will happen (ACCEPTANCE_UNKNOWN says otherwise by name).
So a Refused is raised before anything was appended, or because the log said that nothing was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped] # generated, no stubs exist
from grpc_status import rpc_status

from cordboard.log.port import AppendUncertain, LogError
from cordboard.v1 import dispatcher_service_pb2, result_pb2
from cordboard.validation import Violation

DOMAIN: Final = "cordboard.v1"
RETRY_SECONDS: Final = 0.5
RETRY_ELSEWHERE_SECONDS: Final = 0.1  # Another process can do it at once.
RETRY_CLOSED_SECONDS: Final = 5.0  # A person has to do something first.
_NONE: Final[Mapping[str, str]] = {}

_CODES: Final = {
    result_pb2.REASON_INVALID_COMMAND: grpc.StatusCode.INVALID_ARGUMENT,
    result_pb2.REASON_UNKNOWN_ACCOUNT: grpc.StatusCode.INVALID_ARGUMENT,
    result_pb2.REASON_COMMAND_TOO_LARGE: grpc.StatusCode.INVALID_ARGUMENT,
    result_pb2.REASON_UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    result_pb2.REASON_NOT_PERMITTED: grpc.StatusCode.PERMISSION_DENIED,
    result_pb2.REASON_OVERLOADED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    result_pb2.REASON_QUOTA_EXCEEDED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    result_pb2.REASON_SHUTTING_DOWN: grpc.StatusCode.UNAVAILABLE,
    result_pb2.REASON_RESTORING: grpc.StatusCode.UNAVAILABLE,
    result_pb2.REASON_OWNER_UNREACHABLE: grpc.StatusCode.UNAVAILABLE,
    result_pb2.REASON_LOG_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    result_pb2.REASON_ACCEPTANCE_UNKNOWN: grpc.StatusCode.UNAVAILABLE,
    result_pb2.REASON_COMMAND_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    result_pb2.REASON_CALL_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    result_pb2.REASON_CURSOR_EXPIRED: grpc.StatusCode.OUT_OF_RANGE,
    result_pb2.REASON_NO_RECORDER: grpc.StatusCode.FAILED_PRECONDITION,
    result_pb2.REASON_RECORDER_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    result_pb2.REASON_LETTER_NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    result_pb2.REASON_NOT_REPLAYABLE: grpc.StatusCode.FAILED_PRECONDITION,
}
_MAY_BE_TRIED_AGAIN: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})


class Refused(Exception):
    """A request was turned away. `metadata` holds the facts of the message, its names in lowerCamelCase."""

    def __init__(
        self,
        reason: result_pb2.Reason.ValueType,
        message: str,
        *,
        violations: Sequence[Violation] = (),
        retry_seconds: float = RETRY_SECONDS,
        metadata: Mapping[str, str] = _NONE,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.violations = violations
        self.metadata = metadata
        self.code = _CODES[reason]
        self.retry_seconds = retry_seconds if self.code in _MAY_BE_TRIED_AGAIN else None

    @property
    def name(self) -> str:
        """The reason without its prefix."""
        return result_pb2.Reason.Name(self.reason).removeprefix("REASON_")

    def status(self) -> grpc.Status:
        """The refusal as a gRPC status, with google.rpc details: one of each kind at most."""
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        info = error_details_pb2.ErrorInfo(reason=self.name, domain=DOMAIN, metadata=self.metadata)
        status.details.add().Pack(info)
        if self.violations:
            status.details.add().Pack(_bad_request(self.violations))
        if self.retry_seconds is not None:
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=_duration(self.retry_seconds)))
        return rpc_status.to_status(status)

    def refusal(self) -> dispatcher_service_pb2.Refusal:
        """The refusal as the answer to one item of a stream."""
        return dispatcher_service_pb2.Refusal(
            reason=self.reason,
            message=self.message,
            violations=[
                result_pb2.FieldViolation(field=one.field, description=one.description, rule=one.rule)
                for one in self.violations
            ],
            retry_delay=None if self.retry_seconds is None else _duration(self.retry_seconds),
            metadata=self.metadata,
        )


def invalid(violations: Sequence[Violation]) -> Refused:
    """Fields are wrong: all of them at once."""
    return Refused(result_pb2.REASON_INVALID_COMMAND, _sentence(violations), violations=violations)


def of_log(error: LogError) -> Refused:
    """What an append that failed means for its sender. The log's own words are for operators, not for senders."""
    if isinstance(error, AppendUncertain):
        message = "The log did not answer: perhaps it was accepted. Send the same again under the same id."
        return Refused(result_pb2.REASON_ACCEPTANCE_UNKNOWN, message)
    return log_unavailable("The log cannot be written now; nothing was accepted.")


def log_unavailable(message: str) -> Refused:
    """The log cannot be written or read now."""
    return Refused(result_pb2.REASON_LOG_UNAVAILABLE, message)


def shutting_down() -> Refused:
    """This process is stopping."""
    message = "This process is stopping; another one will take the request."
    return Refused(result_pb2.REASON_SHUTTING_DOWN, message, retry_seconds=RETRY_ELSEWHERE_SECONDS)


def closed(account: str) -> Refused:
    """The log was restored from a backup, and this account has not been resumed since."""
    message = (
        f"The log was restored from a backup. What it has lost may have been sent, so account {account} takes no "
        "commands but hangups and rejects until an operator resumes it."
    )
    return Refused(result_pb2.REASON_RESTORING, message, retry_seconds=RETRY_CLOSED_SECONDS)


def overloaded(what: str) -> Refused:
    """This process has as much to do as it takes on; `what` is a sentence that says what there is too much of."""
    return Refused(result_pb2.REASON_OVERLOADED, f"{what} Try again in a moment.")


def _sentence(violations: Sequence[Violation]) -> str:
    if len(violations) == 1:
        return f"The request is invalid: {violations[0].description}."
    return f"The request is invalid in {len(violations)} places, the first: {violations[0].description}."


def _bad_request(violations: Iterable[Violation]) -> error_details_pb2.BadRequest:
    bad = error_details_pb2.BadRequest()
    for violation in violations:
        bad.field_violations.add(field=violation.field, description=violation.description, reason=_reason(violation))
    return bad


def _reason(violation: Violation) -> str:
    """The rule as google.rpc wants it: UPPER_SNAKE_CASE."""
    return violation.rule.upper().replace(".", "_")


def _duration(seconds: float) -> Duration:
    return Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1_000_000_000))
