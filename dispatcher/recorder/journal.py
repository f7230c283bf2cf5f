"""The recorder's log lines: when it cannot go on and when it does again, and what was lost to retention."""

from __future__ import annotations

from typing import Final

import structlog

from cordboard.clock import Clock
from cordboard.seldom import Seldom
from dispatcher.recorder.events import BrokeOff, Event, GoesOn, Missed, Trouble

_log: Final = structlog.get_logger("cordboard.recorder")


class Journal:
    """Writes the lines; the same trouble once a minute."""

    def __init__(self, clock: Clock) -> None:
        self._said = Seldom(clock)
        self._in_trouble = False

    def __call__(self, event: Event) -> None:
        """Write the line of an event, if it has one."""
        match event:
            case Trouble(doing, error):
                self._in_trouble = True
                if self._said.now((doing, error)):
                    _log.warning("the recorder cannot go on; it is tried again", doing=doing, why=error)
            case GoesOn() if self._in_trouble:
                self._in_trouble = False
                _log.warning("the recorder goes on")
            case Missed(topic, offsets):
                _log.error("records were removed from the log before they were recorded", topic=topic, offsets=offsets)
            case BrokeOff(error):
                _log.critical("the recorder broke off", exc_info=error)
