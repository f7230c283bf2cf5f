"""An ingress with a spool on a real Kafka whose brokers are all away for a while."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from brokers import Cluster
from cordboard.clock import SystemClock
from cordboard.cloudevents import header
from cordboard.log.kafka.log import KafkaLog
from cordboard.log.port import Headers, TopicPartition
from cordboard.roles.kafka import open_kafka
from cordboard.settings import Kafka, Log, Settings
from tests.e2e.apart import ready, until
from tests.e2e.process import Process, account_settings, free_ports, webhook_url
from tests.forwarding.stage import PUBLIC_KEY, event

PREFIX, PARTITIONS = "spooled", 2


async def posted(ingress_port: int, number: int) -> int:
    """How a webhook is answered."""
    webhook = event(f"v3:{number % 4}", number)  # Signed now: a signature is believed for five minutes.
    headers = {name: value.decode() for name, value in webhook.headers if name.startswith("telnyx")}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        return (await http.post(webhook_url(ingress_port), content=webhook.value, headers=headers)).status_code


async def readiness(process: Process) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        return await http.get(f"{process.places['operations']}/readyz")


async def metrics(process: Process) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        return (await http.get(f"{process.places['operations']}/metrics")).text


async def handed_on(log: KafkaLog) -> list[str]:
    """The events in their topic. What an owner says again that lost its brokers is the same bytes, and counts once."""
    places = [TopicPartition(f"{PREFIX}.events", number) for number in range(PARTITIONS)]
    reader, found = log.reader(dict.fromkeys(places, 0)), set[tuple[str, bytes, Headers]]()
    while any([reader.positions()[at] < await log.end(at) for at in places]):
        records = await reader.read(1.0)
        found |= {(header(record.headers, "ce_id"), record.value, record.headers) for record in records}
    await reader.close()
    return sorted(event_id for event_id, _, _ in found)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("is_killed", [False, True])
async def test_webhooks_are_kept_while_all_brokers_are_away(own_brokers: None, tmp_path: Path, is_killed: bool) -> None:
    """
    Each is answered 200 and the ingress is ready, be it killed then or not; all events are handed on once afterwards.
    """
    (port,) = free_ports(1)
    with Cluster(tmp_path / "kafka", forget=True) as cluster, ExitStack() as left_behind:
        settings = Settings(
            log=Log(kind="kafka", topic_prefix=PREFIX, partitions=PARTITIONS),
            kafka=Kafka(bootstrap_servers=cluster.bootstrap_servers),
        )
        environment = account_settings("http://127.0.0.1:1/v2", PUBLIC_KEY, port) | {
            "CORDBOARD_LOG__KIND": "kafka",
            "CORDBOARD_LOG__TOPIC_PREFIX": PREFIX,
            "CORDBOARD_LOG__PARTITIONS": str(PARTITIONS),
            "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": cluster.bootstrap_servers,
            "CORDBOARD_INGRESS__SPOOL": str(tmp_path / "spool"),
            "CORDBOARD_GRPC__PORT": "0",
            "CORDBOARD_REST__PORT": "0",
            "CORDBOARD_OPERATIONS__PORT": "0",
            "CORDBOARD_LOGGING__FORMAT": "json",
        }
        names = ("ingress", "dispatcher")
        ingress, dispatcher = (Process(tmp_path / name, name, (name,), environment) for name in names)
        for process in (ingress, dispatcher):
            left_behind.callback(process.abandon)
            process.start()
        await asyncio.gather(ready(ingress), ready(dispatcher))
        assert [await posted(port, number) for number in range(5)] == [200] * 5

        for node in cluster.nodes:
            node.kill()
        assert [await posted(port, number) for number in range(5, 15)] == [200] * 10
        told = await readiness(ingress)
        assert (told.status_code, told.json()["checks"]["spool"]) == (200, "10 webhooks wait for the log")
        assert told.json()["checks"]["log"].endswith("; the spool takes webhooks meanwhile")
        assert (await readiness(dispatcher)).status_code == 503

        if is_killed:
            ingress.kill()
            ingress.start()  # It finds no broker, and begins all the same.
            await ready(ingress)
        assert await posted(port, 15) == 200
        for node in cluster.nodes:
            node.start(cluster.folder)
            node.wait_until_up()
        await until(lambda: readiness_is(ingress, "ok"), "the spool to be empty")
        assert [await posted(port, number) for number in range(16, 20)] == [200] * 4
        log = await open_kafka(settings, SystemClock(), CollectorRegistry())
        wanted = sorted(f"v3:{number % 4}-{number}" for number in range(20))

        async def all_are_handed_on() -> bool:
            return set(wanted) <= set(await handed_on(log))

        await until(all_are_handed_on, "all events to be handed on")
        assert await handed_on(log) == wanted
        await log.close()

        assert "cordboard_kafka_written_records_total{" in await metrics(ingress)
        assert (await ingress.stop(), ingress.complaints()) == (0, [])


async def readiness_is(process: Process, said: str) -> bool:
    return bool((await readiness(process)).json()["checks"]["spool"] == said)
