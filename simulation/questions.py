"""Questions whether a call lives: answered by the sandbox, over roads that are bad by chance, and kept by themselves.

They are no commands, so they are none of the requests by which the faults of a history are counted.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Final

import httpx

from sandbox.api import Reply
from simulation.chosen import ROADS
from simulation.faults import Road
from simulation.loop import Life
from simulation.replies import Body
from simulation.telnyx import Request, Telnyx

_BAD: Final = (
    *(Road.LOST_BEFORE, Road.DROPPED_AFTER, Road.TOO_SLOW, Road.MINUTE, Road.ERROR_WITHOUT, Road.LIMITED),
    *(Road.HALF, Road.HTML, Road.EMPTY, Road.GIANT),
)
_ODDS: Final = 0.35


@dataclass(slots=True)
class Question:
    """One question, when it was asked (virtual seconds), by whom, and what became of it."""

    at: float
    worker: str
    call: str
    road: Road | None
    status: int | None = None


class Questions:
    """What of Telnyx answers them."""

    def __init__(self, telnyx: Telnyx, rng: Random) -> None:
        self.asked: list[Question] = []
        self._telnyx = telnyx
        self._rng = rng

    def transport(self, worker: Life, commands: httpx.AsyncBaseTransport) -> httpx.AsyncBaseTransport:
        """The way to Telnyx of one worker, where `commands` carries all else."""
        return _Transport(self, worker, commands)

    async def ask(self, path: str, worker: Life) -> httpx.Response:
        """Carry one question, and its answer back."""
        bad = self._rng.random() < _ODDS and not self._telnyx.is_calm
        road = self._rng.choice(_BAD) if bad else None
        call = httpx.URL(f"http://x/{path.split('/')[2]}").path[1:]
        question = Question(asyncio.get_running_loop().time(), worker.name, call, road)
        self.asked.append(question)
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._telnyx.life.start(self._answer(question, path, answered))
        reply = await answered
        if reply.cut and road is Road.LOST_BEFORE:
            await asyncio.sleep(120)
        if reply.cut:
            raise httpx.RemoteProtocolError("the server closed the connection")
        return httpx.Response(reply.status, headers=reply.headers, stream=Body(reply))

    async def _answer(self, question: Question, path: str, answered: asyncio.Future[Reply]) -> None:
        await asyncio.sleep(self._rng.uniform(0.01, 0.08))
        request = Request(-1, question.at, 0, question.worker, "GET", path, "", question.call, "asks for")
        reply = await self._telnyx.handle(request, b"", ROADS[question.road] if question.road else None)
        question.status = None if reply.cut else reply.status
        await asyncio.sleep(self._rng.uniform(0.01, 0.08))
        if not answered.done():
            answered.set_result(reply)


class _Transport(httpx.AsyncBaseTransport):
    """What a worker's client writes to."""

    def __init__(self, questions: Questions, worker: Life, commands: httpx.AsyncBaseTransport) -> None:
        self._questions = questions
        self._worker = worker
        self._commands = commands

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request, wherever it belongs."""
        if request.method != "GET":
            return await self._commands.handle_async_request(request)
        return await self._questions.ask(request.url.raw_path.decode().removeprefix("/v2"), self._worker)
