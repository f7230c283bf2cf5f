"""Chaos: the whole of Cordboard killed at random moments under load, again and again, and then held to its promises.

    python -m tests.e2e.chaos --kills 200 --seed 1

The sandbox and the clients live here and survive; Cordboard is another process, which is killed as `kill -9` does. When
it is killed depends on the seed, and on what was counted since its last start: acknowledged commands, requests that
reached the sandbox, results, events. Some are killed while they still start. Nobody waits for quiet in between.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Self

import httpx

from cordboard.client import Client
from sandbox.server import Server
from sandbox.settings import Settings
from tests.e2e.checker import Evidence, Violation, acknowledged, check
from tests.e2e.load import Load
from tests.e2e.observer import Observer, until
from tests.e2e.process import ROOT, Cordboard

CALLS_PER_SECOND: Final = 6.0
KILLS_PER_ROUND: Final = 25
_KEPT_IN: Final = ROOT / "build" / "chaos"  # Log and last words of a round that broke a promise.
_COUNT_MAX: Final = 80
_STUCK_SECONDS: Final = 90.0
# Two minutes and a half after the last kill every command has been released or has expired, and has its result.
_END_SECONDS: Final = 150.0
_CATCH_UP_SECONDS: Final = 60.0
_GRPC: Final = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500))


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened in one run. `kinds` are the states of the results."""

    seed: int
    kills: int
    calls: int
    effects: int
    retries: int
    events: int
    states: Counter[str]
    seconds: float
    violations: list[Violation]

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state.lower()}" for state, count in self.states.most_common())
        return (
            f"seed {self.seed}: {self.kills} kills, {self.calls} calls, {self.states.total()} commands ({states}), "
            f"{self.effects} effects, {self.events} events, {self.retries} retries, {len(self.violations)} violations, "
            f"{self.seconds:.0f} s"
        )


def faults(seed: int) -> list[dict[str, Any]]:
    """What else goes wrong: answers that are lost or late, and webhooks that come late, twice and out of order."""
    rules: list[dict[str, Any]] = [
        {"cut": "after", "probability": 0.01},
        {"cut": "before", "probability": 0.01},
        {"status": 503, "probability": 0.01},
        {"latency_ms": 60, "probability": 0.2},
        {"answer_latency_ms": 60, "probability": 0.3},
        {"on": "webhook", "duplicate": 1, "delay_ms": 100, "probability": 0.1},
        {"on": "webhook", "shuffle_ms": 400, "probability": 0.1},
    ]
    return [{**rule, "seed": seed + number} for number, rule in enumerate(rules)]


class Run:
    """One run on one directory: `async with`, then `rage`, then `conclude`."""

    def __init__(self, directory: Path, seed: int, tell: Callable[[str], None]) -> None:
        self._directory = directory
        self._seed = seed
        self._rng = Random(seed)
        self._tell = tell
        self._stack = AsyncExitStack()
        self._kills = 0
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Start the sandbox and Cordboard, and begin to watch and to call."""
        self._began = asyncio.get_running_loop().time()
        enter = self._stack.enter_async_context
        settings = Settings(port=0, seed=self._seed, speed=10.0, webhook_attempts_max=6, webhook_backoff_seconds=0.25)
        self._sandbox = await enter(Server(settings))
        self._http = await enter(httpx.AsyncClient(base_url=self._sandbox.root_url, trust_env=False))
        self.cordboard = Cordboard(self._directory, self._sandbox.base_url, self._sandbox.public_key)
        self._stack.callback(self.cordboard.abandon)
        self._client = await enter(Client(self.cordboard.target, options=_GRPC))
        self.cordboard.start()
        self._observer = Observer(self._client)
        await self._observer.take_place()
        self._start_seconds = asyncio.get_running_loop().time() - self._began
        await self._put_faults(faults(self._seed))
        self._load = Load(self._client, self._observer, self._http, self.cordboard.webhook_url)
        self._watching = asyncio.create_task(self._observer.run())
        self._calling = asyncio.create_task(self._load.run(self._rng, CALLS_PER_SECOND, self._stopping))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing running."""
        for task in (self._calling, self._watching):
            task.cancel()
        await asyncio.gather(self._calling, self._watching, return_exceptions=True)
        await self._stack.aclose()

    async def rage(self, kills: int) -> None:
        """Kill it so many times, and let it come back each time."""
        for _ in range(kills):
            moment = await self._moment()
            self.cordboard.kill()
            self._kills += 1
            self._tell(f"seed {self._seed}: kill {self._kills}/{kills} {moment}; {self._standing()}")
            self.cordboard.start()

    async def conclude(self) -> Summary:
        """Let everything come to its end without further faults, and judge."""
        self._stopping.set()
        await self._put_faults([])
        if not await until(self._all_taken, _END_SECONDS):
            self._tell(f"seed {self._seed}: some clients still have no answer")
        self._tell(f"seed {self._seed}: no more commands; {self._standing()}")
        await until(lambda: self._load.journal.acknowledged <= self._observer.ended, _END_SECONDS)
        await self._sandbox.station.webhooks.drained()
        evidence = await self._evidence()
        kept = {one["event_id"] for one in evidence.deliveries if acknowledged(one)}
        await until(lambda: kept <= set(self._observer.events), _CATCH_UP_SECONDS)
        evidence = await self._evidence()
        return self._summary(
            evidence, [*self._unheard(), *check(evidence), *await self._second_look(), *self._stopped()]
        )

    async def _moment(self) -> str:
        """Return when it is time for the next kill; says when that is."""
        what = self._rng.choice((*self._counts(), "start"))
        if what == "start":
            seconds = self._rng.uniform(0.3, 1.0) * self._start_seconds
            await asyncio.sleep(seconds)
            return f"{seconds:.2f} s after its start"
        more, before = self._rng.randint(1, _COUNT_MAX), self._counts()[what]
        if not await until(lambda: self._counts()[what] >= before + more, _STUCK_SECONDS, 0.001):
            raise AssertionError(f"no {more} {what} in {_STUCK_SECONDS} s: {self.cordboard.last_words()}")
        return f"after {more} {what}"

    def _counts(self) -> dict[str, int]:
        """What moments are made of. Raises what has ended the load or the watch."""
        self.cordboard.check()
        for task in (self._calling, self._watching):
            if task.done():
                task.result()
        return {
            "acknowledgements": len(self._load.journal.acknowledged),
            "requests": self._sandbox.station.truth.effects_seen,
            "results": len(self._observer.told),
            "events": len(self._observer.events),
        }

    def _all_taken(self) -> bool:
        self.cordboard.check()
        return self._calling.done() and self._calling.result() is None

    def _standing(self) -> str:
        counts = self._counts()
        open_commands = len(self._load.journal.acknowledged - self._observer.ended)
        return ", ".join([*(f"{count} {what}" for what, count in counts.items()), f"{open_commands} open"])

    async def _put_faults(self, rules: list[dict[str, Any]]) -> None:
        (await self._http.put("/sandbox/faults", json=rules)).raise_for_status()

    async def _evidence(self) -> Evidence:
        effects = (await self._http.get("/sandbox/effects")).json()["effects"]
        deliveries = (await self._http.get("/sandbox/webhooks")).json()["webhooks"]
        return Evidence(
            sent=self._load.journal.sent(),
            told=self._observer.told,
            answers=self._load.journal.answers,
            completions=self._observer.completions,
            events=self._observer.events,
            effects=[effect for effect in effects if effect["action"] != "retrieve"],
            deliveries=deliveries,
        )

    async def _second_look(self) -> list[Violation]:
        """A watch that begins where the first one began sees the same, neither more nor less."""
        second = Observer(self._client, self._observer.first_cursor)
        looking = asyncio.create_task(second.run())
        await until(lambda: second.items >= self._observer.items, _CATCH_UP_SECONDS)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        missed, more = second.items - self._observer.items, self._observer.items - second.items
        found = [Violation("missed by the watch", repr(item)) for item in missed]
        return [*found, *(Violation("not in the log", repr(item)) for item in more)]

    def _unheard(self) -> list[Violation]:
        return [] if self._calling.done() else [Violation("never answered", "clients that asked again and again")]

    def _stopped(self) -> list[Violation]:
        """After all that it still stops as it should, and never met what it had not expected."""
        status = self.cordboard.stop()
        found = [Violation("complained", line) for line in self.cordboard.complaints()]
        return [Violation("did not stop well", f"status {status}"), *found] if status else found

    def _summary(self, evidence: Evidence, violations: list[Violation]) -> Summary:
        return Summary(
            seed=self._seed,
            kills=self._kills,
            calls=self._load.callers,
            effects=sum(bool(effect["happened"]) for effect in evidence.effects),
            retries=self._load.journal.retries,
            events=len(evidence.events),
            states=Counter(told.state for told in evidence.told if told.kind == "result"),
            seconds=asyncio.get_running_loop().time() - self._began,
            violations=violations,
        )


async def chaos(directory: Path, seed: int, kills: int, tell: Callable[[str], None]) -> Summary:
    """Rage and conclude. Raises where the run could not be brought to its end."""
    async with Run(directory, seed, tell) as run:
        await run.rage(kills)
        return await run.conclude()


def main() -> int:
    """Rounds until there were so many kills; a line for each. The exit status is 1 if any promise was broken."""
    parser = argparse.ArgumentParser(description="Kill Cordboard under load, and hold it to its promises.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    broken = 0
    for number, begun in enumerate(range(0, wanted.kills, KILLS_PER_ROUND)):
        kills = min(KILLS_PER_ROUND, wanted.kills - begun)
        seed = wanted.seed + number
        directory = _fresh(_KEPT_IN / f"seed-{seed}")
        summary = asyncio.run(chaos(directory, seed, kills, _say))
        _say(str(summary))
        for violation in summary.violations:
            _say(f"  {violation.kind}: {violation.detail}")
        if not summary.violations:
            shutil.rmtree(directory)
        broken += len(summary.violations)
    return 1 if broken else 0


def _fresh(directory: Path) -> Path:
    """An empty directory; what was left in it by a round that failed is gone."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a command line.


if __name__ == "__main__":
    sys.exit(main())
