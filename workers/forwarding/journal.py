"""Forwarding's log lines: what an operator asks about an endpoint or an event. Never a body, an address or a header."""

from __future__ import annotations

from typing import Final

import structlog

from cordboard.clock import Clock
from cordboard.seldom import Seldom
from workers.core.forwarding import Parcel
from workers.forwarding.events import Abandoned, BrokeOff, Event, LogTrouble, TriedInVain

_logger: Final[structlog.stdlib.BoundLogger] = structlog.get_logger("cordboard.forward")


class Journal:
    """Writes the lines of one account; those that come in floods once a minute."""

    def __init__(self, account: str, clock: Clock) -> None:
        self._account = account
        self._said = Seldom(clock)

    def __call__(self, event: Event) -> None:
        """Write the line of an event, if it has one: what went as it should is left to the metrics."""
        match event:
            case TriedInVain(parcel, answer) if self._said.now(answer):
                told = {"result": answer.result.value, "http_status": answer.status, "tries": parcel.tries}
                _logger.warning("event_not_taken", **self._address(parcel), **told)
            case Abandoned(parcel, answer, why):
                told = {"result": answer.result.value, "http_status": answer.status, "tries": parcel.tries}
                _logger.error("event_given_up", **self._address(parcel), **told, reason=why.value)
            case LogTrouble(doing, error) if self._said.now(doing):
                _logger.warning("log_trouble", account=self._account, doing=doing, error=error)
            case BrokeOff(error):
                _logger.critical("forwarding_broke_off", account=self._account, exc_info=error)

    def _address(self, parcel: Parcel) -> dict[str, str]:
        call = parcel.line.decode(errors="replace")
        return {"account": self._account, "call": call, "event_id": parcel.event_id, "event_type": parcel.event_type}
