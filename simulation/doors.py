"""The roads to the doors and to the ingress: requests of senders, and webhooks. What serves them may die meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from cordboard.v1 import dispatcher_service_pb2 as service
from dispatcher.acceptance.refusals import Refused
from simulation.faults import BadWire, Wire
from simulation.loop import Life
from simulation.postings import HEADERS, Posting, content_of
from simulation.process import Process
from simulation.roles import Ear
from simulation.senders import Broken

_BREAK_SECONDS: Final = 0.01
_WEBHOOK_SECONDS: Final = 5.0
WATCH_SECONDS: Final = 600.0


class Context:
    """What the door's methods need of gRPC's; `hear` takes what a stream writes."""

    def __init__(self, seconds: float, hear: Callable[[Any], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + seconds
        self._hear = hear
        self._sent: deque[Any] = deque()

    def invocation_metadata(self) -> tuple[()]:
        """None is sent."""
        return ()

    def time_remaining(self) -> float:
        """Seconds to the deadline."""
        return self._end - self._loop.time()

    async def send_initial_metadata(self, initial_metadata: object) -> None:
        """The stream has begun."""

    async def write(self, message: Any) -> None:
        """A response of a stream sets out."""
        self._sent.append(message)
        self._loop.call_later(_BREAK_SECONDS, self._deliver)

    def _deliver(self) -> None:
        # A stream keeps its order; timers of the same moment do not.
        self._hear(self._sent.popleft())


class Doors:
    """The ways in, from outside."""

    def __init__(self, processes: Sequence[Process], rng: Random, wires: Sequence[BadWire]) -> None:
        self._processes = processes
        self._rng = rng
        self._wires = {bad.nth: bad.wire for bad in wires}
        self._asked = 0
        self.calm = False
        self.posted: list[Posting] = []

    async def ask(self, method: str, request: Any, seconds: float) -> Any:
        """One request to some door. Raises Refused, and Broken for no answer."""
        wire = None if self.calm else self._wires.get(self._asked)
        self._asked += 1
        process = self._rng.choice([one for one in self._processes if _may_be_door(one)])
        await asyncio.sleep(self._rng.uniform(0.0005, 0.005))
        if wire is Wire.LOST_BEFORE:
            await asyncio.sleep(2.0)
            raise Broken("lost")
        return await self._served(process, method, request, seconds, _nobody, is_lost=wire is Wire.LOST_AFTER)

    async def watch(self, request: service.WatchRequest, hear: Callable[[Any], None]) -> None:
        """A watch, until it breaks."""
        process = self._rng.choice([one for one in self._processes if _may_be_door(one)])
        await self._served(process, "Watch", request, WATCH_SECONDS, hear, is_lost=False)

    async def _served(
        self,
        process: Process,
        method: str,
        request: Any,
        seconds: float,
        hear: Callable[[Any], None],
        *,
        is_lost: bool,
    ) -> Any:
        brain, life = process.brain, process.life
        if brain is None or life is None:
            raise Broken("nobody listens")
        context = Context(seconds, hear)  # Its deadline is the caller's, whenever it is served.
        try:
            method_of = getattr(brain.service, method)
            return await served(life, lambda: method_of(request, context), seconds, is_lost=is_lost)
        except TimeoutError:
            raise Broken("the deadline has passed") from None

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """A webhook to some ingress; returns the status. Raises OSError and TimeoutError."""
        process = self._rng.choice([one for one in self._processes if _may_be_ear(one)])
        await asyncio.sleep(self._rng.uniform(0.005, 0.05))
        ear, life, at = process.ear, process.life, asyncio.get_running_loop().time()
        if ear is None or life is None:
            raise ConnectionRefusedError("nobody listens")
        status: int | None = None
        try:
            status = int(await served(life, lambda: _asgi(ear, url, headers, body), _WEBHOOK_SECONDS))
        except Broken:
            raise ConnectionResetError("the receiver died") from None
        finally:
            content = content_of(body, *(headers.get(name, "") for name in HEADERS))
            event_id = str(orjson.loads(body)["data"]["id"])
            self.posted.append(Posting(at, event_id, content, status, is_served=process.ear is ear))
        return status


async def served(
    life: Life, work: Callable[[], Coroutine[Any, Any, Any]], seconds: float, *, is_lost: bool = False
) -> Any:
    """Have a life do something for somebody outside. Raises what it raises, Broken when it dies, and TimeoutError."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    async def serve() -> None:
        try:
            result, error = await work(), None
        except Exception as refused:
            result, error = None, refused
        if not done.done() and not is_lost:
            loop.call_later(_BREAK_SECONDS, _resolve, done, result, error)

    def hear_death() -> None:
        _resolve(done, None, Broken("the connection broke"))

    life.on_death.append(hear_death)
    life.start(serve())
    try:
        async with asyncio.timeout(seconds):
            return await done
    finally:
        if hear_death in life.on_death:
            life.on_death.remove(hear_death)


def _resolve(done: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


async def _asgi(ear: Ear, url: str, headers: dict[str, str], body: bytes) -> int:
    path = urlsplit(url).path
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.1", 1),
        "server": ("ingress", 80),
    }
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    status: list[int] = []

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    await ear.app(scope, receive, send)
    return status[0]


def _may_be_door(process: Process) -> bool:
    return process.name.startswith(("brain", "all"))


def _may_be_ear(process: Process) -> bool:
    return process.name.startswith(("ear", "all"))


def _nobody(message: object) -> None:
    """A unary call has no stream."""


EXPECTED: Final = (Refused, Broken)
