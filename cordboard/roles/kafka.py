"""Opening the log on Kafka as the settings describe it: reach the cluster, see to the topics, connect."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from cordboard.clock import Clock
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import Demand, demands
from cordboard.log.kafka.journal import Journal
from cordboard.log.kafka.log import KafkaLog
from cordboard.log.kafka.metrics import KafkaMetrics
from cordboard.log.kafka.topics import check, ensure
from cordboard.observers import each_of
from cordboard.roles.topics import specs_of, topics_of
from cordboard.settings import Kafka, Settings


def connection_of(chosen: Kafka) -> Connection:
    """How the cluster is reached. Raises OSError and ValueError for a file of a secret that cannot be read."""
    return Connection(
        bootstrap_servers=chosen.bootstrap_servers or "",
        client_id=chosen.client_id,
        security_protocol=chosen.security_protocol,
        ca_file=chosen.ca_file,
        certificate_file=chosen.certificate_file,
        key_file=chosen.key_file,
        key_password=chosen.read_key_password(),
        sasl_mechanism=chosen.sasl_mechanism,
        sasl_username=chosen.sasl_username or "",
        sasl_password=chosen.sasl_password_reader(),
        oauth_token=chosen.oauth_token_reader(),
    )


def demands_of(settings: Settings) -> list[Demand]:
    """What the topics of these settings must be."""
    topics = topics_of(settings)
    return demands(
        specs_of(settings),
        ledger=topics.ledger,
        partitions=settings.log.partitions,
        inputs=topics.inputs,
    )


async def open_kafka(settings: Settings, clock: Clock, registry: CollectorRegistry) -> KafkaLog:
    """Connect, with every topic that these accounts need. Raises LogError with a sentence for the operator."""
    chosen, topics = settings.kafka, topics_of(settings)
    connection = connection_of(chosen)
    see_to = ensure if chosen.create_topics else check
    await see_to(connection, demands_of(settings), chosen.replication_factor, chosen.min_insync_replicas)
    return await KafkaLog.open(
        connection,
        specs_of(settings),
        ledger=topics.ledger,
        inputs=topics.inputs,
        clock=clock,
        session_timeout_ms=round(chosen.session_timeout_seconds * 1000),
        observe=each_of(KafkaMetrics(registry), Journal()),
    )
