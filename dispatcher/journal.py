"""The dispatcher's log lines: how commands ended, by command and call. Never a message, a body or a number.

What went well is said at debug only; what it takes to say nothing is one look at the level.
"""

from __future__ import annotations

import logging
from typing import Final

import structlog

from cordboard.cloudevents import trace_id_of
from dispatcher.core.decision import Completed, Result
from dispatcher.core.words import Completion, State
from dispatcher.observing import Observed, Said

_NAME: Final = "cordboard.dispatcher"
_logger: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(_NAME)
_levels: Final = logging.getLogger(_NAME)


def write(seen: Observed) -> None:
    """Write the line of an event, if it has one."""
    match seen:
        case Said(Result() as result):
            _write(_level_of(result), "command_ended", result, kind=result.kind, attempts=result.attempts)
        case Said(Completed() as completed):
            level = logging.DEBUG if completed.state is Completion.COMPLETED else logging.INFO
            _write(level, "command_completed", completed, event_type=completed.event_type)


def _level_of(result: Result) -> int:
    if result.state is State.SUCCEEDED or result.kind == "replayed":
        return logging.DEBUG
    return logging.WARNING if result.state is State.UNKNOWN else logging.INFO


def _write(level: int, event: str, said: Result | Completed, **more: str | int) -> None:
    if not _levels.isEnabledFor(level):
        return
    told = {"call": said.call or said.page, "command_id": said.command_id, "action": said.action}
    why = {"account": said.account, "state": said.state.value, "reason": said.reason.value}
    trace = {"trace_id": trace_id_of(said.traceparent)} if said.traceparent else {}
    _logger.log(level, event, **told, **why, **more, **trace)
