"""What the chart's KafkaUser may do is enough for all roles, and no more: on a broker that holds everybody to it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from prometheus_client import CollectorRegistry

from brokers import Cluster
from brokers.listeners import Listener
from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.settings import Account, Settings
from cordboard.v1 import STATE_SUCCEEDED, WAIT_FOR_COMPLETION, Command, Dial
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from tests.deploy.manifests import of_kind

USER, PASSWORD = "cordboard", "the-right-one"
# As Kafka's clients write what Strimzi writes.
OPERATIONS = {"Read": "READ", "Write": "WRITE", "Describe": "DESCRIBE", "DescribeConfigs": "DESCRIBE_CONFIGS"}
# What it has to say when the broker ends.
QUIET = {"log_level": 0}
RIGHTS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


@pytest.fixture(scope="module")
def cluster(own_brokers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A broker that asks what everybody may do, but for who comes by its plain port."""
    listener = Listener(name="CLEAR", protocol="SASL_PLAINTEXT", users={USER: PASSWORD})
    with Cluster(tmp_path_factory.mktemp("rights"), listeners=[listener], properties=RIGHTS, forget=True) as cluster:
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, **QUIET})
        for future in (admin.create_topics(topics()) | admin.create_acls(rights())).values():
            future.result(30)
        # Acknowledged is not yet enforced: a broker learns of rights behind its controller.
        while len(admin_of(cluster).list_topics(timeout=10).topics) < len(topics()):
            pass
        yield cluster


def topics() -> list[NewTopic]:
    """As Strimzi's operator makes them of the chart's, but for their copies: there is one broker."""
    made = []
    for one in of_kind("operators", "KafkaTopic"):
        spec = one["spec"]
        config = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in spec["config"].items()
        }
        made.append(
            NewTopic(one["metadata"]["name"], spec["partitions"], 1, config=config | {"min.insync.replicas": "1"})
        )
    return made


def rights() -> list[AclBinding]:
    """As its user operator makes them."""
    (user,) = of_kind("operators", "KafkaUser")
    return [
        AclBinding(
            ResourceType[acl["resource"]["type"].upper()],
            acl["resource"]["name"],
            ResourcePatternType.PREFIXED if acl["resource"]["patternType"] == "prefix" else ResourcePatternType.LITERAL,
            f"User:{USER}",
            "*",
            AclOperation[OPERATIONS[operation]],
            AclPermissionType.ALLOW,
        )
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    ]


def way_in(cluster: Cluster) -> dict[str, Any]:
    return {
        "bootstrap_servers": cluster.servers_of("CLEAR"),
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": USER,
        "sasl_password": PASSWORD,
    }


def admin_of(cluster: Cluster) -> AdminClient:
    """The user, with another client."""
    said = way_in(cluster)
    names = {
        "bootstrap.servers": "bootstrap_servers",
        "security.protocol": "security_protocol",
        "sasl.mechanism": "sasl_mechanism",
        "sasl.username": "sasl_username",
        "sasl.password": "sasl_password",
    }
    return AdminClient({theirs: said[ours] for theirs, ours in names.items()} | QUIET)


async def test_all_roles_do_their_work_with_the_rights_of_the_charts_user(cluster: Cluster):
    """
    On the topics that the chart makes; none is missing anything, and a dial goes through all of them.
    """
    async with Server(SandboxSettings(port=0, speed=20.0)) as sandbox:
        account = Account(api_key="key", base_url=sandbox.base_url, webhook_public_key=sandbox.public_key)
        settings = Settings(
            accounts={"main": account},
            log={"kind": "kafka", "partitions": 16},
            kafka=way_in(cluster) | {"create_topics": False},
            **{name: {"port": 0} for name in ("grpc", "ingress", "operations")},
        )
        async with Desk(settings, SystemClock(), random.Random(1), CollectorRegistry(), telnyx_is_local=True) as desk:
            assert desk.ingress is not None
            sandbox.settings.webhook_url = f"{desk.ingress.url}/webhooks/telnyx/main"
            async with Client(f"127.0.0.1:{desk.grpc_port}") as client:
                dial = Dial(to="+15550109908", from_number="+15550100000", connection_id="1")
                command = Command(command_id=str(uuid4()), dial=dial)
                answer = await client.execute(command, wait_for=WAIT_FOR_COMPLETION, timeout=60)

    assert answer.result.state == STATE_SUCCEEDED
    assert answer.completion.event_type == "call.answered"


def test_they_are_no_more_than_that(cluster: Cluster):
    """
    It makes no topics, not even among its own, and others' are none of its business.
    """
    admin = admin_of(cluster)
    for name in ("cordboard.more", "others"):
        with pytest.raises(KafkaException, match="AUTHORIZATION_FAILED"):
            admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)
    with pytest.raises(KafkaException, match="AUTHORIZATION_FAILED"):
        admin.delete_topics(["cordboard.commands"])["cordboard.commands"].result(30)
