"""Saying a thing seldom: floods of the same refusal or complaint are one line a minute."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

from cordboard.clock import Clock

_SAY_AGAIN_MS: Final = 60_000
_SAID_MAX: Final = 1000


class Seldom:
    """Says when something may be said again: a minute after it was said last."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._said: OrderedDict[Hashable, int] = OrderedDict()

    def now(self, thing: Hashable) -> bool:
        """Whether to say this now."""
        now_ms = self._clock.now_ms()
        last_ms = self._said.get(thing)
        if last_ms is not None and now_ms - last_ms < _SAY_AGAIN_MS:
            return False
        self._said[thing] = now_ms
        self._said.move_to_end(thing)
        if len(self._said) > _SAID_MAX:  # What is said may come from outside.
            self._said.popitem(last=False)
        return True
