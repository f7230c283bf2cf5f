"""Forwarding by real processes that are killed and asked to stop: what was acknowledged arrives, in order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import telnyx
from prometheus_client import CollectorRegistry

from cordboard.clock import SystemClock
from cordboard.roles.kafka import open_kafka
from cordboard.settings import Account, Kafka, Log, Settings
from tests.e2e.apart import ready, until, up
from tests.e2e.process import Cordboard, Process
from tests.forwarding.stage import PUBLIC_KEY, Service, event

NOWHERE = "http://127.0.0.1:1/v2"
CALLS = [f"v3:{number}" for number in range(6)]


async def deliver(url: str, call: str, number: int) -> None:
    """As Telnyx does: until it is acknowledged."""
    new = event(call, number)
    headers = {name: value.decode() for name, value in new.headers if name.startswith("telnyx")}
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                if (await http.post(url, content=new.value, headers=headers)).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)


def told_in_order(service: Service, count: int) -> list[str]:
    """What is wrong with what the service was told: a call's first sights must be in order, and all there."""
    wrong = []
    for call in CALLS:
        first_sights = list(dict.fromkeys(service.of(call)))
        if first_sights != [f"{call}-{number}" for number in range(count)]:
            wrong.append(f"{call}: {first_sights}")
    return wrong


@pytest.fixture
def cordboard(tmp_path: Path, service: Service) -> Iterator[Cordboard]:
    forward = {"CORDBOARD_ACCOUNTS__MAIN__FORWARD_URL": service.url}
    process = Cordboard(tmp_path, NOWHERE, PUBLIC_KEY, forward)
    yield process
    process.abandon()


@pytest.mark.timeout(300)
async def test_what_was_acknowledged_is_forwarded_whoever_is_killed(cordboard: Cordboard, service: Service) -> None:
    """
    Three kills while events are on their way, some failing: all arrive, and the vendor's client believes each of them.
    """
    chance = random.Random(5)
    service.chance = random.Random(5)
    cordboard.start()
    for number in range(4):
        await up(cordboard)
        await asyncio.gather(*(deliver(cordboard.webhook_url, call, number) for call in CALLS))
        seen = len(service.posts)
        await until(lambda seen=seen: len(service.posts) > seen, "something more to be forwarded")
        if number < 3:
            await asyncio.sleep(chance.random() / 5)  # Anywhere in between.
            cordboard.kill()
            cordboard.start()
    service.chance = None
    await until(lambda: told_in_order(service, 4) == [], "all to be forwarded")

    theirs = telnyx.Telnyx(api_key="x").webhooks
    for post in service.posts:
        theirs.unwrap(post.body.decode(), headers=post.headers, key=PUBLIC_KEY)
    assert await cordboard.stop() == 0
    assert cordboard.complaints() == []


@pytest.mark.timeout(300)
async def test_another_worker_goes_on(tmp_path: Path, kafka_servers: str, kafka_prefix: str, service: Service) -> None:
    """
    On Kafka: one of two workers is killed with requests out; the other takes its partitions over, and all arrive.
    """
    settings = Settings(
        accounts={"main": Account(api_key="key", forward_url=service.url)},
        log=Log(kind="kafka", topic_prefix=kafka_prefix, partitions=4),
        kafka=Kafka(bootstrap_servers=kafka_servers),
    )
    environment = {
        "CORDBOARD_ACCOUNTS__MAIN__API_KEY": "key",
        "CORDBOARD_ACCOUNTS__MAIN__BASE_URL": NOWHERE,
        "CORDBOARD_ACCOUNTS__MAIN__FORWARD_URL": service.url,
        "CORDBOARD_LOG__KIND": "kafka",
        "CORDBOARD_LOG__TOPIC_PREFIX": kafka_prefix,
        "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": kafka_servers,
        "CORDBOARD_REST__PORT": "0",
        "CORDBOARD_OPERATIONS__PORT": "0",
        "CORDBOARD_LOGGING__FORMAT": "json",
    }
    log = await open_kafka(settings, SystemClock(), CollectorRegistry())
    one, other = (Process(tmp_path / name, name, ("worker", "--pool=main"), environment) for name in ("one", "other"))
    with ExitStack() as left_behind:
        for process in (one, other):
            left_behind.callback(process.abandon)
            process.start()
        await asyncio.gather(ready(one), ready(other))
        await until(lambda: both_hold(one, other), "each to have its share")
        written = [event(call, number) for number in range(3) for call in CALLS]
        service.hold(*CALLS)
        await log.append([replace(new, topic=f"{kafka_prefix}.events") for new in written])
        await until(lambda: len(service.in_hand) == len(CALLS), "the first of each call to be out")
        one.kill()
        service.let_go()
        await until(lambda: told_in_order(service, 3) == [], "all to be forwarded")
        assert await other.stop() == 0
        assert other.complaints() == []
    await log.close()


async def both_hold(*processes: Process) -> bool:
    """Whether each of them holds partitions of the events."""
    async with httpx.AsyncClient(trust_env=False) as http:
        texts = [(await http.get(f"{process.places['operations']}/metrics")).text for process in processes]
    return all('lane="forward"' in text for text in texts)
