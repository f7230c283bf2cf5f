"""What a node is told in its server.properties: small, quick to rebalance, and as strict as a real cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from brokers.listeners import Listener

CONTROLLER: Final = "CONTROLLER"
PLAIN: Final = "PLAINTEXT"
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Plan:
    """One node: its number (from 1), where its data lie, and its port for every listener by name."""

    number: int
    data: Path
    ports: Mapping[str, int]


def server_properties(
    plan: Plan, cluster: Sequence[Plan], listeners: Iterable[Listener], more: Mapping[str, str]
) -> str:
    """The file of one node of a cluster; `more` wins over what is said here."""
    listeners = tuple(listeners)
    said = {
        **_identity(plan, cluster),
        **_listening(plan, listeners),
        **_replication(len(cluster)),
        **_SMALL,
        **{name: value for listener in listeners for name, value in listener.properties().items()},
        **more,
    }
    return "".join(f"{name}={value}\n" for name, value in said.items())


def _identity(plan: Plan, cluster: Sequence[Plan]) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": str(plan.number),
        "controller.quorum.voters": ",".join(f"{one.number}@{HOST}:{one.ports[CONTROLLER]}" for one in cluster),
        "log.dirs": str(plan.data),
    }


def _listening(plan: Plan, listeners: Sequence[Listener]) -> dict[str, str]:
    protocols = {CONTROLLER: "PLAINTEXT", PLAIN: "PLAINTEXT", **{one.name: one.protocol for one in listeners}}
    addresses = {name: f"{name}://{HOST}:{plan.ports[name]}" for name in protocols}
    return {
        "listeners": ",".join(addresses.values()),
        "advertised.listeners": ",".join(address for name, address in addresses.items() if name != CONTROLLER),
        "controller.listener.names": CONTROLLER,
        "inter.broker.listener.name": PLAIN,
        "listener.security.protocol.map": ",".join(f"{name}:{protocol}" for name, protocol in protocols.items()),
    }


def _replication(nodes: int) -> dict[str, str]:
    factor = str(min(nodes, 3))
    in_sync = "2" if nodes >= 3 else "1"
    return {
        "default.replication.factor": factor,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": factor,
        "transaction.state.log.replication.factor": factor,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": factor,
        "share.coordinator.state.topic.min.isr": in_sync,
    }


_SMALL: Final[Mapping[str, str]] = {
    # Topics are made by whoever means them, or a misspelt name would be one.
    "auto.create.topics.enable": "false",
    # The first rebalance of a group need not wait for members that no test has.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    # The default is half of the whole heap.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    # A topic that wants to be compacted at once is.
    "log.cleaner.backoff.ms": "200",
    # A broker that died is taken for dead, and let in again, only after its session: 9 s unless told otherwise.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
}
