"""The observer: one Watch from the very beginning, carried through every death of the server by its cursor."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cordboard.client import Client
from cordboard.v1 import CommandCompletion, CommandResult, Reason, State, WatchResponse
from tests.e2e.checker import Told

_POLL_SECONDS: Final = 0.05


def told_of(kind: str, result: CommandResult) -> Told:
    """A result as the checker reads it."""
    return Told(
        kind=kind,
        command_id=result.command_id,
        state=State.Name(result.state).removeprefix("STATE_"),
        reason=Reason.Name(result.reason).removeprefix("REASON_"),
        accept_ms=result.accept_time.ToMilliseconds(),
        finish_ms=result.finish_time.ToMilliseconds(),
        content=result.SerializeToString(deterministic=True),
    )


class Heard:
    """What was handed on, as the checker wants it, and what clients need to know of it."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.completions: list[tuple[str, bytes]] = []
        self.events: list[tuple[str, bytes]] = []
        self.ended: set[str] = set()  # Commands with a result, or refused for good.
        self.initiated: set[str] = set()  # Calls.

    def take_result(self, ce_type: str, result: CommandResult, content: bytes = b"") -> None:
        """A result of one of the kinds; `content` where more of it must stay the same than the message says."""
        told = told_of(_kind(ce_type), result)
        told = replace(told, content=content or told.content)
        self.told.append(told)
        if told.kind == "result" or (told.kind == "refused" and told.reason != "COMMAND_ID_REUSED"):
            self.ended.add(told.command_id)

    def take_completion(self, completion: CommandCompletion) -> None:
        """What a command started is in effect."""
        self.completions.append((completion.command_id, completion.SerializeToString(deterministic=True)))

    def take_event(self, event_id: str, event_type: str, call: str, content: bytes) -> None:
        """A webhook was handed on."""
        self.events.append((event_id, content))
        if event_type == "call.initiated":
            self.initiated.add(call)


class Observer(Heard):
    """Keeps everything that is handed on. `run` it in a task."""

    def __init__(self, client: Client, cursor: str = "") -> None:
        super().__init__()
        self._watch = client.watch(cursor=cursor)
        self.first_cursor = cursor
        self.items: Counter[bytes] = Counter()  # All of it, without the cursors.

    async def take_place(self) -> None:
        """Return when nothing that happens from now on is missed."""
        self.first_cursor = await self._watch.positioned()

    async def run(self) -> None:
        """Take what comes, until cancelled."""
        async with self._watch:
            async for response in self._watch:
                self._take(response)

    def _take(self, response: WatchResponse) -> None:
        response.ClearField("cursor")
        content = response.SerializeToString(deterministic=True)
        self.items[content] += 1
        kind = response.WhichOneof("item")
        if kind == "result":
            self.take_result(response.type, response.result)
        elif kind == "completion":
            self.take_completion(response.completion)
        else:
            event = response.event
            self.take_event(event.event_id, event.event_type, event.call_control_id, content)


def _kind(ce_type: str) -> str:
    """The last part but one: cordboard.command.result.v1, cordboard.command.result.settled.v1."""
    return ce_type.split(".")[-2]


async def until(holds: Callable[[], object], seconds: float, poll_seconds: float = _POLL_SECONDS) -> bool:
    """Whether a condition came to hold within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110  # what is waited for is a sum of things, none of which has an event
                await asyncio.sleep(poll_seconds)
    except TimeoutError:
        return False
    return True
