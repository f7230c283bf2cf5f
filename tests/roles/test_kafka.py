"""What the settings of Kafka come to: the way to the cluster, its topics, and no session longer than a doubt."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from brokers import Cluster
from cordboard.clock import SystemClock
from cordboard.log.kafka.connection import Connection
from cordboard.log.port import LogError
from cordboard.operations import failing_checks
from cordboard.roles.kafka import connection_of, demands_of
from cordboard.roles.listening import advertised
from cordboard.roles.log import open_log
from cordboard.settings import Grpc, Kafka, Settings
from dispatcher.core.line import OUTCOME_WAIT_MS


def on_kafka(servers: str, prefix: str, **kafka: object) -> Settings:
    return Settings(
        accounts={"a": {"api_key": "k"}, "b": {"api_key": "k"}},
        log={"kind": "kafka", "topic_prefix": prefix, "partitions": 3},
        kafka={"bootstrap_servers": servers, **kafka},
    )


class TestConnection:
    def test_the_least(self) -> None:
        """
        Without anything else the cluster is entered in the clear and without a name, as the log's own default is.
        """
        assert connection_of(Kafka(bootstrap_servers="a:1")) == Connection(bootstrap_servers="a:1")

    def test_each_setting_arrives(self, tmp_path: Path) -> None:
        """
        Files by their names; passwords by what reads them anew.
        """
        pem, secret = tmp_path / "pem", tmp_path / "secret"
        pem.write_text("pem")
        secret.write_text("one\n")

        connection = connection_of(
            Kafka(
                bootstrap_servers="a:1,b:2",
                client_id="me",
                security_protocol="SASL_SSL",
                ca_file=pem,
                certificate_file=pem,
                key_file=pem,
                key_password="opens",
                sasl_mechanism="SCRAM-SHA-256",
                sasl_username="us",
                sasl_password_file=secret,
            )
        )

        assert (connection.bootstrap_servers, connection.client_id) == ("a:1,b:2", "me")
        assert (connection.ca_file, connection.certificate_file, connection.key_file) == (pem, pem, pem)
        assert (connection.security_protocol, connection.key_password) == ("SASL_SSL", "opens")
        assert (connection.sasl_mechanism, connection.sasl_username) == ("SCRAM-SHA-256", "us")
        assert connection.sasl_password is not None
        assert connection.sasl_password() == "one"
        secret.write_text("two\n")
        assert connection.sasl_password() == "two"
        assert connection.oauth_token is None

    def test_a_token(self, tmp_path: Path) -> None:
        """
        It is read anew whenever it is asked for.
        """
        file = tmp_path / "token"
        file.write_text("one")

        connection = connection_of(
            Kafka(
                bootstrap_servers="a:1",
                security_protocol="SASL_SSL",
                sasl_mechanism="OAUTHBEARER",
                oauth_token_file=file,
            )
        )

        assert connection.oauth_token is not None
        assert connection.oauth_token() == "one"
        file.write_text("two")
        assert connection.oauth_token() == "two"


class TestTopics:
    def test_every_topic_of_every_account_is_asked_for(self) -> None:
        """
        As many partitions as set, of the ledger too; three lanes for each account.
        """
        settings = on_kafka("a:1", "desk")
        demanded = {demand.topic: demand.partitions for demand in demands_of(settings)}

        assert demanded["desk.ledger"] == demanded["desk.commands"] == demanded["desk.work.b.dial"] == 3
        assert sum(name.startswith("desk.work.") for name in demanded) == 6

    async def test_topics_that_are_only_checked_are_not_made(self, kafka_servers: str, kafka_prefix: str) -> None:
        """
        With create_topics off a process names what is missing, and leaves the cluster as it is.
        """
        settings = on_kafka(kafka_servers, kafka_prefix, create_topics=False)
        for _ in range(2):
            with pytest.raises(LogError, match=f"{kafka_prefix}.ledger: it is not there"):
                await open_log(settings, SystemClock(), CollectorRegistry())

    async def test_a_count_that_was_changed_is_refused(self, kafka_servers: str, kafka_prefix: str) -> None:
        """
        Partitions are fixed at creation: other settings do not move them, and say so.
        """
        settings = on_kafka(kafka_servers, kafka_prefix)
        await (await open_log(settings, SystemClock(), CollectorRegistry())).log.close()

        log = settings.log.model_copy(update={"partitions": 5})
        with pytest.raises(LogError, match="3 partitions and must have 5"):
            await open_log(settings.model_copy(update={"log": log}), SystemClock(), CollectorRegistry())


def test_a_session_is_over_before_a_silence_is_doubted() -> None:
    """
    The longest session that can be set ends before the page doubts a release: by then the lane has another worker.
    """
    assert Kafka().session_timeout_seconds * 1000 < OUTCOME_WAIT_MS
    with pytest.raises(ValueError, match="less than or equal to 10"):
        Kafka(session_timeout_seconds=10.001)


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        ({}, "127.0.0.1:7"),
        ({"host": "::1"}, "[::1]:7"),
        ({"host": "0.0.0.0"}, "this-machine:7"),  # noqa: S104 - nothing is bound
        ({"host": "::"}, "this-machine:7"),
        ({"host": "0.0.0.0", "advertise": "desk.example:50051"}, "desk.example:50051"),  # noqa: S104 - the same
    ],
)
def test_how_others_reach_the_door(chosen: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As it is set, else where it listens; where that is everywhere, by the machine's name.
    """
    monkeypatch.setattr("socket.gethostname", lambda: "this-machine")

    assert advertised(Grpc(**chosen), 7) == place


async def test_who_writes_nothing_learns_that_the_brokers_are_away(own_brokers: None, tmp_path: Path) -> None:
    """
    An ingress at night writes nothing that could fail: its readiness asks.
    """
    with Cluster(tmp_path / "kafka", forget=True) as cluster:
        opened = await open_log(on_kafka(cluster.bootstrap_servers, "desk"), SystemClock(), CollectorRegistry())
        assert await failing_checks(opened.checks) == {}

        cluster.nodes[0].kill()

        assert "log" in await failing_checks(opened.checks)
        await opened.log.close()
