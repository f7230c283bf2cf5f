"""An ingress that runs on real HTTP, a log that does as it is told, and webhooks as Telnyx signs them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from cordboard.http_server import HttpServer
from cordboard.log.port import Appended, NewRecord, RecordRefused
from cordboard.settings import Settings
from dispatcher.ingress import Spool, SpoolMetrics

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
SECRET = "a-long-secret-for-dials"
TOPIC = "cordboard.webhooks"
LETTERS = "cordboard.dead-letters"
NOW = 1_760_000_000


class Clock:
    """A clock that is set by hand."""

    seconds = float(NOW)

    def now_ms(self) -> int:
        return int(self.seconds * 1000)


@dataclass
class Log:
    """Takes what is appended, unless told to fail or to wait."""

    taken: list[NewRecord] = field(default_factory=list)
    appends: int = 0
    failure: Exception | None = None
    refused: Mapping[bytes, Sequence[str]] = field(default_factory=dict)  # What is in a value: topics that refuse it.
    gate: asyncio.Event | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        self.appends += 1
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        for record in records:
            if any(word in record.value and record.topic in topics for word, topics in self.refused.items()):
                raise RecordRefused("it is too large")
        self.taken += records
        return [Appended(0, 0, 0) for _ in records]


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def event(payload: dict[str, object] | None = None, **data: object) -> bytes:
    payload = {"call_control_id": "v3:a", "call_leg_id": "l"} if payload is None else payload
    envelope = {"record_type": "event", "event_type": "call.answered", "id": "e1", "payload": payload}
    return json.dumps({"data": envelope | {"occurred_at": "2018-02-02T22:25:27.521992Z"} | data}).encode()


def signed(body: bytes, key: Ed25519PrivateKey = KEY, at: object = NOW) -> dict[str, str]:
    signature = base64.b64encode(key.sign(f"{at}|".encode() + body)).decode()
    return {"telnyx-signature-ed25519": signature, "telnyx-timestamp": str(at)}


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # a counter has no event to wait for
        await asyncio.sleep(0.001)


@dataclass
class Desk:
    """An ingress that runs, and what stands around it."""

    server: HttpServer
    client: httpx.AsyncClient
    log: Log
    clock: Clock
    registry: CollectorRegistry
    spool: Spool | None = None

    async def post(self, body: bytes, path: str = "/webhooks/telnyx", **headers: str) -> httpx.Response:
        return await self.client.post(path, content=body, headers=signed(body) | headers)

    def counted(self) -> dict[str, float]:
        name = "cordboard_ingress_webhooks_total"
        samples = (sample for family in self.registry.collect() for sample in family.samples)
        return {sample.labels["result"]: sample.value for sample in samples if sample.name == name and sample.value}


async def opened_spool(settings: Settings, log: Log, clock: Clock, registry: CollectorRegistry) -> Spool | None:
    chosen, metrics = settings.ingress, SpoolMetrics(registry)
    if chosen.spool is None:
        return None
    size_max = chosen.spool_bytes_max
    return await Spool.open(chosen.spool, log, TOPIC, clock, metrics, dead_letters=LETTERS, size_max=size_max)


Opened = Callable[..., Awaitable[Desk]]
