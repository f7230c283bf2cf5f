"""Scripted calls by the thousand: one Cordboard on the embedded log, a sandbox in a hurry, many whole calls at a time.

    python -m tests.e2e.scripted --calls 10000 --seed 1

Afterwards every command has one result, every success one completion, and both agree about every call.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

import uvloop

from cordboard.client import Client
from cordboard.v1 import CALL_STATE_ENDED, REASON_UNSPECIFIED, STATE_SUCCEEDED
from sandbox.core.call import State as CallState
from sandbox.server import Server
from sandbox.settings import Settings
from tests.e2e import agreement
from tests.e2e.checker import Evidence, Violation, acknowledged, check
from tests.e2e.keeping import say
from tests.e2e.listening import Listening
from tests.e2e.observer import until
from tests.e2e.process import Cordboard
from tests.e2e.scripts import Script
from tests.e2e.sender import Journal, Sender

_AT_ONCE: Final = 150
_SPEED: Final = 20.0

# A completion that no event brings comes when its time is over: half a minute for most, 330 s for a record_stop that
# stopped nothing.
_OWED_SECONDS: Final = 400.0
_END_SECONDS: Final = 120.0
_APART: Final = (("grpc.use_local_subchannel_pool", 1),)
_CONNECTIONS: Final = 8
_PASSES: Final = frozenset({"gather_stop", "playback_stop"})  # They are placed NEXT where nobody says otherwise.


class Scripted:
    """A run. `async with` has everything up; `play` the calls; `conclude` judges."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._rng = Random(seed)
        self._stack = AsyncExitStack()
        self._journal = Journal()
        self._scripts: list[Script] = []

    async def __aenter__(self) -> Scripted:
        enter = self._stack.enter_async_context
        many = {"effects_max": 10**7, "deliveries_max": 10**7, "ended_calls_max": 10**7}
        self._sandbox = await enter(Server(Settings(port=0, seed=1, speed=_SPEED, **many)))
        self.cordboard = Cordboard(self._folder, self._sandbox.base_url, self._sandbox.public_key)
        self._stack.callback(self.cordboard.abandon)
        self.cordboard.start()
        assert await until(lambda: self.cordboard.up, 60.0)
        self._clients = [await enter(Client(self.cordboard.target, options=_APART)) for _ in range(_CONNECTIONS)]
        self._heard = Listening(self._clients[0])
        await self._heard.take_place()
        self._watching = asyncio.create_task(self._heard.run())
        self._stack.callback(self._watching.cancel)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def play(self, calls: int) -> None:
        """So many calls, a hundred and more at a time."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(script: Script) -> None:
            try:
                await script.run(self.cordboard.webhook_url)
            finally:
                places.release()

        async with asyncio.TaskGroup() as group:
            for number in range(1, calls + 1):
                await places.acquire()
                rng = Random(self._rng.getrandbits(64))
                sender = Sender(self._clients[number % _CONNECTIONS], self._journal, rng)
                self._scripts.append(Script(number, sender, self._heard, self._sandbox, rng))
                group.create_task(one(self._scripts[-1]))
                if number % 500 == 0:
                    say(f"{number} calls begun, {len(self._heard.results)} results")

    async def conclude(self) -> list[Violation]:
        """Wait for all that is owed, and hold one against the other."""
        await until(lambda: self._journal.acknowledged <= self._heard.ended, _END_SECONDS)
        await until(lambda: not self._owed(), _OWED_SECONDS, 0.5)
        self._sandbox.settings.quiet = True
        await self._sandbox.station.webhooks.drained()
        deliveries = [one.as_json() for one in self._sandbox.station.truth.deliveries]
        kept = {one["event_id"] for one in deliveries if acknowledged(one)}
        await until(lambda: kept <= {event_id for event_id, _ in self._heard.events}, _END_SECONDS, 0.5)
        effects = [one.as_json() for one in self._sandbox.station.truth.effects]
        found = [
            *check(self._evidence([one for one in effects if one["action"] != "retrieve"], deliveries)),
            *agreement.completions(self._heard, {k: v for one in self._scripts for k, v in one.transfers.items()}),
            *agreement.ends(self._heard, self._at_the_sandbox(), await self._by_cordboard()),
        ]
        status = await self.cordboard.stop()
        return [*found, *(Violation("complained", line) for line in self.cordboard.complaints()), *_stopped(status)]

    @property
    def told(self) -> list[str]:
        """What became of everything."""
        commands, events = len(self._heard.results), len(self._heard.events)
        return [f"{len(self._scripts)} calls, {commands} commands, {events} events", *agreement.table(self._heard)]

    def _owed(self) -> list[str]:
        """The successes without a completion."""
        return [
            command_id
            for command_id, one in self._heard.results.items()
            if one.state == STATE_SUCCEEDED
            and one.reason == REASON_UNSPECIFIED
            and command_id not in self._heard.completed
        ]

    def _evidence(self, effects: list[dict[str, Any]], deliveries: list[dict[str, Any]]) -> Evidence:
        racing = set().union(*(script.racing for script in self._scripts))
        return Evidence(
            sent=[
                replace(one, passes=one.passes or one.action in _PASSES or one.command_id in racing)
                for one in self._journal.sent()
            ],
            told=self._heard.told,
            answers=self._journal.answers,
            completions=self._heard.completions,
            events=self._heard.events,
            effects=effects,
            deliveries=deliveries,
        )

    def _at_the_sandbox(self) -> dict[str, bool]:
        calls = self._sandbox.station.exchange.calls
        return {call.id: call.state is CallState.ENDED for call in calls.values()}

    async def _by_cordboard(self) -> dict[str, bool]:
        """Of every call that a script led, whether it has ended."""
        calls = [script.call for script in self._scripts if script.call]
        views = [await self._clients[0].get_call(call) for call in calls]
        return {view.call_control_id: view.state == CALL_STATE_ENDED for view in views}


def _stopped(status: int) -> list[Violation]:
    return [Violation("did not stop well", f"status {status}")] if status else []


async def scripted(folder: Path, calls: int, seed: int) -> tuple[list[str], list[Violation]]:
    """Play so many calls and judge them: what became of everything, and what is wrong with it."""
    async with Scripted(folder, seed) as run:
        await run.play(calls)
        violations = await run.conclude()
        return run.told, violations


def main() -> int:
    """One run. The exit status is 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description="Lead many whole calls, and see that nobody disagrees about any.")
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with TemporaryDirectory() as folder:
        told, violations = uvloop.run(scripted(Path(folder), wanted.calls, wanted.seed))
    for line in told:
        say(line)
    for violation in violations[:50]:
        say(f"  {violation.kind}: {violation.detail}")
    say(f"{len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
