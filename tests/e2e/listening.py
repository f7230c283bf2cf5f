"""An observer that can be waited with: for a command's completion, for a call's beginning and end."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Final

from cordboard.client import Client
from cordboard.v1 import CommandCompletion, CommandResult
from tests.e2e.observer import Observer

_PATIENCE_SECONDS: Final = 60.0


class Listening(Observer):
    """Keeps, besides what every observer keeps, completions and results by command and events by call."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.completed: dict[str, CommandCompletion] = {}
        self.results: dict[str, CommandResult] = {}
        self.settled: dict[str, CommandResult] = {}
        self.types: dict[str, list[str]] = defaultdict(list)  # Of a call's events, in the order they were handed on.
        self._waiting: dict[tuple[str, str], asyncio.Event] = defaultdict(asyncio.Event)

    async def until_completed(self, command_id: str) -> None:
        """Return when a command's completion is heard, or nobody can expect it any more."""
        await self._until("completed", command_id)

    async def until_initiated(self, call: str) -> None:
        """Return when a call's first event is handed on."""
        await self._until("call.initiated", call)

    async def until_ended(self, call: str) -> None:
        """Return when a call's hangup is handed on."""
        await self._until("call.hangup", call)

    def take_result(self, ce_type: str, result: CommandResult, content: bytes = b"") -> None:
        super().take_result(ce_type, result, content)
        if ".settled." in ce_type:
            self.settled[result.command_id] = result
        elif ce_type.endswith(".result.v1"):
            self.results[result.command_id] = result

    def take_completion(self, completion: CommandCompletion) -> None:
        super().take_completion(completion)
        self.completed[completion.command_id] = completion
        self._waiting["completed", completion.command_id].set()

    def take_event(self, event_id: str, event_type: str, call: str, content: bytes) -> None:
        super().take_event(event_id, event_type, call, content)
        self.types[call].append(event_type)
        if event_type in ("call.initiated", "call.hangup"):
            self._waiting[event_type, call].set()

    async def _until(self, what: str, whose: str) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._waiting[what, whose].wait()
        except TimeoutError:
            pass  # What is missing is found by the checks.
        finally:
            del self._waiting[what, whose]
