"""What is heard on a leg: speech and playbacks take their time, wait for each other, and may be stopped.

How long: text by its length (`speech_chars_per_second`); a file by its name, where it says so: `intro-12s.mp3` is
twelve seconds long, `tone-250ms.wav` a quarter of one, one with `missing` in its name is not found; any other lasts
`media_seconds`.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox.core.life import Habits, Life
from sandbox.core.timers import Timer

if TYPE_CHECKING:
    from sandbox.core.call import Call

_LENGTH: Final = re.compile(r"(\d+)(ms|s)(?![a-zA-Z0-9])")
_TAG: Final = re.compile(r"<[^>]*>")
_SHORTEST_SECONDS: Final = 0.3
_CONTENT_BYTES_PER_SECOND: Final = 16_000  # MP3 at 128 kbit/s.


@dataclass(slots=True)
class Media:
    """One thing to be heard. `told` is false for prompts whose events Telnyx does not document."""

    kind: str  # "speak" or "playback", as in the events' names
    seconds: float
    media_url: str | None = None
    media_name: str | None = None
    overlay: bool = False
    found: bool = True
    told: bool = True
    then: Callable[[], None] | None = None  # Called when it is over, unless by hangup or `drop`.
    timer: Timer | None = None
    cause: str = ""  # The command that asked for it.


def speech(habits: Habits, payload: str, loop: int | str | None = None, **more: Any) -> Media:
    """A text that is spoken, as often as it says."""
    length = len(_TAG.sub("", payload))
    return Media("speak", max(_SHORTEST_SECONDS, length / habits.speech_chars_per_second) * _times(loop), **more)


def playback(habits: Habits, body: dict[str, Any], **more: Any) -> Media:
    """A file that is played, as often as it says."""
    url, name, content = body.get("audio_url"), body.get("media_name"), body.get("playback_content")
    source = url or name or ""
    seconds = len(content) * 3 / 4 / _CONTENT_BYTES_PER_SECOND if content else _named_length(habits, source)
    overlay = body.get("overlay") is True
    found = "missing" not in source
    seconds *= _times(body.get("loop"))
    return Media("playback", seconds, media_url=url, media_name=name, overlay=overlay, found=found, **more)


def _times(loop: int | str | None) -> float:
    return math.inf if loop == "infinity" else float(loop or 1)


def message(habits: Habits, body: dict[str, Any]) -> Media | None:
    """What a new leg is to hear when it answers, if anything. Telnyx documents no events for it."""
    source = {name: body.get(name) for name in ("audio_url", "media_name")}
    return playback(habits, source, told=False) if any(source.values()) else None


def _named_length(habits: Habits, source: str) -> float:
    found = _LENGTH.search(source)
    if not found:
        return habits.media_seconds
    return float(found[1]) / (1000 if found[2] == "ms" else 1)


class Player:
    """The leg's ears: one thing at a time, the rest waits; an overlay is heard above what plays."""

    def __init__(self, life: Life, call: Call) -> None:
        self._life = life
        self._call = call
        self._waiting: deque[Media] = deque()
        self.current: Media | None = None
        self.overlay: Media | None = None

    def add(self, media: Media) -> None:
        """Play now, or after everything that waits."""
        media.cause = media.cause or self._life.cause
        if media.overlay:
            self._end_overlay()
            self.overlay = media
            self._begin(media)
        elif self.current is None:
            self._play(media)
        else:
            self._waiting.append(media)

    def stop(self, which: str) -> None:
        """End what is heard: `current`, or `all` and forget what waits. What never began is never told of."""
        stopped = [self.current] if self.current else []
        if which == "all":
            stopped += self._waiting
            self._waiting.clear()
            self._end_overlay()
        if self.current:
            self._finish(self.current, "cancelled")
            self._next()
        for media in stopped:
            if media.then:
                media.then()  # Who waited for the end of a prompt need not wait any longer.

    def stop_overlay(self) -> None:
        """End only what is heard above the rest."""
        self._end_overlay()

    def drop(self, media: Media) -> None:
        """Take one thing out, whether it is heard or waits."""
        if media is self.current:
            self._finish(media, "cancelled")
            self._next()
        elif media in self._waiting:
            self._waiting.remove(media)

    def hang_up(self) -> None:
        """End everything because the leg ends."""
        self._waiting.clear()
        if self.overlay:
            self._end_overlay("call_hangup")
        if self.current:
            self._finish(self.current, "call_hangup")
        self.current = None

    def _play(self, media: Media) -> None:
        self.current = media
        self._begin(media)

    def _begin(self, media: Media) -> None:
        if not media.found:
            # Nothing is heard, but nobody in the middle of a change of media is called back either.
            media.timer = self._life.after(0, lambda: self._heard(media, "file_not_found"))
            return
        self._tell(media, "started")
        if media.seconds < math.inf:
            media.timer = self._life.after(media.seconds, lambda: self._heard(media, "completed"))

    def _heard(self, media: Media, status: str) -> None:
        self._finish(media, status)
        if media.overlay:
            self.overlay = None
        else:
            self._next()
        if media.then:
            media.then()

    def _next(self) -> None:
        self.current = None
        if self._waiting:
            self._play(self._waiting.popleft())

    def _end_overlay(self, status: str = "cancelled") -> None:
        if self.overlay:
            self._finish(self.overlay, status)
            self.overlay = None

    def _finish(self, media: Media, status: str) -> None:
        self._life.timers.cancel(media.timer)
        # The documented words for speech know no `cancelled`: a stopped one is told as completed.
        told = "completed" if media.kind == "speak" and status == "cancelled" else status
        self._tell(media, "ended", status=told)

    def _tell(self, media: Media, what: str, **fields: Any) -> None:
        if not media.told:
            return
        if media.kind == "playback":
            fields.update(media_url=media.media_url, media_name=media.media_name, overlay=media.overlay)
        self._life.tell(self._call, f"call.{media.kind}.{what}", parties=False, cause=media.cause, **fields)
