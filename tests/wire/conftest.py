"""What the wire's tests share: a running sandbox whose calls the test names, and the workers' own client."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest_asyncio

from cordboard import v1
from cordboard.catalogue import action_of
from cordboard.identity import telnyx_command_id
from cordboard.request import Request, build
from cordboard.work import Work
from sandbox.core.ids import Ids
from sandbox.server import Server
from sandbox.settings import Settings
from workers.core.outcome import Reply
from workers.telnyx import Telnyx

ACCOUNT = "main"
TRY_MS = 10_000
US, THEM = "+18005550101", "+18005550100"


class GivenIds(Ids):
    """Ids as usual, but for those of calls that the test has named beforehand."""

    def __init__(self) -> None:
        super().__init__(random.Random(1))
        self._names: list[str] = []

    def name(self, call: str) -> None:
        self._names.append(call)

    def call(self) -> str:
        return self._names.pop() if self._names else super().call()


class Wire:
    """Both ends: commands go in at the contract's end, and come out in the sandbox's truth."""

    def __init__(self, server: Server, http: httpx.AsyncClient, telnyx: Telnyx) -> None:
        self._server = server
        self._http = http
        self._telnyx = telnyx
        self._ids = GivenIds()

    async def reset(self) -> None:
        """Begin anew: no calls, no effects."""
        await self._control("reset", {})
        self._ids = GivenIds()
        self._server.station.exchange.life.ids = self._ids

    async def send(self, command: v1.Command) -> tuple[Request, Reply]:
        """Make the request of a command, and send it as a worker does."""
        action = action_of(command)
        request = build(command, telnyx_command_id(ACCOUNT, command.command_id))
        work = Work(
            key=command.call_control_id,
            command_id=command.command_id,
            attempt=1,
            account=ACCOUNT,
            action=action.name,
            lane=action.lane,
            repeat=action.repeat,
            method=request.method,
            path=request.path,
            body=request.body,
            released_ms=0,
            not_after_ms=None,
            expire_ms=None,
        )
        return request, await self._telnyx.send(work, TRY_MS)

    async def parked(self, call: str) -> None:
        """An incoming call of this name that waits to be answered."""
        self._ids.name(call)
        await self._control("calls", {"from": THEM, "to": US})

    async def answered(self, call: str) -> None:
        """The same, answered."""
        await self.parked(call)
        await self.prepare(call, [("answer", {})])

    async def ringing(self, call: str, **more: Any) -> None:
        """An outgoing call of this name whose other end rings until something happens."""
        self._ids.name(call)
        dial = {"from": US, "to": THEM[:-4] + "9905", "connection_id": "1", "timeout_secs": 600, **more}
        answer = await self._http.post("/v2/calls", json=dial)
        assert answer.status_code == 200

    async def supervising(self, call: str, other: str) -> None:
        """A call of this name, answered, that supervises the other."""
        await self.ringing(call, supervise_call_control_id=other)
        await self._control(f"calls/{call}/answer", {})

    async def conversation(self, call: str) -> str:
        """The id of the conversation that an assistant has on this call."""
        return self._server.station.exchange.find(call).sessions.conversing()

    async def ended(self, call: str) -> None:
        """A call of this name that is over."""
        await self.answered(call)
        await self.prepare(call, [("hangup", {})])

    async def prepare(self, call: str, steps: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Bring a call into a state by Telnyx's own API, with a client that is not ours."""
        for action, body in steps:
            segment = call.replace("%", "%25").replace("/", "%2F")
            answer = await self._http.post(f"/v2/calls/{segment}/actions/{action}", json=body)
            assert answer.status_code == 200, answer.text

    async def latest(self) -> dict[str, Any]:
        """The sandbox's account of the latest request."""
        answer = await self._http.get("/sandbox/effects")
        return dict(answer.json()["effects"][-1])

    async def _control(self, route: str, body: dict[str, Any]) -> None:
        answer = await self._http.post(f"/sandbox/{route}", json=body)
        assert answer.is_success, answer.text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both_ends() -> AsyncIterator[Wire]:
    """One server for all tests of a module: starting one takes longer than a test."""
    async with Server(Settings(port=0, quiet=True)) as server:
        telnyx = Telnyx(server.base_url, lambda: "key")
        headers = {"authorization": "Bearer key"}
        async with httpx.AsyncClient(base_url=server.root_url, headers=headers, trust_env=False) as http:
            yield Wire(server, http, telnyx)
            await telnyx.close()


@pytest_asyncio.fixture(loop_scope="module")
async def wire(both_ends: Wire) -> Wire:
    await both_ends.reset()
    return both_ends
