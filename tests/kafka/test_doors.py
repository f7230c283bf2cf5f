"""Two dispatchers on a real Kafka, each with its doors: any takes any call's command, and tells of all processes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.roles.kafka import open_kafka
from cordboard.roles.topics import topics_of
from cordboard.settings import Account, Duties, Grpc, Ingress, Log, Operations, Rest, Role, Settings
from cordboard.settings.kafka import Kafka
from cordboard.v1 import PROCESS_STATE_LEFT, PROCESS_STATE_READY, GetStatusResponse
from dispatcher.finding import group_of
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings

PARTITIONS = 4
PATIENCE_SECONDS = 90.0
DIAL = {"to": "+15550109908", "from": "+15550100000", "connection_id": "c"}
SPEAK = {"payload": "hello", "voice": "female"}


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await holds():  # noqa: ASYNC110  # it changes in other processes' groups
            await asyncio.sleep(0.1)


class Deployment:
    """Two dispatchers, and a process of workers and an ingress, as three processes would be."""

    def __init__(self, settings: Settings, sandbox: Server) -> None:
        self.settings = settings
        self.sandbox = sandbox
        self.dispatchers: list[Desk] = []
        self.doors: list[httpx.AsyncClient] = []
        self._stack = AsyncExitStack()
        self._seed = 0

    async def start(self) -> None:
        enter = self._stack.enter_async_context
        hands = await enter(self._desk(Role.WORKER, Role.INGRESS))
        assert hands.ingress is not None
        self.sandbox.settings.webhook_url = f"{hands.ingress.url}/webhooks/telnyx/main"
        for _ in range(2):
            desk = self._desk(Role.DISPATCHER)
            await desk.__aenter__()
            self.dispatchers.append(desk)
            assert desk.rest is not None
            headers = {"authorization": "Bearer key"}
            self.doors.append(
                await enter(httpx.AsyncClient(base_url=desk.rest.url, headers=headers, timeout=60, trust_env=False))
            )
        self.log = await open_kafka(self.settings, SystemClock(), CollectorRegistry())
        self._stack.push_async_callback(self.log.close)
        await until(self._is_spread)

    def _desk(self, *roles: Role) -> Desk:
        self._seed += 1
        duties = Duties(frozenset(roles))
        return Desk(self.settings, SystemClock(), random.Random(self._seed), CollectorRegistry(), duties=duties)

    async def _is_spread(self) -> bool:
        return len(set((await self.holders()).values())) == 2 and len(await self.holders()) == PARTITIONS

    async def holders(self) -> dict[int, str]:
        topics = topics_of(self.settings)
        return dict(await self.log.holders(group_of(topics), topics.commands))

    async def owner_of(self, call: str) -> int:
        """Which of the two decides about a call."""
        number = self.log.partition_for(topics_of(self.settings).commands, call.encode())
        addresses = [f"127.0.0.1:{desk.grpc_port}" for desk in self.dispatchers]
        return addresses.index((await self.holders())[number])

    async def status(self, number: int = 0) -> GetStatusResponse:
        async with Client(f"127.0.0.1:{self.dispatchers[number].grpc_port}") as client:
            return await client.get_status()

    async def stop(self) -> None:
        await asyncio.gather(*(desk.__aexit__() for desk in self.dispatchers))
        await self._stack.aclose()


@pytest.fixture
async def deployment(kafka_servers: str, kafka_prefix: str) -> AsyncIterator[Deployment]:
    async with Server(SandboxSettings(port=0, speed=20.0)) as sandbox:
        account = Account(api_key="key", base_url=sandbox.base_url, webhook_public_key=sandbox.public_key)
        settings = Settings(
            accounts={"main": account},
            log=Log(kind="kafka", partitions=PARTITIONS, topic_prefix=kafka_prefix),
            kafka=Kafka(bootstrap_servers=kafka_servers),
            grpc=Grpc(port=0, drain_seconds=0.1),
            ingress=Ingress(port=0),
            rest=Rest(port=0, drain_seconds=0.1),
            operations=Operations(port=0),
        )
        made = Deployment(settings, sandbox)
        try:
            await made.start()
            yield made
        finally:
            await made.stop()


async def dialled(door: httpx.AsyncClient, **headers: str) -> str:
    answer = await door.post("/v2/calls", json=DIAL, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["call_control_id"])


def done(deployment: Deployment, action: str) -> list[Any]:
    return [one for one in deployment.sandbox.station.truth.effects if one.action == action and one.happened]


@pytest.mark.timeout(300)
async def test_any_rest_door_takes_commands_for_any_call(deployment: Deployment) -> None:
    """
    Calls of either dispatcher are spoken on, asked for and hung up through the door of the other; what is sent again
    there under the same Idempotency-Key is no second dial.
    """
    one, two = deployment.doors
    calls: dict[int, str] = {}
    while len(calls) < 2:
        call = await dialled(one)
        calls.setdefault(await deployment.owner_of(call), call)

    for owner, call in calls.items():
        other = deployment.doors[1 - owner]
        spoken = await other.post(f"/v2/calls/{call}/actions/speak", json=SPEAK)
        assert (spoken.status_code, spoken.json()) == (200, {"data": {"result": "ok"}})
        assert spoken.headers["x-cordboard-state"] == "SUCCEEDED"
        found = await other.get(f"/v2/calls/{call}")
        assert (found.status_code, found.json()["data"]["call_control_id"]) == (200, call)
        ended = await other.post(f"/v2/calls/{call}/actions/hangup", json={})
        assert (ended.status_code, ended.headers["x-cordboard-state"]) == (200, "SUCCEEDED")
    assert {one.call_control_id for one in done(deployment, "speak")} == set(calls.values())

    before = len(done(deployment, "dial"))
    key = {"Idempotency-Key": "campaign 7/customer 9"}
    first, again = await dialled(one, **key), await dialled(two, **key)
    assert first == again
    assert len(done(deployment, "dial")) == before + 1


@pytest.mark.timeout(300)
async def test_any_dispatcher_tells_of_all_processes(deployment: Deployment) -> None:
    """
    Roles, owners and lanes of all of them; and what becomes of them when one dispatcher stops.
    """

    async def all_well() -> bool:
        return all([(await deployment.status(number)).well for number in range(2)])

    await until(all_well)
    for number in range(2):
        found = await deployment.status(number)
        assert sorted(tuple(one.roles) for one in found.processes) == [
            ("dispatcher",),
            ("dispatcher",),
            ("ingress", "worker"),
        ]
        assert {one.state for one in found.processes} == {PROCESS_STATE_READY}
        assert {one.partition: one.owner for one in found.partitions} == await deployment.holders()
        assert [(one.lane, one.workers, list(one.unheld)) for one in found.lanes] == [
            ("urgent", 1, []),
            ("action", 1, []),
            ("dial", 1, []),
        ]

    await deployment.dispatchers.pop().__aexit__()

    async def the_other_has_all() -> bool:
        found = await deployment.status()
        return found.well and len({one.owner for one in found.partitions}) == 1

    await until(the_other_has_all)
    assert [one.state for one in (await deployment.status()).processes].count(PROCESS_STATE_LEFT) == 1
