"""All of Cordboard on a Kafka that lets nobody in without TLS and a password: by settings, as an operator would."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.settings import Account, Grpc, Ingress, Log, Operations, Rest, Settings
from cordboard.settings.kafka import Kafka
from cordboard.v1 import STATE_SUCCEEDED, WAIT_FOR_COMPLETION, Command, Dial
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.kafka.conftest import PASSWORD, USER, Guarded

DIAL = Dial(to="+15550109908", from_number="+15550100000", connection_id="1")


def by_password(guarded: Guarded, folder: Path) -> dict[str, Any]:
    secret = folder / "kafka-password"
    secret.write_text(PASSWORD)
    secret.chmod(0o600)
    return {
        "bootstrap_servers": guarded.cluster.servers_of("SASL"),
        "security_protocol": "SASL_SSL",
        "ca_file": guarded.certificates.authority_file,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": USER,
        "sasl_password_file": secret,
    }


def by_certificate(guarded: Guarded, folder: Path) -> dict[str, Any]:
    return {
        "bootstrap_servers": guarded.cluster.servers_of("MUTUAL"),
        "security_protocol": "SSL",
        "ca_file": guarded.certificates.authority_file,
        "certificate_file": guarded.certificates.client_file,
        "key_file": guarded.certificates.client_key_file,
        "key_password": guarded.certificates.client_password,
    }


@pytest.mark.parametrize("way", [by_password, by_certificate])
async def test_a_call_is_dialled_and_answered(guarded: Guarded, tmp_path: Path, kafka_prefix: str, way: Any) -> None:
    """
    Groups, ledgers, readers and producers all come in by the same door, and a dial goes through all of them.
    """
    async with Server(SandboxSettings(port=0, speed=20.0)) as sandbox:
        account = Account(api_key="key", base_url=sandbox.base_url, webhook_public_key=sandbox.public_key)
        settings = Settings(
            accounts={"main": account},
            log=Log(kind="kafka", partitions=2, topic_prefix=kafka_prefix),
            kafka=Kafka(**way(guarded, tmp_path)),
            grpc=Grpc(port=0, drain_seconds=0.1),
            ingress=Ingress(port=0),
            rest=Rest(port=0),
            operations=Operations(port=0),
        )
        async with Desk(settings, SystemClock(), random.Random(1), CollectorRegistry(), telnyx_is_local=True) as desk:
            assert desk.ingress is not None
            sandbox.settings.webhook_url = f"{desk.ingress.url}/webhooks/telnyx/main"
            async with Client(f"127.0.0.1:{desk.grpc_port}") as client:
                command = Command(command_id=str(uuid4()), dial=DIAL)
                answer = await client.execute(command, wait_for=WAIT_FOR_COMPLETION, timeout=30)

    assert answer.result.state == STATE_SUCCEEDED
    assert answer.completion.event_type == "call.answered"
