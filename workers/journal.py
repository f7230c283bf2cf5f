"""The workers' log lines: what an operator asks about one command. Never a body, a header or a key."""

from __future__ import annotations

from typing import Final

import structlog

from cordboard.cloudevents import trace_id_of
from cordboard.work import Verdict, Work
from workers.core.outcome import Meaning
from workers.events import Broke, BrokeOff, Ended, Event, LogTrouble, Tried, Unreadable, Unreported, Voided

_QUIET: Final = frozenset({Meaning.ACCEPTED, Meaning.REFUSED})
_logger: Final[structlog.stdlib.BoundLogger] = structlog.get_logger("cordboard.worker")


def write(event: Event) -> None:
    """Write the line of an event, if it has one: what went as it should is left to the metrics."""
    match event:
        case Tried(work, reading, seconds, resend) if reading.meaning not in _QUIET:
            # With a status, the message quotes Telnyx's text, which may hold a number.
            why = "" if reading.status else reading.message
            told = {"meaning": reading.meaning.value, "http_status": reading.status, "why": why}
            _logger.info("request_failed", **_address(work), **told, seconds=round(seconds, 3), resend=resend)
        case Ended(work, outcome) if outcome.verdict is not Verdict.DONE:
            codes = [error.code for error in outcome.errors]
            told = {"verdict": outcome.verdict.value, "cause": outcome.cause, "http_status": outcome.http_status}
            _logger.info("release_ended", **_address(work), **told, codes=codes, tries=outcome.tries)
        case Broke(is_open):
            _logger.warning("breaker_opened" if is_open else "breaker_closed")
        case Voided(work):
            _logger.info("copy_voided", **_address(work))
        case Unreadable(lane, partition, offset):
            _logger.error("work_unreadable", lane=lane.value, partition=partition, offset=offset)
        case LogTrouble(lane, doing, error):
            _logger.warning("log_trouble", lane=lane.value, doing=doing, error=error)
        case Unreported(work, error):
            _logger.error("release_unreported", **_address(work), error=error)
        case BrokeOff(lane, error):
            _logger.critical("lane_broke_off", lane=lane.value, exc_info=error)


def _address(work: Work) -> dict[str, str | int]:
    trace = {"trace_id": trace_id_of(work.traceparent)} if work.traceparent else {}
    return {"call": work.key, "command_id": work.command_id, "attempt": work.attempt, "action": work.action, **trace}
