"""What every part of a call lives by: the time it is, a way to be woken later, and a way to tell the world."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.core.ids import Ids
from sandbox.core.timers import Timer, Timers

if TYPE_CHECKING:
    from sandbox.core.call import Call


class Habits(msgspec.Struct, kw_only=True):
    """How long things take, in sandbox seconds, unless a command or a number says otherwise; and how many fit."""

    answer_seconds: float = 1.0
    speech_chars_per_second: float = 15.0
    media_seconds: float = 3.0
    recording_save_seconds: float = 0.5
    machine_detection_seconds: float = 1.0
    machine_greeting_seconds: float = 3.0
    channels_max: int | None = None  # Outgoing calls at a time; one more is hung up at once. None: no limit.


@dataclass(frozen=True, slots=True)
class Event:
    """Something that Telnyx would tell by webhook; `at` is sandbox time."""

    event_type: str
    call_control_id: str
    webhook_url: str | None
    at: float
    payload: dict[str, Any]
    retries_ms: tuple[int, ...] | None = None  # The pauses before its further attempts; None: the usual ones.
    more_urls: tuple[str | None, ...] = ()  # Where it goes too, each with attempts of its own.
    cause: str = ""  # The command_id of the command whose doing it tells of, where that is known. Telnyx tells nobody.


class Life:
    """The time and its consequences. Nothing in here moves by itself: `Exchange` sets `now`."""

    def __init__(self, habits: Habits, rng: random.Random, stamp: Callable[[float], str]) -> None:
        self.now = 0.0
        self.habits = habits
        self.ids = Ids(rng)
        self.timers = Timers()
        self.events: list[Event] = []
        self.stamp = stamp  # A moment of sandbox time, as Telnyx writes times.
        self.cause = ""  # The command that is being done, by its command_id.

    def after(self, seconds: float, fire: Callable[[], None]) -> Timer:
        """Be woken after so many sandbox seconds."""
        return self.timers.at(self.now + seconds, fire)

    def tell(
        self,
        call: Call,
        event_type: str,
        *,
        parties: bool = True,
        control: bool = True,
        cause: str | None = None,
        **fields: Any,
    ) -> None:
        """Tell the call's application what has happened.

        Most media events do not name the `parties`, and a saved recording not even the call's `control` id. The `cause`
        is the command that is being done, unless another one is named.
        """
        payload = call.named(parties=parties)
        if not control:
            del payload["call_control_id"]
        payload.update(fields)
        urls = call.webhook_urls.get(event_type) or (call.webhook_url,)
        policy = call.webhook_retries.get(event_type)
        retries = tuple(policy.get("retries_ms", ())) if policy else None
        told_of = self.cause if cause is None else cause
        self.events.append(Event(event_type, call.id, urls[0], self.now, payload, retries, urls[1:], told_of))
