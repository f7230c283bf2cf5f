"""The observer: one Watch from the very beginning, carried through every death of the server by its cursor."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from cordboard.client import Client
from cordboard.v1 import CommandResult, Reason, State, WatchResponse
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


class Observer:
    """Keeps everything that is handed on. `run` it in a task."""

    def __init__(self, client: Client, cursor: str = "") -> None:
        self._watch = client.watch(cursor=cursor)
        self.first_cursor = cursor
        self.told: list[Told] = []
        self.completions: list[tuple[str, bytes]] = []
        self.events: list[str] = []
        self.ended: set[str] = set()  # Commands with a result, or refused for good.
        self.initiated: set[str] = set()  # Calls.
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
        kind = response.WhichOneof("item")
        if kind == "result":
            told = told_of(_kind(response.type), response.result)
            self.told.append(told)
            if told.kind == "result" or (told.kind == "refused" and told.reason != "COMMAND_ID_REUSED"):
                self.ended.add(told.command_id)
        elif kind == "completion":
            completion = response.completion
            self.completions.append((completion.command_id, completion.SerializeToString(deterministic=True)))
        else:
            self.events.append(response.event.event_id)
            if response.event.event_type == "call.initiated":
                self.initiated.add(response.event.call_control_id)
        response.ClearField("cursor")
        self.items[response.SerializeToString(deterministic=True)] += 1


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
