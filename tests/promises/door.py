"""Telnyx's end of the stage: its time, skipped together with ours, and its door, where requests can be held."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

import orjson

from cordboard.clock import SystemClock
from sandbox.scheduler import LoopScheduler
from sandbox.server import Server


class MovableClock:
    """The machine's time, and what was skipped."""

    def __init__(self) -> None:
        self._machine = SystemClock()
        self.skipped_ms = 0

    def now_ms(self) -> int:
        return self._machine.now_ms() + self.skipped_ms


class SharedTime(LoopScheduler):
    """The sandbox's calendar, and its memory of command ids, skip what the clock skips; calls live on as before."""

    def __init__(self, clock: MovableClock, speed: float) -> None:
        super().__init__(speed, lambda: clock.now_ms() / 1000)
        self._skipping = clock

    def elapsed(self) -> float:
        return super().elapsed() + self._skipping.skipped_ms / 1000


@dataclass(slots=True)
class Visit:
    """A request at Telnyx's door; `command_id` is the sender's. Times are ticks: of two, the lower was earlier."""

    command_id: str
    call: str
    action: str
    body: bytes
    came: int
    at_ms: int
    left: int | None = None
    status: int | None = None  # None also where no answer was given.


class Door:
    """Telnyx's door: who came, who is inside, and who is held there."""

    def __init__(self, sandbox: Server, clock: MovableClock) -> None:
        api = sandbox._server.config.app._api  # type: ignore[union-attr]  # It has been started.
        self._enter = api.handle
        api.handle = self._handle
        self._clock = clock
        self._ticks = 0
        self._held: dict[str, asyncio.Event] = {}
        self.visits: list[Visit] = []

    def hold(self, command_id: str) -> None:
        """Keep requests of this command waiting, without effect, until `let_go`."""
        self._held[command_id] = asyncio.Event()

    def let_go(self, *command_ids: str) -> None:
        """Let those in that were held; all, if none is named."""
        for command_id in command_ids or list(self._held):
            self._held.pop(command_id).set()

    def of(self, *command_ids: str) -> list[Visit]:
        """The visits of these commands, as they came."""
        return [visit for visit in self.visits if visit.command_id in command_ids]

    def inside(self, command_id: str) -> bool:
        """Whether a request of the command waits inside."""
        return any(visit.left is None for visit in self.of(command_id))

    async def _handle(self, method: str, path: str, authorization: str, body: bytes) -> Any:
        parts = path.removeprefix("/v2/calls").strip("/").split("/")
        visit = Visit(mark(body), parts[0], parts[-1] or "dial", body, self._tick(), self._clock.now_ms())
        self.visits.append(visit)
        if gate := self._held.get(visit.command_id):
            await gate.wait()
        reply = await self._enter(method, path, authorization, body)
        visit.left, visit.status = self._tick(), None if reply.cut else reply.status
        return reply

    def _tick(self) -> int:
        self._ticks += 1
        return self._ticks


def mark(body: bytes) -> str:
    """The sender's command id, which our commands carry as their client_state."""
    fields = orjson.loads(body) if body else {}
    return base64.b64decode(fields.get("client_state") or "").decode()
