"""Collecting digits: a prompt perhaps, then digits until there are enough, a terminating one, silence, or a stop.

`gather` tries once, and `timeout_millis` bounds the whole. The two with a prompt try `maximum_tries` times: after
silence of `timeout_millis` the prompt is heard again, after wrong digits the `invalid_` one is. A digit ends a prompt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.core.life import Life
from sandbox.core.media import Media, playback, speech
from sandbox.core.timers import Timer

if TYPE_CHECKING:
    from sandbox.core.call import Call


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. Seconds; `prompt` and `invalid_prompt` make what is heard anew each time."""

    minimum: int
    maximum: int
    valid: str
    terminating: str
    total_seconds: float | None
    first_digit_seconds: float
    inter_digit_seconds: float
    name: str | None = None
    tries: int = 1
    prompt: Callable[[], Media] | None = None
    invalid_prompt: Callable[[], Media] | None = None


def plan(action: str, body: dict[str, Any], life: Life) -> Plan:
    """Read a gather command's body; the defaults are the documented ones."""

    def millis(name: str, default: int) -> float:
        return float(body.get(name, default)) / 1000

    prompted = action != "gather"
    prompt, invalid = _prompts(action, body, life)
    return Plan(
        minimum=body.get("minimum_digits", 1),
        maximum=body.get("maximum_digits", 128),
        valid=body.get("valid_digits", "0123456789#*"),
        terminating=body.get("terminating_digit", "#"),
        total_seconds=None if prompted else millis("timeout_millis", 60_000),
        first_digit_seconds=millis("timeout_millis", 60_000) if prompted else millis("initial_timeout_millis", 5_000),
        inter_digit_seconds=millis("inter_digit_timeout_millis", 5_000),
        name=body.get("gather_id"),
        tries=body.get("maximum_tries", 3) if prompted else 1,
        prompt=prompt,
        invalid_prompt=invalid or prompt,
    )


def _prompts(
    action: str, body: dict[str, Any], life: Life
) -> tuple[Callable[[], Media] | None, Callable[[], Media] | None]:
    if action == "gather_using_speak":
        # Telnyx documents no call.speak.* events for this command.
        return _spoken(life, body.get("payload")), _spoken(life, body.get("invalid_payload"))
    invalid = {"audio_url": body.get("invalid_audio_url"), "media_name": body.get("invalid_media_name")}
    return _played(life, body), _played(life, invalid)


def _spoken(life: Life, payload: str | None) -> Callable[[], Media] | None:
    return (lambda: speech(life.habits, payload, told=False)) if payload else None


def _played(life: Life, source: dict[str, Any]) -> Callable[[], Media] | None:
    if not (source.get("audio_url") or source.get("media_name")):
        return None
    named = {name: source.get(name) for name in ("audio_url", "media_name")}
    return lambda: playback(life.habits, named)


class Gathering:
    """One gather on one leg, from its command to call.gather.ended."""

    def __init__(self, life: Life, call: Call, plan: Plan) -> None:
        self._life = life
        self._call = call
        self._plan = plan
        self._digits = ""
        self._tries_left = plan.tries
        self._media: Media | None = None
        self._pause: Timer | None = None
        self._total: Timer | None = None
        self._cause = life.cause

    def begin(self) -> None:
        """Start asking."""
        if self._plan.total_seconds is not None:
            self._total = self._life.after(self._plan.total_seconds, self._silence)
        self._ask(self._plan.prompt)

    def digit(self, digit: str) -> None:
        """The other end pressed a key."""
        self._life.timers.cancel(self._pause)
        self._stop_prompt()
        if digit == self._plan.terminating:
            self._judge()
            return
        self._digits += digit
        if digit not in self._plan.valid:
            self._wrong()
        elif len(self._digits) >= self._plan.maximum:
            self._judge()
        else:
            self._pause = self._life.after(self._plan.inter_digit_seconds, self._silence)

    def close(self, status: str) -> None:
        """Stop asking, and say how it ended."""
        self._life.timers.cancel(self._pause)
        self._life.timers.cancel(self._total)
        self._call.gathering = None
        self._stop_prompt()
        named: dict[str, Any] = {"gather_id": self._plan.name} if self._plan.name else {}
        told = {"digits": self._digits, "status": status, **named}
        self._life.tell(self._call, "call.gather.ended", cause=self._cause, **told)

    def _ask(self, prompt: Callable[[], Media] | None) -> None:
        self._tries_left -= 1
        if prompt is None:
            self._listen()
            return
        self._media = prompt()
        self._media.then, self._media.cause = self._listen, self._cause
        self._call.player.add(self._media)

    def _listen(self) -> None:
        self._media = None
        self._pause = self._life.after(self._plan.first_digit_seconds, self._silence)

    def _silence(self) -> None:
        if len(self._digits) >= self._plan.minimum:
            self.close("valid")
        elif self._tries_left > 0:
            self._digits = ""
            self._ask(self._plan.prompt)
        else:
            self.close("timeout")

    def _judge(self) -> None:
        if len(self._digits) >= self._plan.minimum:
            self.close("valid")
        else:
            self._wrong()

    def _wrong(self) -> None:
        if self._tries_left > 0:
            self._digits = ""
            self._ask(self._plan.invalid_prompt)
        else:
            self.close("invalid")

    def _stop_prompt(self) -> None:
        media, self._media = self._media, None
        if media:
            self._call.player.drop(media)
