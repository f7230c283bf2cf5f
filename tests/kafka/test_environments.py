"""Two environments on one Kafka, apart by their prefixes; and in one of them orders that reach every process."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.settings import Account, Grpc, Ingress, Log, Operations, Rest, Settings
from cordboard.settings.kafka import Kafka
from cordboard.v1 import STATE_SUCCEEDED, Command, Dial
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings


@dataclass
class Environment:
    """A Telnyx of its own, and the doors of its processes."""

    sandbox: Server
    doors: list[Client]
    prefix: str

    def dialled(self) -> list[str]:
        """What was dialled, by the numbers."""
        return sorted(one.body["to"] for one in self.sandbox.station.truth.effects if one.action == "dial")


@asynccontextmanager
async def environment(servers: str, prefix: str, processes: int) -> AsyncIterator[Environment]:
    """All roles in each of so many processes."""
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Server(SandboxSettings(port=0, speed=20.0)))
        account = Account(api_key="key", base_url=sandbox.base_url, webhook_public_key=sandbox.public_key)
        settings = Settings(
            accounts={"main": account},
            log=Log(kind="kafka", partitions=2, topic_prefix=prefix),
            kafka=Kafka(bootstrap_servers=servers),
            grpc=Grpc(port=0, drain_seconds=0.1),
            ingress=Ingress(port=0),
            operations=Operations(port=0),
            rest=Rest(port=0),
        )
        made = Environment(sandbox, [], prefix)
        for number in range(processes):
            desk = Desk(settings, SystemClock(), random.Random(number), CollectorRegistry(), telnyx_is_local=True)
            await stack.enter_async_context(desk)
            made.doors.append(await stack.enter_async_context(Client(f"127.0.0.1:{desk.grpc_port}")))
        yield made


def dial(command_id: str, number: str, **more: str) -> Command:
    wanted = Dial(to=number, from_number="+15550100000", connection_id="1")
    return Command(command_id=command_id, dial=wanted, **more)


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110  # what is waited for happens in other processes
            await asyncio.sleep(0.05)


async def test_two_environments_are_apart(kafka_servers: str, kafka_prefix: str) -> None:
    """
    The same account, the same command id: each is done once, where it was asked for; and a pause is one's own.
    """
    async with (
        environment(kafka_servers, f"{kafka_prefix}.live", 1) as live,
        environment(kafka_servers, f"{kafka_prefix}.test", 1) as test,
    ):
        await test.doors[0].pause("main")
        await test.doors[0].submit(dial("same", "+15550109902"))
        answer = await live.doors[0].execute(dial("same", "+15550109901"), timeout=30)

        assert answer.result.state == STATE_SUCCEEDED
        assert (live.dialled(), test.dialled()) == (["+15550109901"], [])
        await test.doors[0].resume("main")

        async def has_dialled() -> list[str]:
            return test.dialled()

        await until(has_dialled)
        assert (live.dialled(), test.dialled()) == (["+15550109901"], ["+15550109902"])


@pytest.mark.timeout(180)
async def test_orders_reach_every_process(kafka_servers: str, kafka_prefix: str) -> None:
    """
    Given at one door: what comes by any door is kept while it is paused, and a group is cancelled in all its calls.
    """
    async with environment(kafka_servers, kafka_prefix, 2) as pair:
        first, second = pair.doors
        await first.pause("main")
        names = [f"d{number}" for number in range(8)]
        for number, name in enumerate(names):
            door = pair.doors[number % 2]
            await door.submit(dial(name, f"+1555010000{number}", group="spring" if number < 6 else "autumn"))
        await second.cancel(group="spring")

        async def has_result(name: str) -> bool:
            return (await first.get_command(name)).HasField("result")

        for name in names[:6]:
            await until(lambda name=name: has_result(name))  # type: ignore[misc]  # the name is bound where it is read
        assert not any([await has_result(name) for name in names[6:]])
        assert pair.dialled() == []

        await first.resume("main")
        for name in names[6:]:
            await until(lambda name=name: has_result(name))  # type: ignore[misc]  # as above
        assert pair.dialled() == ["+15550100006", "+15550100007"]
