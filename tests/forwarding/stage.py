"""An endpoint that notes what it is told and answers as it is told to; events as the dispatcher hands them on."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cordboard.cloudevents import CloudEvent, to_headers
from cordboard.http_server import HttpServer
from cordboard.log.port import NewRecord
from cordboard.topics import Topics

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
PUBLIC_KEY = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
TOPICS = Topics()


def event(call: str, number: int, account: str = "main", event_id: str = "", at: int | None = None) -> NewRecord:
    """The number-th event of a call, as it stands in the events topic; `at` is when it was signed."""
    name = event_id or f"{call}-{number}"
    data = {"record_type": "event", "id": name, "event_type": "call.answered", "payload": {"call_control_id": call}}
    body = json.dumps({"data": data, "meta": {"attempt": 1}}, indent=1).encode()  # Bytes that nobody would write again.
    signed = str(int(time.time()) if at is None else at)
    shown = CloudEvent(id=name, source=f"/telnyx/{account}", type="com.telnyx.call.answered", subject=call)
    signature = base64.b64encode(KEY.sign(signed.encode() + b"|" + body))
    headers = (("telnyx-signature-ed25519", signature), ("telnyx-timestamp", signed.encode()))
    return NewRecord(TOPICS.events, call.encode(), body, to_headers(shown, headers))


@dataclass
class Post:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def call(self) -> str:
        return str(json.loads(self.body)["data"]["payload"]["call_control_id"])

    @property
    def event_id(self) -> str:
        return str(json.loads(self.body)["data"]["id"])


@dataclass
class Service:
    """Somebody's webhook consumer. `answers`: by call, a status for all that comes; `held`: calls not answered yet."""

    posts: list[Post] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    in_hand: Counter[str] = field(default_factory=Counter)
    overlaps: list[str] = field(default_factory=list)  # Calls of which two events were here at once.
    usual: int = 200
    chance: random.Random | None = None  # Where there is one, every other request fails.
    server: HttpServer | None = None

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        post = Post(request.url.path, dict(request.headers), await request.body())
        self.posts.append(post)
        self.in_hand[post.call] += 1
        if self.in_hand[post.call] > 1:
            self.overlaps.append(post.call)
        try:
            if gate := self.held.get(post.call):
                await gate.wait()
        finally:
            self.in_hand[post.call] -= 1
        fails = self.chance is not None and self.chance.random() < 0.5
        status = 500 if fails else self.answers.get(post.call, self.usual)
        return Response(status_code=status, headers={"location": "/elsewhere"})

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"{self.server.url}/hooks/"

    def of(self, call: str) -> list[str]:
        """The ids of what came of a call, in order."""
        return [post.event_id for post in self.posts if post.call == call]

    def hold(self, *calls: str) -> None:
        self.held |= {call: asyncio.Event() for call in calls}

    def let_go(self) -> None:
        for gate in self.held.values():
            gate.set()
        self.held.clear()


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait for a condition; the test's own timeout bounds it."""
    while True:
        met = condition()
        if met if isinstance(met, bool) else await met:
            return
        await asyncio.sleep(0.005)
