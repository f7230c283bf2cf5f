"""What the bench sends and tells: webhooks that pass for Telnyx's own, and rows that name every process."""

from __future__ import annotations

import base64
import time

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.cells import KAFKA_EXECUTE, Measured, Place, command_id
from bench.plan import Kind
from bench.report import row, table
from bench.truth import Faulty
from bench.webhook_sender import webhook_sender
from cordboard.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER, parse
from dispatcher.ingress.signature import Verifier


async def test_a_webhook_is_signed_and_says_whose_it_is() -> None:
    """The ingress would take it: signed now, with the id by which it is looked for among the events."""
    key = Ed25519PrivateKey.generate()
    verifier = Verifier(key.public_key().public_bytes_raw(), 300)
    heard: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        verifier.check_time(request.headers[TIMESTAMP_HEADER], round(time.time() * 1000))
        verifier.check(request.headers[TIMESTAMP_HEADER], request.headers[SIGNATURE_HEADER], body)
        heard.append(body)
        return web.Response()

    app = web.Application()
    app.router.add_post("/hooks", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    seed = base64.b64encode(key.private_bytes_raw()).decode()
    try:
        async with webhook_sender(Place("", "", {}, webhook_url=url, signing_key=seed)) as sender:
            assert [await sender.send("call", command_id(1, 0, number)) for number in (0, 1)] == ["", ""]
    finally:
        await runner.cleanup()

    assert [(parse(body).id, parse(body).event_type) for body in heard] == [
        (command_id(1, 0, 0), "call.initiated"),
        (command_id(1, 0, 1), "call.dtmf.received"),
    ]


def test_a_row_adds_up_what_cordboards_processes_took() -> None:
    """The broker, the sandbox and the load stand beside; two workers stand in one column."""
    used = {"dispatcher-1": 2.0, "worker-1": 1.0, "worker-2": 0.5, "broker": 4.0, "sandbox": 9.0, "load": 9.0}
    measured = Measured(sent=[1000], count=1000, seconds=2.0, p50_ms=1.0, p99_ms=2.0, cpu_seconds=used, failures=[])

    told = row(Kind(KAFKA_EXECUTE, 64, 0, workers=2), [(measured, Faulty())])

    assert (told["per_second"], told["cpu_ms_per_command"]) == (500.0, 3.5)
    head, _, line = table([told]).splitlines()
    assert [cell.strip() for cell in head.split("|")[11:-1]] == ["dispatcher ms", "worker ms", "broker ms"]
    assert [cell.strip() for cell in line.split("|")[11:-1]] == ["2.000", "1.500", "4.000"]
    assert "2 workers" in line
