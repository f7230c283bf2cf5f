"""What the sandbox's tests share: a story told without any I/O, a running sandbox, and a receiver of webhooks."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web

from sandbox.core import newer
from sandbox.core.bodies import SCHEMAS
from sandbox.core.call import Call
from sandbox.core.exchange import Exchange
from sandbox.core.life import Event, Habits
from sandbox.server import Server
from sandbox.settings import Settings

ALICE, BOB = "+13125550100", "+13125550200"


class Story:
    """An exchange whose time the test moves by hand."""

    def __init__(self, ended_calls_max: int = 100) -> None:
        self.exchange = Exchange(Habits(), random.Random(7), lambda moment: f"t={moment:g}", ended_calls_max)
        self.now = 0.0
        self.events: list[Event] = []

    def after(self, seconds: float) -> list[str]:
        """Let time pass, and return what was told meanwhile."""
        self.now += seconds
        self.exchange.advance(self.now)
        return self.told()

    def told(self) -> list[str]:
        """What was told since the last time: event types, with the status or reason where there is one."""
        self.events = self.exchange.take_events()
        return [_in_words(event) for event in self.events]

    def dial(self, to: str = BOB, **body: Any) -> Call:
        """A fresh outgoing call."""
        call = self.exchange.dial({"to": to, "from": ALICE, "connection_id": "1", **body})[0]
        assert self.told() == ["call.initiated"]
        return call

    def answered(self, to: str = BOB, **body: Any) -> Call:
        """An outgoing call, one second later, answered."""
        call = self.dial(to, **body)
        assert self.after(1) == ["call.answered"]
        return call

    def incoming(self) -> Call:
        """A call that waits to be answered."""
        call = self.exchange.incoming(from_=BOB, to=ALICE, connection_id="1")
        assert self.told() == ["call.initiated"]
        return call

    def do(self, call: Call, action: str, **body: Any) -> list[str]:
        """Give a command, and return what it made be told at once."""
        (SCHEMAS if action in SCHEMAS else newer.SCHEMAS)[action].check(body)
        self.exchange.command(call, action, body)
        return self.told()


def _in_words(event: Event) -> str:
    detail = event.payload.get("status") or event.payload.get("reason") or event.payload.get("hangup_cause")
    return f"{event.event_type} {detail}" if detail else event.event_type


@pytest.fixture
def story() -> Story:
    return Story()


@dataclass
class Inbox:
    """What came in by webhook; `answers` are the statuses to give, then 200 for ever."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        """Receive one."""
        async with self.changed:
            self.received.append((dict(request.headers), await request.read()))
            self.changed.notify_all()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    def types(self) -> list[str]:
        """The event types in order of arrival."""
        return [event["data"]["event_type"] for event in self.events()]

    def events(self) -> list[dict[str, Any]]:
        """The bodies in order of arrival."""
        return [orjson.loads(body) for _, body in self.received]

    async def until(self, count: int) -> list[str]:
        """Wait for so many."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.received) >= count)
        return self.types()


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    inbox = Inbox()
    application = web.Application()
    application.router.add_post("/hook", inbox.take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    inbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield inbox
    await runner.cleanup()


class Desk:
    """A client of a running sandbox."""

    def __init__(self, server: Server, http: aiohttp.ClientSession) -> None:
        self.server = server
        self.http = http

    async def ask(self, method: str, path: str, content: Any = None, **more: Any) -> tuple[int, Any]:
        """One request; the status and the JSON."""
        async with self.http.request(method, self.server.root_url + path, json=content, **more) as answer:
            return answer.status, await answer.json(content_type=None)

    async def dial(self, to: str = BOB, **body: Any) -> str:
        """A fresh call's id."""
        status, answer = await self.ask(
            "POST", "/v2/calls", {"to": to, "from": ALICE, "connection_id": "1", "timeout_secs": 600, **body}
        )
        assert status == 200, answer
        return str(answer["data"]["call_control_id"])

    async def answered(self, **body: Any) -> str:
        """The id of a call that the other end has picked up."""
        call = await self.dial(BOB[:-4] + "9905", **body)
        status, answer = await self.ask("POST", f"/sandbox/calls/{call}/answer")
        assert (status, answer["state"]) == (200, "answered")
        return call

    async def do(self, call: str, action: str, **body: Any) -> tuple[int, Any]:
        """A command; the status and the code of the error, or None."""
        method = "PUT" if action == "client_state_update" else "POST"
        status, answer = await self.ask(method, f"/v2/calls/{call}/actions/{action}", body)
        return status, answer["errors"][0]["code"] if "errors" in answer else None

    async def effects(self, **query: str) -> list[dict[str, Any]]:
        """The truth."""
        _, answer = await self.ask("GET", "/sandbox/effects", params=query)
        return list(answer["effects"])

    async def effects_until(self, count: int, **query: str) -> list[dict[str, Any]]:
        """The truth, once it holds so many."""
        while len(effects := await self.effects(**query)) < count:  # noqa: ASYNC110 - nothing tells but asking.
            await asyncio.sleep(0.01)
        return effects

    async def faults(self, *rules: dict[str, Any]) -> None:
        """Put faults in force."""
        status, answer = await self.ask("PUT", "/sandbox/faults", list(rules))
        assert status == 200, answer


@pytest.fixture
async def desk(inbox: Inbox) -> AsyncIterator[Desk]:
    settings = Settings(port=0, speed=20, seed=1, webhook_url=inbox.url, webhook_backoff_seconds=0.01)
    async with (
        Server(settings) as server,
        aiohttp.ClientSession(headers={"authorization": "Bearer key"}) as http,
    ):
        yield Desk(server, http)
