"""A trial: the sandbox, the clients and the verdict around a Cordboard of either kind, whatever is done to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Self

import httpx

from cordboard.client import Client
from sandbox.server import Server
from sandbox.settings import Settings
from tests.e2e.checker import Evidence, Sent, Violation, acknowledged, check
from tests.e2e.load import Load, Traffic
from tests.e2e.observer import Heard, until
from tests.e2e.sender import Straight

# Two minutes and a half after the last fault every command has been released or has expired, and has its result.
_END_SECONDS: Final = 150.0
_CATCH_UP_SECONDS: Final = 60.0
GRPC: Final = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500))


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened in one run. `states` are those of the results; `more` is what this kind of run counts besides."""

    seed: int
    faults: int
    calls: int
    effects: int
    retries: int
    events: int
    states: Counter[str]
    seconds: float
    violations: list[Violation]
    more: str = ""

    def __str__(self) -> str:
        states = ", ".join(f"{count} {state.lower()}" for state, count in self.states.most_common())
        return (
            f"seed {self.seed}: {self.faults} faults, {self.calls} calls, {self.states.total()} commands ({states}), "
            f"{self.effects} effects, {self.events} events, {self.retries} retries, {self.more}"
            f"{len(self.violations)} violations, {self.seconds:.0f} s"
        )


def losses(seed: int) -> list[dict[str, Any]]:
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


class Trial:
    """`async with` has a sandbox; `begin` the load; `quiet_down` ends it; `evidence` is what is then judged."""

    def __init__(self, seed: int, tell: Callable[[str], None], webhook_attempts_max: int = 6) -> None:
        self.rng = Random(seed)
        self.seed = seed
        self._say = tell
        self._stack = AsyncExitStack()
        settings = Settings(
            port=0, seed=seed, speed=10.0, webhook_attempts_max=webhook_attempts_max, webhook_backoff_seconds=0.25
        )
        self.sandbox = Server(settings)
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._began = asyncio.get_running_loop().time()
        await self._stack.enter_async_context(self.sandbox)
        self._http = await self._stack.enter_async_context(
            httpx.AsyncClient(base_url=self.sandbox.root_url, trust_env=False, timeout=60)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stack.aclose()

    async def begin(
        self,
        client: Client,
        heard: Heard,
        watching: asyncio.Task[None],
        traffic: Traffic,
        webhook_url: str,
        straight: Straight | None = None,
    ) -> None:
        """Have calls come and go; `watching` is the task in which `heard` hears."""
        self.heard = heard
        load = Load(traffic, client, heard, self._http, webhook_url, straight)
        self.journal, self._load = load.journal, load
        self._calling = asyncio.create_task(load.run(self.rng, self._stopping), name="the load")
        self._tasks = [watching, self._calling]

    async def put_faults(self, rules: list[dict[str, Any]]) -> None:
        """What Telnyx does wrong from now on."""
        (await self._http.put("/sandbox/faults", json=rules)).raise_for_status()

    def counts(self) -> dict[str, int]:
        """What moments are made of. Raises what has ended the load or the watch."""
        for task in self._tasks:
            if task.done():
                task.result()
        return {
            "acknowledgements": len(self.journal.acknowledged),
            "requests": self.sandbox.station.truth.effects_seen,
            "results": len(self.heard.told),
            "events": len(self.heard.events),
        }

    def tell(self, what: str) -> None:
        """Say where things stand."""
        open_commands = len(self.journal.acknowledged - self.heard.ended)
        standing = [*(f"{count} {name}" for name, count in self.counts().items()), f"{open_commands} open"]
        seconds = asyncio.get_running_loop().time() - self._began
        self._say(f"seed {self.seed}, {seconds:.0f} s: {what}; {', '.join(standing)}")

    async def quiet_down(self) -> None:
        """Let everything come to its end without further faults, within the time that there is for it."""
        self._stopping.set()
        await self.put_faults([])
        self.tell("no more calls")
        if not await until(lambda: self.counts() and self._calling.done(), _END_SECONDS):
            self.tell("some clients still have no answer")
        self.tell("no more commands")
        await until(lambda: self.journal.acknowledged <= self.heard.ended, _END_SECONDS)
        self.sandbox.settings.quiet = True  # Calls live on; what is judged must not change meanwhile.
        await self.sandbox.station.webhooks.drained()
        deliveries = (await self._recorded())["deliveries"]
        kept = {one["event_id"] for one in deliveries if acknowledged(one)}
        await until(lambda: kept <= {event_id for event_id, _ in self.heard.events}, _CATCH_UP_SECONDS)

    async def evidence(self, sent: Sequence[Sent] | None = None, **more: Any) -> Evidence:
        """All that is known; `sent` where the order of acceptance is known better than by its senders."""
        return Evidence(
            sent=self.journal.sent() if sent is None else sent,
            told=self.heard.told,
            answers=self.journal.answers,
            completions=self.heard.completions,
            events=self.heard.events,
            **await self._recorded(),
            **more,
        )

    async def _recorded(self) -> Mapping[str, list[dict[str, Any]]]:
        effects = (await self._http.get("/sandbox/effects")).json()["effects"]
        deliveries = (await self._http.get("/sandbox/webhooks")).json()["webhooks"]
        return {"effects": [one for one in effects if one["action"] != "retrieve"], "deliveries": deliveries}

    def verdict(self, evidence: Evidence, faults: int, more: Sequence[Violation], counted: str = "") -> Summary:
        """Judge. `more` is what was found by other means."""
        unheard = [] if self._calling.done() else [Violation("never answered", "clients that asked again and again")]
        return Summary(
            seed=self.seed,
            faults=faults,
            calls=self._load.callers,
            effects=sum(bool(effect["happened"]) for effect in evidence.effects),
            retries=self.journal.retries,
            events=len(evidence.events),
            states=Counter(told.state for told in evidence.told if told.kind == "result"),
            seconds=asyncio.get_running_loop().time() - self._began,
            violations=[*unheard, *check(evidence), *more],
            more=counted,
        )
