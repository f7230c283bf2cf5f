"""Clusters of real brokers: they keep what they were given, stand still, come back, and leave nobody behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from brokers import BrokerFailed, Cluster

PATIENCE_SECONDS = 60.0


@pytest.fixture(scope="module")
def one(own_brokers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A single broker, for the tests that leave it running."""
    with Cluster(tmp_path_factory.mktemp("one") / "kafka") as cluster:
        yield cluster


@asynccontextmanager
async def admin_of(cluster: Cluster) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def create(cluster: Cluster, topic: str, replicas: int) -> None:
    async with admin_of(cluster) as admin:
        answer = await admin.create_topics([NewTopic(topic, 1, replicas)])
    assert [code for _, code, *_ in answer.topic_errors] == [0]


async def write(cluster: Cluster, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap_servers, acks="all") as producer:
        await producer.send_and_wait(topic, value, partition=0)


async def everything(cluster: Cluster, topic: str) -> list[bytes]:
    async with AIOKafkaConsumer(bootstrap_servers=cluster.bootstrap_servers, group_id=None) as consumer:
        at = TopicPartition(topic, 0)
        consumer.assign([at])
        await consumer.seek_to_beginning(at)
        end = (await consumer.end_offsets([at]))[at]
        return [(await consumer.getone()).value for _ in range(end)]


async def leader_of(admin: AIOKafkaAdminClient, topic: str) -> int:
    described = await admin.describe_topics([topic])
    return int(described[0]["partitions"][0]["leader"])


def wait_until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def children(pid: int) -> list[int]:
    """The processes that one has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ask_for_versions(connection: socket.socket) -> None:
    """The smallest question of Kafka's protocol: ApiVersions, version 0, number 7, from nobody."""
    connection.sendall(struct.pack(">ihhih", 10, 18, 0, 7, -1))


class TestOneBroker:
    async def test_keeps_what_it_acknowledged_through_kill_9(self, one: Cluster) -> None:
        """
        A broker that is killed and started again, on the same port, has what it had.
        """
        await create(one, "kept", replicas=1)
        await write(one, "kept", b"before")
        servers = one.bootstrap_servers
        one.node(1).kill()
        assert not one.node(1).alive
        await asyncio.to_thread(one.node(1).restart)

        assert one.bootstrap_servers == servers
        assert await everything(one, "kept") == [b"before"]

    def test_stands_still_and_goes_on(self, one: Cluster) -> None:
        """
        A frozen broker takes a question and does not answer until it is thawed.
        """
        host, port = one.bootstrap_servers.split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as connection:
            one.node(1).freeze()
            try:
                ask_for_versions(connection)
                connection.settimeout(0.3)
                with pytest.raises(TimeoutError):
                    connection.recv(8)
            finally:
                one.node(1).thaw()
            connection.settimeout(PATIENCE_SECONDS)

            assert struct.unpack(">ii", connection.recv(8, socket.MSG_WAITALL))[1] == 7

    async def test_makes_no_topic_unasked(self, one: Cluster) -> None:
        """
        A name that nobody created is no topic, also after somebody asked for it.
        """
        async with admin_of(one) as admin:
            described = await admin.describe_topics(["misspelt"])

            assert described[0]["error_code"] == 3  # UNKNOWN_TOPIC_OR_PARTITION
            assert "misspelt" not in await admin.list_topics()

    async def test_is_stopped_in_order_and_begun_again(self, own_brokers: None, tmp_path: Path) -> None:
        """
        What `make kafka` wrote yesterday is there today.
        """
        yesterday = Cluster(tmp_path / "kafka")
        await asyncio.to_thread(yesterday.start)
        await create(yesterday, "kept", replicas=1)
        await write(yesterday, "kept", b"yesterday's")
        await asyncio.to_thread(yesterday.stop)

        with Cluster(tmp_path / "kafka") as today:
            assert await everything(today, "kept") == [b"yesterday's"]


class TestThreeBrokers:
    async def test_go_on_without_one(self, own_brokers: None, tmp_path: Path) -> None:
        """
        When the leader of a partition is killed, another one leads, with all that was acknowledged.
        """
        with Cluster(tmp_path / "kafka", nodes=3, forget=True) as cluster:
            await create(cluster, "kept", replicas=3)
            await write(cluster, "kept", b"before")
            async with admin_of(cluster) as admin:
                leader = await leader_of(admin, "kept")
            cluster.node(leader).kill()
            await write(cluster, "kept", b"after")

            assert await everything(cluster, "kept") == [b"before", b"after"]
            assert [node.alive for node in cluster.nodes].count(True) == 2
        assert not (tmp_path / "kafka").exists()

    def test_end_in_order(self, own_brokers: None, tmp_path: Path) -> None:
        """
        Asked to stop, none of them waits for the others until it must be killed.
        """
        cluster = Cluster(tmp_path / "kafka", nodes=3)
        cluster.start()
        cluster.stop()

        last_words = [node.log(1) for node in cluster.nodes]
        assert ["unregistered" in words for words in last_words] == [True, True, True], last_words


class TestEnds:
    def test_with_whoever_started_it(self, own_brokers: None, tmp_path: Path) -> None:
        """
        A process that is killed leaves no broker behind.
        """
        program = (
            "import sys, pathlib, brokers\n"
            "cluster = brokers.Cluster(pathlib.Path(sys.argv[1]), forget=True)\n"
            "cluster.start()\n"
            "print(cluster.node(1).pid, flush=True)\n"
            "input()\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "kafka")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        with process:
            assert process.stdout is not None
            broker = int(process.stdout.readline())
            assert not gone(broker)
            process.send_signal(signal.SIGKILL)

        wait_until(lambda: gone(broker), "the broker to end")
        wait_until(lambda: not (tmp_path / "kafka").exists(), "its data to be removed")

    def test_the_command_ends_when_its_broker_does(self, own_brokers: None, tmp_path: Path) -> None:
        """
        `make kafka` does not go on as if there were a broker.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "brokers", "--port=0", f"--data={tmp_path / 'kafka'}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith(b"kafka: ")
            [leash] = children(process.pid)
            [java] = children(leash)
            os.kill(java, signal.SIGKILL)
            _, said = process.communicate(timeout=60)

        assert process.returncode == 1
        assert b"a broker has ended by itself" in said

    def test_a_broker_that_does_not_start_says_why(self, own_brokers: None, tmp_path: Path) -> None:
        """
        The error has the end of the broker's own log.
        """
        with pytest.raises(BrokerFailed, match=r"(?s)ended while starting.*no\.such\.class"):
            Cluster(tmp_path / "kafka", properties={"metric.reporters": "no.such.class"}).start()

    def test_ports_that_are_taken_are_named(self, own_brokers: None, tmp_path: Path) -> None:
        """
        Who asks for ports that somebody has is told which.
        """
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            with pytest.raises(BrokerFailed, match=f"port {port} already"):
                Cluster(tmp_path / "kafka", ports=(port, 1)).start()

    def test_data_of_another_number_of_brokers_are_not_touched(self, own_brokers: None, tmp_path: Path) -> None:
        """
        A folder of one broker is not opened by three, which would begin another cluster over it.
        """
        (tmp_path / "node-1" / "data").mkdir(parents=True)
        (tmp_path / "node-1" / "data" / "meta.properties").write_text("node.id=1\n")

        with pytest.raises(BrokerFailed, match="those of 1 brokers, and 3 are asked for"):
            Cluster(tmp_path, nodes=3).start()
