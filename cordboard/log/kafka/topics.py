"""The topics on a cluster: looked at, created where they are missing, held against what they must be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.metadata import MetadataRequest

from cordboard.log.kafka.asking import asked
from cordboard.log.kafka.connection import Connection
from cordboard.log.kafka.demands import Copies, Demand, Found, Mismatch, creation, mismatches, missing
from cordboard.log.port import LogError, LogUnavailable

# Created topics are known to the controller at once, to each broker a moment later.
_KNOWN_SECONDS_MAX: Final = 30.0
_LOOK_SECONDS: Final = 0.05


class TopicsWrong(LogError):
    """Topics that are not what they must be: every mismatch, and how to mend it."""

    def __init__(self, wrong: Sequence[Mismatch]) -> None:
        super().__init__("\n".join(["The topics are not what they must be:", *(f"  {one}" for one in wrong)]))
        self.wrong = tuple(wrong)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was asked for, what is there (by name), and what is wrong with it."""

    copies: Copies
    brokers: int
    demands: tuple[Demand, ...]
    found: Mapping[str, Found]
    servers: str

    @property
    def missing(self) -> list[Demand]:
        """Those that are not there."""
        return [demand for demand in self.demands if demand.topic not in self.found]

    def wrong_with(self, demand: Demand) -> list[Mismatch]:
        """Everything that is wrong with one topic."""
        if demand.topic not in self.found:
            return [missing(demand)]
        return list(mismatches(demand, self.found[demand.topic], self.copies, self.servers))

    @property
    def wrong(self) -> list[Mismatch]:
        """Everything that is wrong."""
        return [one for demand in self.demands for one in self.wrong_with(demand)]


async def survey(
    connection: Connection,
    demands: Sequence[Demand],
    replicas: int | None = None,
    in_sync: int | None = None,
) -> Survey:
    """Look at the topics, and change nothing. `replicas`, `in_sync`: None chooses by the number of brokers.

    Raises LogUnavailable, NotLetIn, and LogError where `in_sync` is more than there are copies.
    """
    return await asked(connection, lambda admin: _look(admin, connection, demands, replicas, in_sync))


async def check(
    connection: Connection, demands: Sequence[Demand], replicas: int | None = None, in_sync: int | None = None
) -> None:
    """Raise TopicsWrong unless every topic is there and what it must be. Raises as `survey` does."""
    if wrong := (await survey(connection, demands, replicas, in_sync)).wrong:
        raise TopicsWrong(wrong)


async def ensure(
    connection: Connection, demands: Sequence[Demand], replicas: int | None = None, in_sync: int | None = None
) -> list[str]:
    """Create what is missing, and return the names; what is there is left as it is. May be run by many at once.

    Nothing is created beside topics that are wrong: raises TopicsWrong then. Raises as `survey` does, and LogError for
    what the brokers refuse, and where there are too few of them for so many copies.
    """
    seen = await survey(connection, demands, replicas, in_sync)
    absent = {demand.topic for demand in seen.missing}
    if wrong := [one for one in seen.wrong if one.topic not in absent]:
        raise TopicsWrong(wrong)
    if absent:
        seen.copies.must_fit(seen.brokers)
        seen = await asked(connection, lambda admin: _created(admin, connection, seen))
        # Somebody else may have created some of them, in another way, since we looked.
        if wrong := seen.wrong:
            raise TopicsWrong(wrong)
    return sorted(absent)


async def _look(
    admin: AIOKafkaAdminClient,
    connection: Connection,
    demands: Sequence[Demand],
    replicas: int | None,
    in_sync: int | None,
) -> Survey:
    brokers = len((await admin.describe_cluster())["brokers"])
    copies = Copies.of(brokers, replicas, in_sync)
    return Survey(copies, brokers, tuple(demands), await _found(admin, demands), connection.bootstrap_servers)


async def _found(admin: AIOKafkaAdminClient, demands: Sequence[Demand]) -> dict[str, Found]:
    wanted = {demand.topic for demand in demands}
    # All topics are asked for: a broker may create those that it is asked for by name.
    told = {one["topic"]: one["partitions"] for one in await admin.describe_topics() if one["topic"] in wanted}
    there = {name: parts for name, parts in told.items() if parts}
    settings = await _settings(admin, sorted(there))
    return {
        name: Found(len(parts), min(len(part["replicas"]) for part in parts), settings[name])
        for name, parts in there.items()
        if name in settings
    }


async def _settings(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> dict[str, dict[str, str]]:
    """The settings of topics as they count, the brokers' defaults among them."""
    if not topics:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics])
    settings: dict[str, dict[str, str]] = {}
    for code, message, _, name, entries in (one for answer in answers for one in answer.resources):
        if code == UnknownTopicOrPartitionError.errno:
            continue  # Another broker was asked, which has not heard of it yet, or has heard of its end.
        if code != NoError.errno:
            raise LogError(f"the settings of {name} cannot be read: {_in_words(code, message)}")
        settings[name] = {entry[0]: entry[1] or "" for entry in entries}
    return settings


async def _created(admin: AIOKafkaAdminClient, connection: Connection, seen: Survey) -> Survey:
    """Create what is missing, and look again. May be tried again: what is there by then is left as it is."""
    await _create(admin, seen)
    return await _known(admin, connection, seen)


async def _create(admin: AIOKafkaAdminClient, seen: Survey) -> None:
    copies = seen.copies
    new = [
        NewTopic(one.topic, one.partitions, copies.replicas, topic_configs=creation(one, copies))
        for one in seen.missing
    ]
    answer = await admin.create_topics(new)
    # Another process that starts at the same moment may have been before us.
    fine = (NoError.errno, TopicAlreadyExistsError.errno)
    refused = [f"{name}: {_in_words(code, message)}" for name, code, message in answer.topic_errors if code not in fine]
    if refused:
        raise LogError(f"the brokers refuse to create topics: {'; '.join(refused)}")


async def _known(admin: AIOKafkaAdminClient, connection: Connection, seen: Survey) -> Survey:
    """Look again once every broker has heard of everything: whoever is asked next may be any of them."""
    topics = {demand.topic for demand in seen.demands}
    try:
        async with asyncio.timeout(_KNOWN_SECONDS_MAX):
            for broker in (await admin.describe_cluster())["brokers"]:
                while not topics <= await _known_to(admin, broker["node_id"]):  # noqa: ASYNC110 - it changes elsewhere
                    await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        raise LogUnavailable(f"created topics were not there after {_KNOWN_SECONDS_MAX:g} s") from None
    return await _look(admin, connection, seen.demands, seen.copies.replicas, seen.copies.in_sync)


async def _known_to(admin: AIOKafkaAdminClient, broker: int) -> set[str]:
    """The topics that one broker knows of."""
    # The admin's own questions go to any broker; there is no public way to choose one.
    answer = (await admin._send_request(MetadataRequest(None), broker)).to_object()
    return {one["topic"] for one in answer["topics"]}


def _in_words(code: int, message: str | None) -> str:
    return f"{for_code(code).__name__}{f': {message}' if message else ''}"
