"""Who is not let in learns why, in one sentence and at once."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.reach import NotLetIn, reach
from cordboard.log.port import LogUnavailable
from tests.kafka.conftest import PASSWORD, Guarded
from tests.kafka.test_connection import token


@pytest.fixture
def silent() -> Iterator[str]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


class TestLetIn:
    async def test_who_is_right(self, guarded: Guarded) -> None:
        """
        Nothing is said where nothing is wrong.
        """
        await reach(guarded.sasl("SCRAM-SHA-512"))
        await reach(guarded.sasl("OAUTHBEARER", oauth_token=token))
        await reach(guarded.mutual())

    async def test_one_server_of_several_is_enough(self, kafka_servers: str) -> None:
        """
        The first bootstrap server may be away.
        """
        await reach(Connection(bootstrap_servers=f"127.0.0.1:1,{kafka_servers}"))


class TestNotLetIn:
    @pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
    @pytest.mark.parametrize("said", [{"sasl_password": lambda: "wrong"}, {"sasl_username": "nobody"}])
    async def test_wrong_password_or_name(self, guarded: Guarded, mechanism: str, said: dict[str, object]) -> None:
        """
        The settings that may be wrong are named; the password is not said.
        """
        with pytest.raises(
            NotLetIn, match=r"^127.0.0.1:\d+ refuses us: Authentication failed.*; see sasl_username"
        ) as it:
            await reach(guarded.sasl(mechanism, **said))
        assert "wrong" not in str(it.value)
        assert PASSWORD not in str(it.value)

    @pytest.mark.parametrize("wrong", ["garbage", token(-3600)])
    async def test_wrong_token(self, guarded: Guarded, wrong: str) -> None:
        """
        A token that is none, or has expired. (aiokafka takes the refusal for a consent.)
        """
        with pytest.raises(NotLetIn, match="does not accept our token: see oauth_token"):
            await reach(guarded.sasl("OAUTHBEARER", oauth_token=lambda: wrong))

    async def test_no_certificate(self, guarded: Guarded) -> None:
        """
        A broker that asks for a certificate and gets none.
        """
        with pytest.raises(NotLetIn, match=r"does not take our certificate, or misses one: .*; see certificate_file"):
            await reach(guarded.mutual(certificate_file=None))

    async def test_another_authoritys_certificate(self, guarded: Guarded) -> None:
        """
        A broker that gets a certificate by somebody it does not know.
        """
        others = {"certificate_file": guarded.others.client_file, "key_file": guarded.others.client_key_file}

        with pytest.raises(NotLetIn, match=r"does not take our certificate, or misses one: .*; see certificate_file"):
            await reach(guarded.mutual(**others))

    async def test_a_broker_that_is_not_trusted(self, guarded: Guarded) -> None:
        """
        Its certificate is by somebody whom we do not know.
        """
        with pytest.raises(NotLetIn, match=r"certificate of 127.0.0.1:\d+ is not trusted: .*; see ca_file"):
            await reach(guarded.sasl("PLAIN", ca_file=guarded.others.authority_file))

    async def test_the_wrong_protocol(self, guarded: Guarded) -> None:
        """
        Whoever speaks otherwise than the listener is told to look at security_protocol.
        """
        plain, clear = guarded.cluster.bootstrap_servers, guarded.cluster.servers_of("CLEAR")
        over_tls = guarded.cluster.servers_of("SASL")
        wrong = [
            Connection(bootstrap_servers=over_tls),
            Connection(bootstrap_servers=clear),
            Connection(
                bootstrap_servers=over_tls, security_protocol="SSL", ca_file=guarded.certificates.authority_file
            ),
            Connection(bootstrap_servers=plain, security_protocol="SSL", ca_file=guarded.certificates.authority_file),
            guarded.sasl("PLAIN", bootstrap_servers=plain, security_protocol="SASL_PLAINTEXT"),
        ]

        for connection in wrong:
            with pytest.raises(NotLetIn, match="security_protocol"):
                await reach(connection)


class TestAway:
    async def test_nobody_listens(self) -> None:
        """
        Each server is named with its trouble.
        """
        with pytest.raises(LogUnavailable, match=r"^127.0.0.1:1 cannot be reached: .*; 127.0.0.1:2 cannot be reached"):
            await reach(Connection(bootstrap_servers="127.0.0.1:1,127.0.0.1:2"))

    async def test_no_answer(self, silent: str) -> None:
        """
        A broker that takes the connection and says nothing is not waited for without end.
        """
        with pytest.raises(LogUnavailable, match=r"does not answer within 0.2 s"):
            await asyncio.wait_for(reach(Connection(bootstrap_servers=silent), 0.2), 60)
