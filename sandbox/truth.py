"""The truth: what really happened, in order, whatever the client was told."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Effect:
    """One request to the API, and what became of it.

    `happened`: it changed something. `ignored_as_repeat`: its command_id had been seen, so it changed nothing and was
    answered as the first one. `status`: what the client was answered, None when nobody answered (`fault` says why).
    """

    n: int
    time: float  # Unix seconds
    method: str
    path: str  # As it came: percent-encoded, below /v2.
    call_control_id: str | None
    action: str
    command_id: str | None
    body: Any
    happened: bool
    ignored_as_repeat: bool
    status: int | None
    refused: str | None  # The code, where it was refused.
    fault: str | None

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


@dataclass(slots=True)
class Delivery:
    """One attempt to deliver one webhook. `status` is the receiver's, None with the `error` that came instead."""

    n: int
    time: float
    event_id: str
    event_type: str
    call_control_id: str
    url: str | None
    attempt: int
    status: int | None
    error: str | None
    fault: str | None
    cause: str = ""  # The command_id of the command whose doing the event tells of, where that is known.

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return asdict(self)


class Truth:
    """The latest so many of each; `n` goes on counting, so a gap at the beginning shows what was forgotten."""

    def __init__(self, effects_max: int, deliveries_max: int) -> None:
        self.effects: deque[Effect] = deque(maxlen=effects_max)
        self.deliveries: deque[Delivery] = deque(maxlen=deliveries_max)
        self.effects_seen = 0
        self.deliveries_seen = 0

    def next_effect(self) -> int:
        """The number of the next effect, from 1."""
        self.effects_seen += 1
        return self.effects_seen

    def next_delivery(self) -> int:
        """The number of the next delivery, from 1."""
        self.deliveries_seen += 1
        return self.deliveries_seen

    def clear(self) -> None:
        """Forget everything."""
        self.effects.clear()
        self.deliveries.clear()
        self.effects_seen = self.deliveries_seen = 0
