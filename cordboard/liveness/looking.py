"""Looks at what a process holds, now and then, and says what stands still.

A look is bounded: where the log does not answer, it is said that nobody can tell how things are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from cordboard.liveness.judging import Ends, Judge, Post, Standing, place_of
from cordboard.log.port import Log, LogError

LOOK_SECONDS: Final = 5.0
ASK_SECONDS: Final = 5.0  # How long the log may take to tell where it ends.

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Relieved:
    """A post is not held any more."""

    post: Post


Observer = Callable[[Standing | Relieved], None]


class Liveness:
    """Looks at posts now and then, from `start` to `stop`, and tells the observer how each was found."""

    def __init__(
        self,
        log: Log,
        posts: Callable[[], Iterable[Post]],
        stall_seconds: float,
        observe: Observer,
        *,
        ask_seconds: float = ASK_SECONDS,
        now: Callable[[], float] | None = None,
    ) -> None:
        self._log = log
        self._posts = posts
        self._judge = Judge(stall_seconds)
        self._pause_seconds = min(LOOK_SECONDS, stall_seconds / 3)
        self._observe = observe
        self._ask_seconds = ask_seconds
        self._now = now or asyncio.get_running_loop().time
        self._found: list[Standing] = []
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        self._looking = asyncio.create_task(self._run(), name="liveness")
        self._looking.add_done_callback(_say_if_it_failed)

    async def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))

    async def look(self) -> None:
        """Look once; takes no longer than the log may take to tell where it ends."""
        asked = {place_of(post): asyncio.ensure_future(self._ends(post)) for post in self._posts()}
        try:
            if asked:
                await asyncio.wait(asked.values(), timeout=self._ask_seconds)
        finally:
            for question in asked.values():
                question.cancel()  # One that does not end is left to itself.
        # As they are by now: what was done while the log was asked counts.
        posts, now_seconds = list(self._posts()), self._now()
        for post in self._judge.forget_all_but(posts):
            self._observe(Relieved(post))
        self._found = [
            self._judge.judge(post, *_told(asked[place_of(post)], self._ask_seconds), now_seconds)
            for post in posts
            if place_of(post) in asked
        ]
        for standing in self._found:
            self._observe(standing)

    def trouble(self) -> str | None:
        """What stands still, and of what nobody can tell, as of the last look: for readiness."""
        if self._looking is not None and self._looking.done() and not self._looking.cancelled():
            return "nobody looks any more whether partitions go on: a bug"
        stalled = [one for one in self._found if one.stalled_seconds]
        doubted = [one for one in self._found if one.doubt]
        said = []
        if stalled:
            waiting = sum(sum(one.lags.values()) for one in stalled)
            seconds = max(one.stalled_seconds for one in stalled)
            said.append(f"{_names(stalled)}: nothing was done for {seconds:.0f} s, while {waiting} records wait")
        if doubted:
            said.append(f"{_names(doubted)}: cannot tell whether anything waits: {doubted[0].doubt}")
        return "; ".join(said) or None

    @property
    def found(self) -> tuple[Standing, ...]:
        """How each post was found at the last look."""
        return tuple(self._found)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._pause_seconds)
            await self.look()

    async def _ends(self, post: Post) -> Ends:
        return {at: await self._log.end(at) for at in post.reached}


def _told(question: asyncio.Future[Ends], ask_seconds: float) -> tuple[Ends, str]:
    """The ends, or why they are not known."""
    if not question.done() or question.cancelled():
        return {}, f"the log does not answer within {ask_seconds:g} s"
    error = question.exception()
    if error is None:
        return question.result(), ""
    return {}, str(error) if isinstance(error, LogError) else type(error).__name__


def _names(found: Iterable[Standing]) -> str:
    return ", ".join(one.post.name for one in found)


def _say_if_it_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("nobody looks any more whether partitions go on", exc_info=error)
