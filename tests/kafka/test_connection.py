"""A connection: what it hands to clients, what it keeps to itself, and the ways into a broker that asks who comes."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from brokers.certificates import make_certificates
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.consumers import assigned_consumer, stop
from cordboard.log.port import LogError
from tests.kafka.conftest import PASSWORD, Guarded


def token(lives_seconds: float = 3600) -> str:
    """An unsecured token, such as the tests' broker takes."""

    def part(said: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")

    # Issued a while ago: the broker counts whole milliseconds, and one of this moment may seem to be of the future.
    # What aiokafka makes of such a refusal is no error but silence: see reach.py.
    now = time.time()
    return f"{part({'alg': 'none'})}.{part({'sub': 'desk', 'iat': now - 60, 'exp': now + lives_seconds})}."


async def there_and_back(connection: Connection, topic: str) -> list[bytes]:
    """Make a topic, write to it and read it, each with a client of its own kind."""
    admin = AIOKafkaAdminClient(**connection.arguments())
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(**connection.arguments()) as producer:
        await producer.send_and_wait(topic, b"there", partition=0)
    consumer, place = assigned_consumer(connection, "read_committed"), TopicPartition(topic, 0)
    await consumer.start()
    try:
        consumer.assign([place])
        consumer.seek(place, 0)
        while not (read := await consumer.getmany(timeout_ms=500)):
            pass
        return [record.value for record in read[place]]
    finally:
        await stop(consumer)


class TestWays:
    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    async def test_in_by_password(self, guarded: Guarded, kafka_prefix: str, mechanism: str) -> None:
        """
        Every mechanism that takes a password, over TLS, with all three kinds of clients.
        """
        assert await there_and_back(guarded.sasl(mechanism), kafka_prefix) == [b"there"]

    async def test_in_by_token(self, guarded: Guarded, kafka_prefix: str) -> None:
        """
        OAUTHBEARER, with a token that is asked for at each connection.
        """
        asked = []

        def fresh() -> str:
            asked.append(token())
            return asked[-1]

        assert await there_and_back(guarded.sasl("OAUTHBEARER", oauth_token=fresh), kafka_prefix) == [b"there"]
        assert len(asked) > 3

    async def test_in_by_certificate(self, guarded: Guarded, kafka_prefix: str) -> None:
        """
        TLS on both sides, with a key that has a password.
        """
        assert await there_and_back(guarded.mutual(), kafka_prefix) == [b"there"]

    async def test_in_by_password_in_the_clear(self, guarded: Guarded, kafka_prefix: str) -> None:
        """
        SCRAM without TLS, for networks that are trusted.
        """
        clear = guarded.sasl(
            "SCRAM-SHA-256", security_protocol="SASL_PLAINTEXT", bootstrap_servers=guarded.cluster.servers_of("CLEAR")
        )

        assert await there_and_back(clear, kafka_prefix) == [b"there"]


class TestSecrets:
    def test_are_not_told(self) -> None:
        """
        What a connection says of itself has neither password nor token.
        """
        connection = Connection(
            bootstrap_servers="kafka.example:9093",
            security_protocol="SASL_SSL",
            key_password="of-the-key",
            sasl_mechanism="PLAIN",
            sasl_username="desk",
            sasl_password=lambda: PASSWORD,
        )

        assert "of-the-key" not in repr(connection)
        assert "password" not in repr(connection)
        assert "token" not in repr(connection)

    def test_are_read_anew(self, tmp_path: Path) -> None:
        """
        Clients that are made after a rotation have the new password.
        """
        file = tmp_path / "password"
        connection = Connection(
            bootstrap_servers="kafka.example:9092",
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            sasl_username="desk",
            sasl_password=file.read_text,
        )
        file.write_text("old")
        assert connection.arguments()["sasl_plain_password"] == "old"
        file.write_text("new")
        assert connection.arguments()["sasl_plain_password"] == "new"

    async def test_that_cannot_be_read_say_so(self, tmp_path: Path) -> None:
        """
        A password or token that is not there is an error that names the setting.
        """
        servers, gone = "kafka.example:9092", (tmp_path / "gone").read_text
        by_password = Connection(
            bootstrap_servers=servers,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            sasl_username="desk",
            sasl_password=gone,
        )
        by_token = Connection(
            bootstrap_servers=servers,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="OAUTHBEARER",
            oauth_token=gone,
        )

        with pytest.raises(LogError, match=r"^sasl_password cannot be read: No such file or directory$"):
            by_password.arguments()
        with pytest.raises(LogError, match=r"^oauth_token cannot be read: No such file or directory$"):
            await by_token.arguments()["sasl_oauth_token_provider"].token()


class TestFiles:
    def connection(self, **files: Any) -> Connection:
        return Connection(bootstrap_servers="kafka.example:9093", security_protocol="SSL", **files)

    def test_that_are_missing_are_named(self, tmp_path: Path) -> None:
        """
        The error says which setting and which file.
        """
        with pytest.raises(LogError, match=r"^ca_file \(.*gone.pem\) cannot be used: No such file"):
            self.connection(ca_file=tmp_path / "gone.pem").arguments()

    @pytest.mark.parametrize("password", [None, "wrong"])
    def test_a_key_that_does_not_open(self, tmp_path: Path, password: str | None) -> None:
        """
        A wrong password, or none, is an error at once: OpenSSL would ask for it on the terminal.
        """
        made = make_certificates(tmp_path)
        files = {"certificate_file": made.client_file, "key_file": made.client_key_file}

        with pytest.raises(LogError, match=r"^certificate_file, key_file or key_password \(.*\) cannot be used"):
            self.connection(ca_file=made.authority_file, **files, key_password=password).arguments()

    def test_without_an_authority_the_system_is_trusted(self) -> None:
        """
        Names are checked, and certificates asked for, also where no file is given.
        """
        context = self.connection().arguments()["ssl_context"]

        assert context.check_hostname
        assert context.verify_mode.name == "CERT_REQUIRED"


class TestParts:
    @pytest.mark.parametrize(
        ("said", "missing"),
        [
            ({}, "sasl_mechanism must be set for SASL_SSL"),
            ({"sasl_mechanism": "OAUTHBEARER"}, "oauth_token must be set"),
            ({"sasl_mechanism": "PLAIN", "sasl_username": "desk"}, "sasl_username and sasl_password must be set"),
            ({"sasl_mechanism": "PLAIN", "sasl_password": lambda: "x"}, "sasl_username and sasl_password must be set"),
        ],
    )
    def test_that_are_missing_are_named(self, said: dict[str, Any], missing: str) -> None:
        """
        Half a way to say who we are is none.
        """
        with pytest.raises(ValueError, match=missing):
            Connection(bootstrap_servers="kafka.example:9092", security_protocol="SASL_SSL", **said)

    def test_only_what_counts_is_handed_on(self) -> None:
        """
        Without TLS no certificates are read, without SASL nobody is asked for a password.
        """
        plain = Connection(bootstrap_servers="kafka.example:9092", ca_file=Path("gone"), sasl_username="desk")

        assert plain.arguments() == {
            "bootstrap_servers": "kafka.example:9092",
            "client_id": "cordboard",
            "security_protocol": "PLAINTEXT",
        }
