"""The sandbox without any socket: on an event loop in virtual time, from a seed, with its webhooks caught."""

import asyncio
import random

import orjson

from sandbox.api import Api
from sandbox.scheduler import LoopScheduler
from sandbox.settings import Settings
from sandbox.station import Station


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on which nobody waits: when nothing is ready, time leaps to what is due next."""

    seconds = 0.0

    def time(self) -> float:
        return self.seconds

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:
            self.seconds = max(self.seconds, self._scheduled[0]._when)
        super()._run_once()


async def a_long_call(seed: int) -> list[tuple[float, str]]:
    """A call that runs into its time limit; when each webhook came, and its event id and type."""
    loop = asyncio.get_running_loop()
    told: list[tuple[float, str]] = []

    async def post(url: str, headers: dict[str, str], body: bytes) -> int:
        data = orjson.loads(body)["data"]
        told.append((round(loop.time(), 3), f"{data['event_type']} {data['id']} {headers['telnyx-signature-ed25519']}"))
        return 200 if len(told) != 2 else 500

    station = Station(
        Settings(webhook_url="http://receiver", seed=seed),
        scheduler=LoopScheduler(clock=lambda: 1_700_000_000 + loop.time()),
        rng=random.Random(seed),
        post=post,
    )
    api = Api(station)
    body = b'{"to":"+13125550001","from":"+13125550002","connection_id":"1"}'
    reply = await api.handle("POST", "/v2/calls", "Bearer k", body)
    station.webhooks.send(reply.events)
    await asyncio.sleep(5 * 3600)
    await station.close()
    return told


def story_of(seed: int) -> list[tuple[float, str]]:
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(a_long_call(seed))
    finally:
        loop.close()


def test_four_hours_pass_at_once():
    """
    Ringing, answer, a webhook tried again after half a second, and the time limit, each at its moment.
    """
    story = [(seconds, said.split()[0]) for seconds, said in story_of(1)]

    assert story == [
        (0, "call.initiated"),
        (1, "call.answered"),
        (1.5, "call.answered"),
        (14_401, "call.hangup"),
    ]


def test_the_same_seed_tells_the_same_story():
    """
    Down to the ids and the signatures.
    """
    assert story_of(2) == story_of(2)
    assert story_of(2) != story_of(3)
