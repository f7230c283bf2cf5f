"""The trial of the pace in virtual time: limits kept and used, senders served alike, hangups through it all."""

from __future__ import annotations

import asyncio
import random

import httpx
import pytest

from bench.pacing import Asked, Place, Plan, Told, Trial, settings_for
from cordboard.log.memory import MemoryLog
from cordboard.log.memory_broker import MemoryBroker
from cordboard.roles.topics import specs_of, topics_of
from sandbox.api import Api
from sandbox.scheduler import LoopScheduler
from sandbox.settings import Settings as SandboxSettings
from sandbox.station import Station
from simulation.clock import TrueClock
from simulation.loop import VirtualLoop, virtual_time
from workers.telnyx import Telnyx

pytestmark = pytest.mark.timeout(300)  # Some seconds of CPU, which a busy machine takes long to give.
PLAN = Plan(requests_per_second=60.0, dials_per_second=15.0, seconds=12.0, warm_seconds=2.0)


class Road(httpx.AsyncBaseTransport):
    """To the sandbox, in virtual time: 10 to 80 ms each way, so requests overtake each other."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._rng = random.Random(3)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._rng.uniform(0.01, 0.08))
        path = request.url.raw_path.decode()
        reply = await self._api.handle(request.method, path, "Bearer key", bytes(request.content))
        await asyncio.sleep(self._rng.uniform(0.01, 0.08))
        return httpx.Response(reply.status, headers=reply.headers, content=reply.body)


async def in_virtual_time(loop: VirtualLoop, plan: Plan) -> Told:
    clock = TrueClock(loop)
    settings = SandboxSettings(quiet=True, seed=1)
    station = Station(settings, scheduler=LoopScheduler(clock=clock.seconds), rng=random.Random(1))
    ours = settings_for(plan)
    broker = MemoryBroker(specs_of(ours), ours.log.partitions, clock, topics_of(ours).inputs)
    road = Road(Api(station))

    async def call() -> str:
        made = station.tell(
            lambda exchange: exchange.incoming(from_="+15550100009", to="+15550100008", connection_id="1")
        )
        station.act(lambda exchange: exchange.command(made, "answer", {}))
        return str(made.id)

    async def ready() -> None:
        settings.requests_per_second, settings.dials_per_second = plan.requests_per_second, plan.dials_per_second

    async def asked() -> list[Asked]:
        return [
            Asked(one.time, one.action, one.status, one.call_control_id or "", (one.body or {}).get("from", ""))
            for one in station.truth.effects
        ]

    place = Place(
        log=MemoryLog(broker),
        clock=clock,
        client=lambda: Telnyx("https://telnyx.simulated/v2", lambda: "key", transport=road),
        call=call,
        ready=ready,
        asked=asked,
    )
    return await Trial(plan, place).run()


def trial(plan: Plan = PLAN) -> Told:
    with virtual_time(turns_max=5_000_000) as loop:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(in_virtual_time(loop, plan))


@pytest.fixture(scope="module")
def result() -> Told:
    return trial()


def test_what_telnyx_takes_is_used_and_not_exceeded(result: Told) -> None:
    """
    At most one request in fifty is answered by 429, and at least nine tenths of the allowance is used.
    """
    assert result.refused <= 0.02
    assert result.used >= 0.9
    assert result.dials_used >= 0.9


def test_two_senders_share_evenly(result: Told) -> None:
    """
    Whoever asks for more than there is gets half of what there is.
    """
    assert result.shares["left"] == pytest.approx(0.5, abs=0.03)


def test_hangups_get_through(result: Told) -> None:
    """
    None of them is behind what waits: all that were asked for have happened.
    """
    assert len(result.hangups) == round(PLAN.seconds * PLAN.hangups_per_second) - 1
