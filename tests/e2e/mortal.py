"""The stage for what must outlast a death: the sandbox here, all of Cordboard in a process that can be killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, Self

from cordboard.client import Client
from cordboard.v1 import Command
from sandbox.core.call import State
from sandbox.server import Server
from sandbox.settings import Settings
from sandbox.truth import Effect
from tests.e2e.observer import until
from tests.e2e.process import Cordboard
from tests.e2e.trial import GRPC
from tests.promises.heard import Heard
from tests.promises.stage import ANOTHER, OWN_NUMBER

_PATIENCE_SECONDS: Final = 60.0


class Mortal:
    """`async with Mortal(folder)`: everything runs; `kill` it and `start` it again, whatever is under way."""

    def __init__(self, folder: Path, speed: float) -> None:
        # Webhooks are tried until long after a process that died is back.
        settings = Settings(port=0, speed=speed, webhook_attempts_max=9, webhook_backoff_seconds=0.1)
        self.sandbox = Server(settings)
        self.heard = Heard()
        self._folder = folder
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        sandbox = await self._stack.enter_async_context(self.sandbox)
        self.cordboard = Cordboard(self._folder, sandbox.base_url, sandbox.public_key)
        self._stack.callback(self.cordboard.abandon)
        sandbox.settings.webhook_url = self.cordboard.webhook_url
        self.client = await self._stack.enter_async_context(Client(self.cordboard.target, options=GRPC))
        self.cordboard.start()
        self._watch = self.client.watch()
        await self._watch.positioned()
        following = asyncio.create_task(self._follow())
        self._stack.push_async_callback(_ended, following)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _follow(self) -> None:
        async with self._watch:
            async for response in self._watch:
                self.heard.take(response)

    async def call(self) -> str:
        """Somebody calls and is answered, and Cordboard knows of it."""
        call = self.sandbox.station.tell(
            lambda exchange: exchange.incoming(from_=ANOTHER, to=OWN_NUMBER, connection_id="c")
        ).id
        self.sandbox.station.tell(lambda exchange: exchange.find(call).answer())
        assert await self.until(lambda: self.heard.has("call.answered", call)), self.cordboard.last_words()
        return call

    async def submit(self, *commands: Command) -> None:
        """Hand commands over, one after another."""
        for command in commands:
            await self.client.submit(command, timeout=_PATIENCE_SECONDS)

    async def die(self) -> None:
        """Be killed on the spot, and start again."""
        self.cordboard.kill()
        self.cordboard.start()

    async def until(self, holds: Callable[[], object]) -> bool:
        """Whether a condition came to hold in time."""
        return await until(holds, _PATIENCE_SECONDS)

    async def states(self, *command_ids: str) -> list[str]:
        """How commands ended, each once; waits for them."""
        await self.until(lambda: all(self.heard.of(one) for one in command_ids))
        return [" and ".join(str(told) for told in self.heard.of(one)) for one in command_ids]

    def faults(self, *rules: dict[str, Any]) -> None:
        """What goes wrong at Telnyx from now on."""
        self.sandbox.station.faults.set(list(rules))

    def effects(self, action: str) -> list[Effect]:
        """What became of the requests for an action that came to Telnyx."""
        return [one for one in self.sandbox.station.truth.effects if one.action == action]

    def is_over(self, call: str) -> bool:
        """Whether a call has ended, in truth."""
        return self.sandbox.station.exchange.find(call).state is State.ENDED

    def told_at(self, event_type: str) -> float:
        """When the sandbox first told of such an event; infinitely late where it never did."""
        times = (one.time for one in self.sandbox.station.truth.deliveries if one.event_type == event_type)
        return next(times, float("inf"))


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
