"""What was asked before: Telnyx ignores a command_id that it has seen on the same call within the last minute."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any


class Repeats:
    """Answers given, by scope and command_id. The scope of an action is its call, that of a dial is nothing.

    A refused command does not use its id up: Telnyx documents neither, and this way a corrected one can be sent again.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, str], tuple[float, Any]] = OrderedDict()

    def find(self, scope: str, command_id: str, now: float, window: float) -> Any | None:
        """What was answered within `window` seconds before `now`, or None."""
        while self._answers and next(iter(self._answers.values()))[0] <= now - window:
            self._answers.popitem(last=False)
        known = self._answers.get((scope, command_id))
        return known[1] if known and known[0] > now - window else None

    def remember(self, scope: str, command_id: str, now: float, answer: Any) -> None:
        """Note an answer; the window runs from here, not from its repeats."""
        self._answers[(scope, command_id)] = (now, answer)
        self._answers.move_to_end((scope, command_id))  # `find` drops from the front, where the oldest must be.
