"""Seals on a real Kafka: what brokers keep, what the next owner finds, what pages owe."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from prometheus_client import CollectorRegistry

from cordboard.client.kafka import TopicSealed, events_from_kafka, results_from_kafka
from cordboard.clock import SystemClock
from cordboard.log.port import Log, NewRecord, TopicPartition
from cordboard.log.sealing import Unopened
from cordboard.roles.log import open_log
from cordboard.roles.topics import topics_of
from cordboard.settings import Settings
from cordboard.work import Lane

SECRET = b"4111222233334444"


def line(name: str) -> str:
    return f"{name} {base64.b64encode(name.encode().ljust(32)).decode()}\n"


def settings_of(servers: str, prefix: str, keys: Path, **sealing: object) -> Settings:
    return Settings(
        accounts={"main": {}},
        log={"kind": "kafka", "topic_prefix": prefix, "partitions": 1},
        kafka={"bootstrap_servers": servers},
        sealing={"key_file": keys, **sealing},
    )


async def opened(settings: Settings) -> Log:
    return (await open_log(settings, SystemClock(), CollectorRegistry())).log


async def on_the_brokers(settings: Settings) -> dict[str, bytes]:
    """All that any client can read, by the last part of the topic's name."""
    names = topics_of(settings)
    topics = [names.webhooks, names.events, names.commands, names.ledger, names.work("main", Lane.ACTION)]
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=settings.kafka.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    found = dict.fromkeys((topic.removeprefix(f"{names.prefix}.") for topic in topics), b"")
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(at) < end for at, end in ends.items()]):
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                found[place.topic.removeprefix(f"{names.prefix}.")] += b"".join(one.value or b"" for one in records)
    finally:
        await consumer.stop()
    return found


async def test_brokers_keep_nothing_that_can_be_read_of_what_is_internal(
    tmp_path: Path, kafka_servers: str, kafka_prefix: str
):
    """
    Inputs, pages, and what these owe; what services read stands as it is, unless it is chosen too.
    """
    keys = tmp_path / "sealing.keys"
    keys.write_text(line("one"))
    settings = settings_of(kafka_servers, kafka_prefix, keys, public_topics=["commands"])
    names, headers = topics_of(settings), (("ce_id", b"1"), ("ce_subject", b"v3:a"))
    log = await opened(settings)
    await log.append([NewRecord(topic, b"v3:a", SECRET, headers) for topic in (names.webhooks, names.commands)])
    claim = await log.claim(0)
    outputs = [NewRecord(topic, b"v3:a", SECRET) for topic in (names.work("main", Lane.ACTION), names.events)]
    await log.settle(claim, [("v3:a", SECRET)], outputs[:1], {names.webhooks: 1})
    kept = await on_the_brokers(settings)
    assert {name: SECRET in value for name, value in kept.items()} == dict.fromkeys(kept, False)
    await log.settle(claim, [], outputs[1:], {names.commands: 1})
    assert SECRET in (await on_the_brokers(settings))["events"]
    await log.close()

    keys.write_text(line("one") + line("two"))
    after = await opened(settings)
    claim = await after.claim(0)
    assert [page async for page in after.pages(claim)] == [("v3:a", SECRET)]
    for topic in (names.webhooks, names.commands, names.work("main", Lane.ACTION), names.events):
        (record,) = await after.reader({TopicPartition(topic, 0): 0}).read(10)
        assert (record.value, record.key) == (SECRET, b"v3:a")
    await after.close()


async def test_a_new_key_is_taken_up_where_it_is_met(tmp_path: Path, kafka_servers: str, kafka_prefix: str):
    """
    By a process that started before it was there; while the file lacks it, what it sealed is waited for.
    """
    keys, others = tmp_path / "sealing.keys", tmp_path / "others.keys"
    keys.write_text(line("one"))
    others.write_text(line("one") + line("two"))
    mine, theirs = (settings_of(kafka_servers, kafka_prefix, path) for path in (keys, others))
    topic = topics_of(mine).outcomes
    log, other = await opened(mine), await opened(theirs)
    await other.append([NewRecord(topic, b"v3:a", SECRET)])
    reader = log.reader({TopicPartition(topic, 0): 0})
    with pytest.raises(Unopened, match=rf"the record {topic}/0/0 was sealed by key 'two', which is not in"):
        await reader.read(10)
    keys.write_text(others.read_text())

    records = []
    while not records:  # The file is looked at again within a second.
        try:
            records = await reader.read(10)
        except Unopened:
            await asyncio.sleep(0.1)
    assert [record.value for record in records] == [SECRET]
    await log.close()
    await other.close()


async def test_a_service_that_reads_a_sealed_topic_is_told_so(tmp_path: Path, kafka_servers: str, kafka_prefix: str):
    """
    What it cannot read is not passed over, neither results nor events.
    """
    keys = tmp_path / "sealing.keys"
    keys.write_text(line("one"))
    settings = settings_of(kafka_servers, kafka_prefix, keys, public_topics=["results", "events"])
    log = await opened(settings)
    for topic, read in (
        (topics_of(settings).results, results_from_kafka),
        (topics_of(settings).events, events_from_kafka),
    ):
        await log.append([NewRecord(topic, b"v3:a", SECRET)])
        with pytest.raises(TopicSealed, match=f"{topic} is sealed, and only Cordboard has its keys: read it by"):
            async with read(kafka_servers, f"{kafka_prefix}.service", prefix=kafka_prefix) as feed:
                await anext(feed)
    await log.close()
