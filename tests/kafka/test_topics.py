"""Topics on a real broker: created once, left alone when they are right, told of, all at once, when they are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NodeNotReadyError
from aiokafka.protocol.metadata import MetadataRequest

from brokers import Cluster
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import RECORD_BYTES_MAX, Demand, demands
from cordboard.log.kafka.offsets import partition_counts
from cordboard.log.kafka.topics import TopicsWrong, check, ensure, survey
from cordboard.log.port import LogError, LogUnavailable
from cordboard.topics import Topics


@pytest.fixture
def connection(kafka_servers: str) -> Connection:
    return Connection(bootstrap_servers=kafka_servers)


@pytest.fixture
def topics(kafka_prefix: str) -> Topics:
    return Topics(kafka_prefix)


@pytest.fixture
async def admin(kafka_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An operator's own tool."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_servers)
    await client.start()
    yield client
    await client.close()


def wanted(topics: Topics, partitions: int = 2) -> list[Demand]:
    return demands(
        topics.specs(["main"], partitions), ledger=topics.ledger, partitions=partitions, inputs=topics.inputs
    )


async def set_to(admin: AIOKafkaAdminClient, topic: str, **settings: str) -> None:
    """Set a topic otherwise, and wait until the broker says so, too."""
    changed = {name.replace("_", "."): value for name, value in settings.items()}
    [answer] = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, changed)])
    assert [one[0] for one in answer.resources] == [0]
    said: dict[str, str] = {}
    while not changed.items() <= said.items():
        [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        said = {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def has_partitions(admin: AIOKafkaAdminClient, topic: str, count: int) -> None:
    """Wait until every broker has heard of it."""
    for broker in (await admin.describe_cluster())["brokers"]:
        known: list[int] = []
        while count not in known:
            told = (await admin._send_request(MetadataRequest(None), broker["node_id"])).to_object()["topics"]
            known = [len(one["partitions"]) for one in told if one["topic"] == topic]


class TestEnsure:
    async def test_creates_what_is_missing_once(self, connection: Connection, topics: Topics) -> None:
        """
        The first one creates all, the next one finds them as they must be and changes nothing.
        """
        first = await ensure(connection, wanted(topics))
        second = await ensure(connection, wanted(topics))

        assert first == sorted(demand.topic for demand in wanted(topics))
        assert topics.ledger in first
        assert second == []
        await check(connection, wanted(topics))

    async def test_creates_what_came_later(self, connection: Connection, topics: Topics) -> None:
        """
        An account that is added has topics for its work; the others are left as they are.
        """
        await ensure(connection, wanted(topics))
        grown = demands(topics.specs(["main", "second"], 2), ledger=topics.ledger, partitions=2, inputs=topics.inputs)

        assert {name.split(".work.")[1].split(".")[0] for name in await ensure(connection, grown)} == {"second"}

    async def test_many_at_once(self, connection: Connection, topics: Topics) -> None:
        """
        Processes that start at the same moment do not stumble over each other.
        """
        await asyncio.gather(*(ensure(connection, wanted(topics)) for _ in range(5)))

        await check(connection, wanted(topics))

    async def test_nothing_is_created_beside_what_is_wrong(
        self, connection: Connection, topics: Topics, admin: AIOKafkaAdminClient
    ) -> None:
        """
        A topic that somebody made with other partitions stops it before there is a half of two things.
        """
        await admin.create_topics([NewTopic(topics.commands, 5, 1)])
        await has_partitions(admin, topics.commands, 5)

        with pytest.raises(TopicsWrong, match=f"{topics.commands}: it has 5 partitions and must have 2"):
            await ensure(connection, wanted(topics))
        assert [name for name in await admin.list_topics() if name.startswith(topics.prefix)] == [topics.commands]

    async def test_largest_record_fits(self, connection: Connection, topics: Topics) -> None:
        """
        The brokers take a page that is nearly as large as a record may be.
        """
        await ensure(connection, wanted(topics))
        page = bytes(RECORD_BYTES_MAX - 1024)
        async with AIOKafkaProducer(**connection.arguments(), max_request_size=RECORD_BYTES_MAX) as producer:
            await producer.send_and_wait(topics.ledger, page, key=b"v3:call")


class TestCheck:
    async def test_tells_everything_at_once(
        self, connection: Connection, topics: Topics, admin: AIOKafkaAdminClient
    ) -> None:
        """
        What was set otherwise, and what was grown, each with its remedy; the rest is right.
        """
        await ensure(connection, wanted(topics))
        await set_to(admin, topics.ledger, cleanup_policy="delete", message_timestamp_type="CreateTime")
        await admin.create_partitions({topics.events: NewPartitions(3)})
        await has_partitions(admin, topics.events, 3)

        with pytest.raises(TopicsWrong) as it:
            await check(connection, wanted(topics))
        told = {(one.topic, one.problem.split(" and must be")[0]) for one in it.value.wrong}
        assert (topics.ledger, "cleanup.policy is delete") in told
        assert (topics.ledger, "message.timestamp.type is CreateTime") in told
        assert (topics.ledger, "max.message.bytes is 1048588") in told
        assert {one.topic for one in it.value.wrong} == {topics.ledger, topics.events}
        assert "it has 3 partitions and must have 2" in str(it.value)

    async def test_what_is_missing_stays_so(self, connection: Connection, topics: Topics) -> None:
        """
        Looking makes no topics, not even by asking for them.
        """
        with pytest.raises(TopicsWrong, match=f"{topics.ledger}: it is not there. Run cordboard topics --create"):
            await check(connection, wanted(topics))
        assert (await survey(connection, wanted(topics))).found == {}

    async def test_more_copies_than_brokers(self, connection: Connection, topics: Topics) -> None:
        """
        What cannot be is said before anything is created.
        """
        with pytest.raises(LogError, match="99 copies of each topic are asked for, and the cluster has"):
            await ensure(connection, wanted(topics), replicas=99)

    async def test_one_of_many_is_away(
        self, connection: Connection, topics: Topics, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        aiokafka asks any broker that it has heard of; one that has just died is no reason to give up.
        """
        ask, away = AIOKafkaAdminClient.describe_topics, [NodeNotReadyError("node 1"), NodeNotReadyError("node 1")]

        async def describe_topics(admin: AIOKafkaAdminClient, *names: list[str]) -> object:
            if away:
                raise away.pop()
            return await ask(admin, *names)

        monkeypatch.setattr(AIOKafkaAdminClient, "describe_topics", describe_topics)
        await ensure(connection, wanted(topics))
        away.append(NodeNotReadyError("node 1"))

        assert await partition_counts(connection, [topics.ledger]) == {topics.ledger: 2}
        assert away == []

    async def test_nobody_there(self, topics: Topics) -> None:
        """
        A cluster that is away is a sentence.
        """
        with pytest.raises(LogUnavailable, match=r"127.0.0.1:1 cannot be reached"):
            await check(Connection(bootstrap_servers="127.0.0.1:1"), wanted(topics))


async def test_a_cluster_that_makes_topics_by_itself(own_brokers: None, tmp_path: Path) -> None:
    """
    Brokers are set to create what they are asked for, unless told otherwise; looking must not ask for it by name.
    """
    topics = Topics("desk")
    with Cluster(tmp_path / "kafka", properties={"auto.create.topics.enable": "true"}, forget=True) as cluster:
        connection = Connection(bootstrap_servers=cluster.bootstrap_servers)
        assert len((await survey(connection, wanted(topics))).missing) == len(wanted(topics))
        await ensure(connection, wanted(topics))
        await check(connection, wanted(topics))


async def test_three_brokers(own_brokers: None, tmp_path: Path) -> None:
    """
    With three brokers there are three copies, two of which must have a record; one copy is then too few.
    """
    topics = Topics("desk")
    with Cluster(tmp_path / "kafka", nodes=3, forget=True) as cluster:
        connection = Connection(bootstrap_servers=cluster.bootstrap_servers)
        await ensure(connection, wanted(topics))
        seen = await survey(connection, wanted(topics))
        assert {(found.replicas, found.settings["min.insync.replicas"]) for found in seen.found.values()} == {(3, "2")}

        few = Topics("few")
        await ensure(connection, wanted(few), replicas=1)
        with pytest.raises(TopicsWrong, match="it has 1 copy and must have 3"):
            await check(connection, wanted(few))
