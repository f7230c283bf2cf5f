"""What is measured, and what a measurement says: the words between the bench and its load processes."""

from __future__ import annotations

import uuid
from typing import Final

import msgspec

SDK: Final = "sdk (httpx)"
SDK_AIOHTTP: Final = "sdk (aiohttp)"
EXECUTE: Final = "cordboard Execute"
STREAM: Final = "cordboard ExecuteStream"
KAFKA_EXECUTE: Final = "on Kafka: Execute"
KAFKA_STREAM: Final = "on Kafka: ExecuteStream"
TOPICS: Final = "on Kafka: from topic to topic"
WEBHOOKS: Final = "on Kafka: webhooks"


class Place(msgspec.Struct, frozen=True):
    """Where everything is. `pids` are the processes whose CPU time counts, by name.

    The rest is there on Kafka only: its servers, what topics' names start with, where webhooks go, and the key (an
    Ed25519 seed in Base64) that signs them.
    """

    api_url: str
    grpc_target: str
    pids: dict[str, int]
    kafka_servers: str = ""
    topic_prefix: str = ""
    webhook_url: str = ""
    signing_key: str = ""


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement: ended by the count or by the time (seconds), whatever comes first.

    `number` names it in command ids. `calls` are answered calls of the sandbox that had no command yet: a page
    remembers its ended commands, and calls have tens of them, not thousands.
    """

    number: int
    system: str
    in_flight: int
    provider_ms: int
    count_max: int
    seconds_max: float
    calls: list[str]
    warm_up: int = 128


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a cell, warm-up left out but for `sent` (by call) and `failures`. CPU seconds are user + system."""

    sent: list[int]
    count: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_seconds: dict[str, float]
    failures: list[str]


def command_id(cell: int, call: int, sequence: int) -> str:
    """An id that tells where its command belongs. A UUID, which Cordboard hands to Telnyx as it is."""
    return str(uuid.UUID(int=cell << 96 | call << 48 | sequence))


def place_of(command_id: str) -> tuple[int, int, int]:
    """Cell, call and sequence number of an id."""
    number = uuid.UUID(command_id).int
    return number >> 96, number >> 48 & 0xFFFF_FFFF_FFFF, number & 0xFFFF_FFFF_FFFF
