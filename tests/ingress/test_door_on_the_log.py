"""The ingress on the embedded log: what was acknowledged is on the disk."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from cordboard.clock import SystemClock
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import Record, TopicPartition
from cordboard.settings import Account, Ingress, Settings
from cordboard.topics import Topics
from cordboard.webhook import DIAL_COPY_HEADER, dial_url, parse
from dispatcher.ingress import IngressMetrics, ingress_server

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
SECRET = "a-long-secret-for-dials"
TOPICS = Topics()


async def opened(path: Path) -> EmbeddedLog:
    return await EmbeddedLog.open(path, TOPICS.specs([], 4), 4, SystemClock(), TOPICS.inputs)


def settings() -> Settings:
    account = {
        "webhook_public_key": base64.b64encode(KEY.public_key().public_bytes_raw()).decode(),
        "public_url": "https://x.example",
        "dial_url_secret": SECRET,
    }
    return Settings(accounts={"main": Account.model_validate(account)}, ingress=Ingress(port=0))


def signed(body: bytes) -> dict[str, str]:
    at = str(SystemClock().now_ms() // 1000)
    signature = base64.b64encode(KEY.sign(at.encode() + b"|" + body)).decode()
    return {"telnyx-signature-ed25519": signature, "telnyx-timestamp": at}


def event(number: int) -> bytes:
    payload = {"call_control_id": f"v3:{number}"}
    return json.dumps({"data": {"id": f"e{number}", "event_type": "call.answered", "payload": payload}}).encode()


async def kept(log: EmbeddedLog, count: int) -> list[Record]:
    """All records of the topic, at least so many."""
    reader = log.reader({TopicPartition(TOPICS.webhooks, partition): 0 for partition in range(4)})
    records: list[Record] = []
    while len(records) < count:
        records += await reader.read()
    await reader.close()
    return records


async def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path):
    """
    Each webhook is in its call's partition, the copy in its dial's, and what the page will read can be parsed.
    """
    log = await opened(tmp_path / "log.sqlite3")
    async with (
        ingress_server(settings(), log, TOPICS.webhooks, SystemClock(), IngressMetrics(CollectorRegistry())) as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        for number in range(8):
            path = dial_url("", "main", f"c-{number}", SECRET.encode())
            answer = await client.post(path, content=event(number), headers=signed(event(number)))
            assert answer.status_code == 200
    await log.close()

    log = await opened(tmp_path / "log.sqlite3")
    records = await kept(log, 16)

    for record in records:
        assert record.key is not None
        assert record.partition == log.partition_for(TOPICS.webhooks, record.key)
    homes = [record for record in records if DIAL_COPY_HEADER not in dict(record.headers)]
    assert sorted(parse(record.value).key for record in homes) == [f"v3:{number}" for number in range(8)]
    assert sorted(record.key for record in records if record not in homes) == [
        f"dial:main/c-{number}".encode() for number in range(8)
    ]
    await log.close()


async def test_a_log_that_is_gone(tmp_path: Path):
    """
    A webhook that cannot be kept is not acknowledged.
    """
    log = await opened(tmp_path / "log.sqlite3")
    await log.close()
    async with (
        ingress_server(settings(), log, TOPICS.webhooks, SystemClock(), IngressMetrics(CollectorRegistry())) as server,
        httpx.AsyncClient(base_url=server.url) as client,
    ):
        answer = await client.post("/webhooks/telnyx", content=event(1), headers=signed(event(1)))

    assert answer.status_code == 503
    assert "retry-after" in answer.headers
