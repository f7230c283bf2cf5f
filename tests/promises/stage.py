"""The stage on which the promises are tried: all of Cordboard in this process, the sandbox for Telnyx, and a watch.

Real are the gRPC door, the log, the owners, the workers, the ingress, and every connection between them and the
sandbox, over loopback. Two things can be done here that life does not offer: time can be skipped (for both sides at
once), and a request can be held at Telnyx's door for as long as a story needs it to be in flight.

A story returns what it found wrong; a promise holds where that is nothing. The same stories are told again with a
mechanism taken out (`Without`), and must then find what the mechanism was there to prevent.
"""

from __future__ import annotations

import asyncio
import base64
import random
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

import grpc.aio
import orjson
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from prometheus_client import CollectorRegistry

from cordboard.client import Client, CommandRefused
from cordboard.roles.desk import Desk
from cordboard.settings import (
    Account,
    Grpc,
    Ingress,
    Log,
    Operations,
    Recorder,
    Rest,
    Sealing,
    Settings,
    Tracing,
    Worker,
)
from cordboard.v1 import Command
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from sandbox.truth import Effect
from tests.promises.door import Door, MovableClock, SharedTime, mark
from tests.promises.heard import Heard

ACCOUNT = "main"
PATIENCE_SECONDS = 20.0  # Nothing takes so long that is not stuck.
OWN_NUMBER, ANOTHER, RINGS_ON, ANSWERS_AT_ONCE = "+15550100000", "+15550100001", "+15550109905", "+15550109908"


class Without(NamedTuple):
    """A mechanism taken out before anything starts, the story that goes wrong then, and how its finding begins."""

    take_out: Callable[[pytest.MonkeyPatch], None]
    story: Callable[..., Awaitable[list[str]]]
    finding: str | tuple[str, ...]  # How a line of what is found begins; one of several.

    def __str__(self) -> str:
        return f"{self.take_out.__name__}: {self.story.__name__}"

    def seen_in(self, found: list[str]) -> bool:
        """Whether the story found what was to be expected."""
        assert found, "nothing was found"
        assert any(one.startswith(self.finding) for one in found), found
        return True


class Stage:
    """`async with Stage(directory)`: everything runs, and what is told is heard."""

    def __init__(self, directory: Path, tracing: Tracing | None = None, **account: Any) -> None:
        """`account` are settings of the account, beside those without which nothing runs."""
        self._directory = directory
        self._tracing = tracing or Tracing()
        self._account = account
        self.api_key = account.get("api_key", "key")
        # Requests that are held are given up late, and a lane that waits looks at the skipped time often.
        self._worker: dict[str, Any] = {
            "try_timeout_seconds": 10.0,
            "attempt_budget_seconds": 14.0,
            "waiting_notice_seconds": 0.1,
            "drain_seconds": 0.5,
        }
        self.recorder = Recorder()
        # Further settings, such as identities; then the stage's own client shows this token.
        self.more: dict[str, Any] = {}
        self.other_accounts: tuple[str, ...] = ()
        self.token: str | None = None
        self.sealing = Sealing()
        self._outer, self._inner = AsyncExitStack(), AsyncExitStack()
        self._cursor, self._fences, self._lives = "", 0, 0
        self.patience = PATIENCE_SECONDS
        self.clock = MovableClock()
        self.heard = Heard()

    async def __aenter__(self) -> Self:
        settings = SandboxSettings(port=0, speed=20.0, webhook_backoff_seconds=0.05)
        self.sandbox = await self._outer.enter_async_context(
            Server(settings, scheduler=SharedTime(self.clock, settings.speed))
        )
        self.door = Door(self.sandbox, self.clock)
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.door.let_go()
        await self.close()
        await self._outer.aclose()

    async def open(self) -> None:
        """Start Cordboard and go on watching where the last watch ended."""
        enter = self._inner.enter_async_context
        self._lives += 1
        rng = random.Random(6 + self._lives)  # Ids of one life are not those of the next.
        self.registry = CollectorRegistry()
        desk = Desk(self._settings(), self.clock, rng, self.registry, telnyx_is_local=True)
        await enter(desk)
        self.ingress_url = f"{desk.ingress.url if desk.ingress else ''}/webhooks/telnyx/{ACCOUNT}"
        assert desk.rest is not None
        self.rest, self.rest_url = desk.rest, desk.rest.url
        self.operations_url = desk.operations.url
        self.sandbox.settings.webhook_url = self.ingress_url
        self.target = f"127.0.0.1:{desk.grpc_port}"
        self.client = await enter(Client(self.target, token=self.token))
        self._watch = self.client.watch(cursor=self._cursor)
        self._cursor = await self._watch.positioned()
        self._watching = asyncio.create_task(self._follow())
        self._inner.push_async_callback(self._stop_watching)
        self._is_open = True

    async def reopen(self, **worker: Any) -> None:
        """Stop Cordboard and start it again, perhaps with other settings of its workers."""
        await self.close()
        self._worker.update(worker)
        await self.open()

    async def close(self) -> None:
        """Stop Cordboard as a supervisor would; the log stays."""
        self._is_open = False
        await self._inner.aclose()

    def _settings(self) -> Settings:
        usual = {
            "api_key": self.api_key,
            "base_url": self.sandbox.base_url,
            "webhook_public_key": self.sandbox.public_key,
            "dial_url_secret": "a-secret-of-this-stage",
        }
        account = Account.model_validate(usual | self._account)
        return Settings(
            accounts={ACCOUNT: account, **dict.fromkeys(self.other_accounts, account)},
            default_account=ACCOUNT,
            log=Log(path=self._directory / "log.sqlite3", partitions=1),
            grpc=Grpc(port=0, drain_seconds=0.1),
            ingress=Ingress(port=0),
            rest=Rest(port=0),
            operations=Operations(port=0),
            worker=Worker(**self._worker),
            recorder=self.recorder,
            sealing=self.sealing,
            tracing=self._tracing,
            **self.more,
        )

    async def _follow(self) -> None:
        async with self._watch as watch:
            async for response in watch:
                self._cursor = watch.cursor
                self.heard.take(response)

    async def _stop_watching(self) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)

    async def skip(self, seconds: float) -> None:
        """Let time pass for both sides at once, and return when Cordboard has looked at what is due then."""
        self.clock.skipped_ms += round(seconds * 1000)
        self.sandbox.station.set_speed()  # Its calendar takes up the new time.
        if self._is_open:
            await self.fence()

    async def fence(self) -> None:
        """Return when everything that was accepted before is applied."""
        with suppress(CommandRefused):
            await self.client.get_command("nobody's", "nowhere")

    async def all_told(self) -> None:
        """Return when everything that was decided before is heard: when something later is."""
        self._fences += 1
        name = f"fence-{self._fences}"
        await self.submit(command(name, f"call-of-{name}", "hangup"))
        await self.ended(name)

    def faults(self, *rules: dict[str, Any]) -> None:
        """What goes wrong at Telnyx from now on."""
        self.sandbox.station.faults.set(list(rules))

    async def call(self, *, answered: bool = True) -> str:
        """Somebody calls, and is answered unless it is said otherwise; returns when that was handed on."""
        call = self.incoming()
        if answered:
            self.picked_up(call)
        awaited = "call.answered" if answered else "call.initiated"
        assert await until(lambda: self.heard.has(awaited, call)), f"{awaited} was not handed on"
        return call

    def incoming(self) -> str:
        """Somebody calls."""
        tell = self.sandbox.station.tell
        return tell(lambda exchange: exchange.incoming(from_=ANOTHER, to=OWN_NUMBER, connection_id="c")).id

    def picked_up(self, call: str) -> None:
        """A call is answered, and not by a command of ours."""
        self.sandbox.station.tell(lambda exchange: exchange.find(call).answer())

    def far_end(self, call: str) -> None:
        """The caller hangs up."""
        self.sandbox.station.tell(lambda exchange: exchange.far_end(exchange.find(call)))

    def effects(self, *command_ids: str) -> list[Effect]:
        """What became, in truth, of the requests of these commands; of all, if none is named."""
        every = [effect for effect in self.sandbox.station.truth.effects if effect.action != "retrieve"]
        return [one for one in every if not command_ids or mark(orjson.dumps(one.body)) in command_ids]

    async def submit(self, *commands: Command) -> None:
        """Hand commands over, one after another."""
        for command in commands:
            await self.client.submit(command, timeout=PATIENCE_SECONDS)

    async def until(self, holds: Callable[[], object]) -> bool:
        """Whether a condition came to hold in time."""
        return await until(holds, self.patience)

    async def ended(self, *command_ids: str) -> list[str]:
        """Wait for the results of these commands; says which ones did not come."""
        await self.until(lambda: all(self.heard.of(one) for one in command_ids))
        return [f"no result: {one}" for one in command_ids if not self.heard.of(one)]

    def otherwise(self, **expected: str) -> list[str]:
        """Commands that ended in another way than expected, such as SUCCEEDED, or FAILED call_ended."""
        states = {name: [str(one) for one in self.heard.of(name)] for name in expected}
        return [f"told otherwise: {name} {states[name]}" for name, state in expected.items() if states[name] != [state]]


async def until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether a condition came to hold in time; what it is about has no event of its own."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110 - what is waited for is a sum of things, none of which has an event
                await asyncio.sleep(0.002)
            return True
    return False


def no_room(*_: object) -> None:
    """In the place of `Store.commit`: fail as SQLite does when the disk is full."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorname = "SQLITE_FULL"
    raise error


async def refusal_of(asking: Awaitable[Any]) -> str:
    """How the door answered: "" for yes, its reason, or the name of gRPC's own error, which says nothing."""
    try:
        await asking
    except CommandRefused as refused:
        return refused.reason
    except grpc.aio.AioRpcError as error:
        return f"grpc {error.code().name}"
    return ""


def command(command_id: str, call: str, action: str = "speak", *, expire_ms: int = 0, **options: Any) -> Command:
    """A command; Telnyx sees its id as the client_state. Of the action's own fields only speech has one here."""
    state = base64.b64encode(command_id.encode()).decode()
    made = Command(command_id=command_id, call_control_id=call, client_state=state)
    if expire_ms:
        made.expire_time.CopyFrom(Timestamp(seconds=expire_ms // 1000, nanos=expire_ms % 1000 * 1_000_000))
    getattr(made, action).SetInParent()
    if action == "speak":
        made.speak.payload, made.speak.voice = options.pop("payload", "hello"), "female"
    if action == "dial":
        made.dial.timeout_secs = 600  # Of the sandbox's seconds, which are short.
        made.dial.to, made.dial.from_number, made.dial.connection_id = options.pop("to", RINGS_ON), OWN_NUMBER, "c"
    for name, value in options.items():
        setattr(made, name, value)
    return made


def dial(command_id: str, **options: Any) -> Command:
    """A call to be made, to somebody who lets it ring unless another number is given."""
    return command(command_id, "", "dial", **options)
