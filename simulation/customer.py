"""Who consumed the webhooks before Cordboard: an endpoint to which events are posted on, and which has its moods.

It keeps each mood for a while, for all calls or for some. What it took it has, whatever became of its answer.
"""

from __future__ import annotations

import asyncio
import enum
import zlib
from dataclasses import dataclass
from random import Random
from typing import Final

import httpx
import orjson

from simulation.loop import Life
from simulation.postings import HEADERS, content_of

URL: Final = "http://customer/hooks"
TIMEOUT_MS: Final = 5_000
PAUSE_MS_MAX: Final = 8_000  # Between two tries: histories take minutes, not hours.
_PARTS: Final = 3
_SLOW_SECONDS: Final = 7.0


class Mood(enum.Enum):
    """What becomes of a request."""

    WELL = "takes it"
    FAILS = "answers 503"
    REFUSES = "answers 404"
    SLOW = "takes it, and answers later than anybody waits"
    UNREACHABLE = "is not there"
    BREAKS = "takes it, and breaks off"


_STATUSES: Final = {Mood.WELL: 200, Mood.FAILS: 503, Mood.REFUSES: 404, Mood.SLOW: 200}


@dataclass(frozen=True, slots=True)
class Spell:
    """How long a mood lasts (virtual seconds), and for which part of the calls; None for all."""

    begin: float
    end: float
    mood: Mood
    part: int | None


@dataclass(slots=True)
class Forwarded:
    """One request with an event. `over_at`: when its worker had the answer, or had given it up."""

    at: float
    worker: str
    event_id: str
    content: bytes
    mood: Mood
    over_at: float | None = None

    @property
    def is_taken(self) -> bool:
        """Whether the endpoint has the event, and said so."""
        return self.mood is Mood.WELL


class Customer:
    """The endpoint. Everything in it lives in `life`."""

    def __init__(self, life: Life, rng: Random, span: float) -> None:
        self.met: list[Forwarded] = []
        self.calm = False
        self._life = life
        self._rng = rng
        self._spells = [_spell(rng, span) for _ in range(rng.randint(1, 6))]

    def has(self, event_ids: set[str]) -> bool:
        """Whether it took all of these, and said so."""
        return event_ids <= {one.event_id for one in self.met if one.is_taken}

    def transport(self, worker: Life) -> httpx.AsyncBaseTransport:
        """The way to it of one worker."""
        return _Transport(self, worker)

    async def meet(self, request: httpx.Request, worker: Life) -> httpx.Response:
        """Take a request, or do with it what the mood is."""
        loop, body = asyncio.get_running_loop(), bytes(request.content)
        data = orjson.loads(body)["data"]
        content = content_of(body, *(request.headers.get(name, "") for name in HEADERS))
        call = str(data["payload"].get("call_control_id", ""))
        forwarded = Forwarded(loop.time(), worker.name, str(data["id"]), content, self._mood(call))
        self.met.append(forwarded)
        try:
            return await self._answer(forwarded.mood)
        finally:
            forwarded.over_at = loop.time()

    async def _answer(self, mood: Mood) -> httpx.Response:
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        seconds = self._rng.uniform(0.005, 0.08) + (_SLOW_SECONDS if mood is Mood.SLOW else 0.0)
        asyncio.get_running_loop().call_later(seconds, _resolve, answered, context=self._life.context)
        await answered
        if mood is Mood.UNREACHABLE:
            raise httpx.ConnectError("nobody listens")
        if mood is Mood.BREAKS:
            raise httpx.RemoteProtocolError("the server closed the connection")
        return httpx.Response(_STATUSES[mood], stream=httpx.ByteStream(b""))

    def _mood(self, call: str) -> Mood:
        if self.calm:
            return Mood.WELL
        now, part = asyncio.get_running_loop().time(), zlib.crc32(call.encode()) % _PARTS
        moods = (one.mood for one in self._spells if one.begin <= now < one.end and one.part in (None, part))
        return next(moods, Mood.WELL)


class _Transport(httpx.AsyncBaseTransport):
    """What a forwarder's endpoint writes to."""

    def __init__(self, customer: Customer, worker: Life) -> None:
        self._customer = customer
        self._worker = worker

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        return await self._customer.meet(request, self._worker)


def _spell(rng: Random, span: float) -> Spell:
    begin = rng.uniform(0, span)
    mood = rng.choice([one for one in Mood if one is not Mood.WELL])
    return Spell(begin, begin + rng.uniform(2, 25), mood, rng.choice((None, *range(_PARTS))))


def _resolve(answered: asyncio.Future[None]) -> None:
    if not answered.done():
        answered.set_result(None)
