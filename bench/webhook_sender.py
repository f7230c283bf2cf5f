"""Webhooks: signed as Telnyx signs them, posted to the ingress, and held against the events that are handed on."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final, Self

import aiohttp
import orjson
from aiokafka import AIOKafkaConsumer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.cells import Cell, Measured, Place, place_of
from bench.topic_sender import from_the_end
from bench.truth import Faulty, judge
from cordboard.topics import Topics
from cordboard.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER

_PATIENCE_SECONDS: Final = 30.0


class WebhookSender:
    """Posts one webhook at a time; it is done when it was acknowledged."""

    keeps_order = False

    def __init__(self, url: str, key: Ed25519PrivateKey, http: aiohttp.ClientSession) -> None:
        self._url = url
        self._key = key
        self._http = http

    async def send(self, call: str, command_id: str) -> str:
        body = _event(call, command_id)
        timestamp = str(int(time.time()))
        signature = base64.b64encode(self._key.sign(timestamp.encode() + b"|" + body)).decode()
        headers = {SIGNATURE_HEADER: signature, TIMESTAMP_HEADER: timestamp, "content-type": "application/json"}
        async with self._http.post(self._url, data=body, headers=headers) as answer:
            return "" if answer.status == 200 else f"{answer.status}: {await answer.text()}"


def _event(call: str, event_id: str) -> bytes:
    """A call begins, and then digits are pressed."""
    event_type = "call.dtmf.received" if place_of(event_id)[2] else "call.initiated"
    payload = {
        "call_control_id": call,
        "call_leg_id": call,
        "call_session_id": call,
        "connection_id": "7267xxxxxxxxxxxxxx",
        "from": "+12025550100",
        "to": "+12025550199",
        "direction": "incoming",
        "digit": "1",
        "client_state": None,
    }
    data = {
        "record_type": "event",
        "event_type": event_type,
        "id": event_id,
        "occurred_at": datetime.now(UTC).isoformat(),
        "payload": payload,
    }
    return orjson.dumps({"data": data, "meta": {"attempt": 1, "delivered_to": "https://example.com"}})


@asynccontextmanager
async def webhook_sender(place: Place) -> AsyncIterator[WebhookSender]:
    """Connected to the ingress."""
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(place.signing_key))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield WebhookSender(place.webhook_url, key, http)


class HandedOn:
    """The truth about webhooks: what the events topic says, read from when `make_calls` returned."""

    def __init__(self, servers: str, prefix: str) -> None:
        self._opening = from_the_end(servers, Topics(prefix).events)
        self._calls = 0

    async def __aenter__(self) -> Self:
        self._consumer: AIOKafkaConsumer = await self._opening.__aenter__()
        return self

    async def __aexit__(self, *why: object) -> None:
        await self._opening.__aexit__(None, None, None)

    async def make_calls(self, count: int) -> list[str]:
        """Names of calls: the first webhook of each makes it one."""
        first, self._calls = self._calls, self._calls + count
        return [f"v3:heard-of-by-its-webhooks-alone-{number:08}" for number in range(first, self._calls)]

    async def check(self, cell: Cell, measured: Measured) -> Faulty:
        """See that every webhook was handed on, those of a call in their order, and each once."""
        happened: list[tuple[str, str]] = []
        async with asyncio.timeout(_PATIENCE_SECONDS) as patience:
            while len(happened) < sum(measured.sent) and not patience.expired():
                for records in (await self._consumer.getmany(timeout_ms=500)).values():
                    happened += [(one.key.decode(), dict(one.headers)["ce_id"].decode()) for one in records]
        return judge(cell, measured.sent, happened)
