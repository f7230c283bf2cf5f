"""Telnyx and the roads to and from it: the sandbox in virtual time, struck by faults, and what it truly did.

A request that has left its worker is the network's: it arrives though the worker dies, and its answer may find nobody.
So nothing lies between a worker's last check and the wire: a freeze there, which nothing can fence, cannot happen here.
And the network holds no request for longer than HELD_SECONDS_MAX, for the same reason.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Final

import httpx
import orjson

from cordboard.clock import Clock
from sandbox.api import Api, Reply
from sandbox.faults import RequestFault
from sandbox.scheduler import LoopScheduler
from sandbox.settings import Settings
from sandbox.station import Station
from sandbox.truth import Effect
from simulation.chosen import REFUSED_REPEAT, ROADS, ChosenFaults, Say
from simulation.clock import TrueClock
from simulation.faults import BadHook, BadRoad, Hook, Road, Spell
from simulation.loop import Life
from simulation.replies import Body

BASE_URL: Final = "https://telnyx.simulated/v2"
HELD_SECONDS_MAX: Final = 6.0
_UNSENT: Final = frozenset({Road.REFUSED, Road.CONNECT_SLOW})
_ENDS: Final = frozenset({Road.DIES_BEFORE, Road.DIES_AFTER})

Post = Callable[[str, dict[str, str], bytes], Awaitable[int]]


@dataclass(slots=True)
class Request:
    """One request that a worker made: when (virtual seconds, and by its own clock), and what truly became of it."""

    number: int
    at: float
    local_ms: int
    worker: str
    method: str
    path: str
    command_id: str  # As Telnyx gets it; for what has none, its client_state.
    call: str
    action: str
    left: bool = True  # Whether anything was sent at all.
    status: int | None = None
    happened: bool = False
    repeat: bool = False
    effect_at: float | None = None
    over_at: float | None = None  # When the worker had its answer, or had given it up.
    made: tuple[str, ...] = ()  # The legs that came of it.
    answer: int | None = None  # The status that was carried back, whatever truly happened.


class Telnyx:
    """The provider, and the network between it and the workers. Everything in it lives in `life`."""

    def __init__(
        self, life: Life, true: TrueClock, rng: Random, faults: list[BadRoad | BadHook], post: Post, say: Say
    ) -> None:
        self.life = life
        self._rng = rng
        self._say = say
        self._roads = {fault.nth: fault.road for fault in faults if isinstance(fault, BadRoad)}
        hooks = {fault.nth: fault.hook for fault in faults if isinstance(fault, BadHook)}
        self._faults = ChosenFaults(hooks, say)
        self._noting: list[Request] = []
        self._legs_known: set[str] = set()
        self._spells: list[Spell] = []
        self._early = {nth for nth, hook in hooks.items() if hook is Hook.EARLY}
        self.requests: list[Request] = []
        self.on_send: list[Callable[[int], None]] = []  # Told the number of each request that has left its worker.
        self.is_calm = False
        self.station = life.context.run(self._station, true, post)
        self._api = Api(self.station)

    def _station(self, true: TrueClock, post: Post) -> Station:
        settings = Settings(webhook_url="http://ingress/webhooks/telnyx", webhook_backoff_seconds=1.0)
        scheduler = LoopScheduler(clock=true.seconds)
        settings.signing_key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        station = Station(settings, scheduler=scheduler, rng=self._rng, post=post)
        station.faults = station.webhooks._faults = self._faults
        station.truth.effects = _Noted(self._note)
        return station

    def be_calm(self) -> None:
        """From now on nothing goes wrong."""
        self.is_calm = self._faults.calm = True

    def cast(self, spell: Spell) -> None:
        """From now on, and for as long as it lasts, requests of its action meet what it says."""
        self._say("telnyx", f"for {spell.seconds:.1f} s, of every {spell.action}: {spell.road.value}")
        self._spells.append(spell)

    def incoming(self) -> str:
        """Somebody calls; returns the call."""
        call = self.life.context.run(
            self.station.tell,
            lambda exchange: exchange.incoming(from_="+13125550100", to="+13125550200", connection_id="1"),
        )
        self._legs_known.add(call.id)
        return str(call.id)

    def transport(self, worker: Life, clock: Clock) -> httpx.AsyncBaseTransport:
        """The way to Telnyx of one worker."""
        return _Transport(self, worker, clock)

    async def send(self, request: Request, body: bytes, worker: Life) -> httpx.Response:
        """Carry one request, and its answer back."""
        road = self._road(request)
        self._say(request.worker, f"sends {request.action} {request.command_id}" + (f": {road.value}" if road else ""))
        if road in _UNSENT:
            request.left = False
            await asyncio.sleep(0.01 if road is Road.REFUSED else 1.0)
            raise httpx.ConnectError("refused") if road is Road.REFUSED else httpx.ConnectTimeout("slow")
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.life.start(self._carry(request, body, road, answered))
        for heard in self.on_send:
            heard(request.number)
        if road in _ENDS:
            worker.end()
        reply = await answered
        if reply.cut and road in (Road.LOST_BEFORE, Road.LOST_AFTER):
            await asyncio.sleep(120)
        if reply.cut:
            raise httpx.RemoteProtocolError("the server closed the connection")
        request.answer = reply.status
        return httpx.Response(reply.status, headers=reply.headers, stream=Body(reply))

    def _road(self, request: Request) -> Road | None:
        if self.is_calm:
            return None
        now = asyncio.get_running_loop().time()
        cast = (
            spell.road for spell in self._spells if spell.action == request.action and now < spell.at + spell.seconds
        )
        return self._roads.get(request.number) or next(cast, None)

    async def _carry(self, request: Request, body: bytes, road: Road | None, answered: asyncio.Future[Reply]) -> None:
        held = self._rng.uniform(3.2, HELD_SECONDS_MAX) if road is Road.HELD else 0.0
        await asyncio.sleep(self._rng.uniform(0.01, 0.08) + held)
        handling = self.life.start(self.handle(request, body, self._fault(request, road)))
        await asyncio.sleep(0)  # The effect is in its first step: from now on it is known.
        reply = await handling
        # The effect is there; its webhooks and its answer now race.
        self.station.webhooks.send(reply.events)
        await asyncio.sleep(self._rng.uniform(0.01, 0.08))
        if not answered.done():
            answered.set_result(reply)

    def _fault(self, request: Request, road: Road | None) -> RequestFault | None:
        fault = ROADS.get(road) if road else None
        if road is Road.REPEAT_REFUSED and self._is_repeat(request):
            return REFUSED_REPEAT
        if fault is None and request.number in self._early and not self.is_calm:
            return RequestFault(before_answer=True)
        return fault

    def _is_repeat(self, request: Request) -> bool:
        earlier = (one for one in self.requests if one.command_id == request.command_id and one is not request)
        return request.action != "dial" and any(one.happened for one in earlier)

    async def handle(self, request: Request, body: bytes, fault: RequestFault | None) -> Reply:
        """Have the sandbox answer a request that has arrived."""
        self._faults.request = fault
        self._noting.append(request)
        return await self._api.handle(request.method, "/v2" + request.path, "Bearer key", body)

    def _note(self, effect: Effect) -> None:
        """The sandbox has written down what became of a request: the one that was handed over last."""
        request, at = self._noting.pop(), asyncio.get_running_loop().time()
        request.happened, request.repeat = effect.happened, effect.ignored_as_repeat
        request.status, request.effect_at = effect.status, at
        legs = self.station.exchange.calls.keys() - self._legs_known
        request.made = tuple(sorted(legs))
        self._legs_known |= legs
        told = "happens" if effect.happened else "is a repeat" if effect.ignored_as_repeat else "does nothing"
        call = request.call or effect.call_control_id or ""
        if request.action == "dial" and effect.call_control_id:
            request.call = effect.call_control_id
        self._say("telnyx", f"{request.action} {request.command_id} on {call[:12]} {told} ({effect.status})")


class _Noted(deque[Effect]):
    """The sandbox's list of effects, which tells of each at once."""

    def __init__(self, note: Callable[[Effect], None]) -> None:
        super().__init__()
        self._note = note

    def append(self, effect: Effect) -> None:
        """Keep one, and tell of it."""
        super().append(effect)
        self._note(effect)


class _Transport(httpx.AsyncBaseTransport):
    """What a worker's client writes to."""

    def __init__(self, telnyx: Telnyx, worker: Life, clock: Clock) -> None:
        self._telnyx = telnyx
        self._worker = worker
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        loop = asyncio.get_running_loop()
        body = bytes(request.content)
        told = orjson.loads(body) if body else {}
        path = request.url.raw_path.decode().removeprefix("/v2")
        parts = path.split("/")
        made = Request(
            number=len(self._telnyx.requests),
            at=loop.time(),
            local_ms=self._clock.now_ms(),
            worker=self._worker.name,
            method=request.method,
            path=path,
            command_id=told.get("command_id") or f"state:{told.get('client_state')}",
            call=httpx.URL(f"http://x/{parts[2]}").path[1:] if len(parts) > 2 else "",
            action=parts[4] if len(parts) > 4 else "dial",
        )
        self._telnyx.requests.append(made)
        try:
            return await self._telnyx.send(made, body, self._worker)
        finally:
            made.over_at = loop.time()
