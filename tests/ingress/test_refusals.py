"""What the public port refuses, over real HTTP: each with its answer, counted, and nothing written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog

from cordboard.log.port import AppendUncertain, LogUnavailable
from tests.ingress.desk import Desk, Opened, event, signed, until


class TestRefused:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"x"',
            b"\xff\xfe",
            b"{}",
            event(id=None),
            event(event_type=""),
            event()[:-5],
            b"[" * 50_000,
        ],
    )
    async def test_what_is_no_webhook(self, desk: Desk, body: bytes):
        """
        400 with the reason, though it was signed; nothing is written and nothing breaks.
        """
        answer = await desk.post(body)

        assert (answer.status_code, answer.json()["result"]) == (400, "malformed")
        assert desk.log.appends == 0

    @pytest.mark.parametrize("is_signed", [True, False])
    async def test_the_form_of_api_v1(self, desk: Desk, is_signed: bool):
        """
        Refused, and the log says how to switch: once, because every event of that application comes so.
        """
        body = b'{"record_type": "event", "event_type": "call_initiated", "id": "e", "payload": {}}'
        headers = signed(body) if is_signed else {"x-telnyx-signature": "t=1,h=2"}

        with structlog.testing.capture_logs() as lines:
            answers = [await desk.client.post("/webhooks/telnyx", content=body, headers=headers) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [400] * 3
        assert ["webhook_api_version" in line["advice"] for line in lines] == [True]
        assert "webhook_api_version to 2" in answers[0].json()["message"]
        assert desk.counted() == {"format_one": 3}
        assert desk.log.appends == 0

    async def test_a_body_that_is_too_large(self, open_desk: Opened):
        """
        With or without a length given beforehand, and also when it is far too large.
        """
        desk = await open_desk(body_bytes_max=2048)

        async def in_pieces() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * 1024

        given = await desk.post(b"x" * 2049)
        unsaid = await desk.client.post("/webhooks/telnyx", content=in_pieces(), headers=signed(b""))
        just = await desk.post(event({"x": "y" * 1500}))

        assert [answer.status_code for answer in (given, unsaid, just)] == [413, 413, 200]
        assert desk.counted() == {"too_large": 2, "accepted": 1}

    async def test_a_body_that_is_far_too_large_is_cut_off(self, open_desk: Opened):
        """
        By its length when that is given, else when enough of it was read.
        """
        desk = await open_desk(body_bytes_max=1024)
        enough = b"800\r\n%b\r\n" % (b"x" * 2048) * 4 + b"1\r\nx\r\n"
        heads = [b"content-length: 100000000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\n" + enough]
        for head in heads:
            reader, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
            writer.write(b"POST /webhooks/telnyx HTTP/1.1\r\nhost: a\r\n" + head)

            assert (await reader.read()).startswith(b"HTTP/1.1 413")
            writer.close()

        assert desk.counted() == {"too_large": 2}

    async def test_a_body_that_does_not_come(self, open_desk: Opened):
        """
        A sender who dawdles is not waited for.
        """
        desk = await open_desk(body_seconds_max=0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
        writer.write(b"POST /webhooks/telnyx HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{")

        assert (await reader.read()).startswith(b"HTTP/1.1 408")
        writer.close()
        assert desk.counted() == {"too_slow": 1}

    async def test_a_sender_who_hangs_up_midway(self, desk: Desk):
        """
        Half a body is nothing, and the next sender is served.
        """
        _, writer = await asyncio.open_connection("127.0.0.1", desk.server.port)
        writer.write(b"POST /webhooks/telnyx HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{")
        await writer.drain()
        writer.close()
        await until(lambda: desk.counted() == {"broken_off": 1})

        assert (await desk.post(event())).status_code == 200

    async def test_more_than_can_be_handled(self, open_desk: Opened):
        """
        Beyond the bound Telnyx is asked to come again, and those in hand are not disturbed.
        """
        desk = await open_desk(concurrent_max=1)
        desk.log.gate = asyncio.Event()
        first = asyncio.create_task(desk.post(event(id="e1")))
        await desk.log.entered.wait()

        second = await desk.post(event(id="e2"))
        desk.log.gate.set()

        assert (second.status_code, second.headers["retry-after"]) == (503, "1")
        assert (await first).status_code == 200
        assert desk.counted() == {"overloaded": 1, "accepted": 1}

    @pytest.mark.parametrize(
        ("failure", "status", "result"),
        [
            (LogUnavailable("the disk is full"), 503, "log_unavailable"),
            (AppendUncertain("no answer"), 503, "uncertain"),
            (RuntimeError("a bug"), 500, "broken"),
        ],
    )
    async def test_what_cannot_be_kept_is_not_acknowledged(
        self, desk: Desk, failure: Exception, status: int, result: str
    ):
        """
        Telnyx is told to try again, and not why.
        """
        desk.log.failure = failure

        answer = await desk.post(event())

        assert (answer.status_code, answer.headers["retry-after"]) == (status, "1")
        assert str(failure) not in answer.text
        assert desk.counted() == {result: 1}

    async def test_a_log_that_hangs(self, open_desk: Opened):
        """
        A write without an end is an unknown one.
        """
        desk = await open_desk(durable_seconds_max=0.05)
        desk.log.gate = asyncio.Event()

        assert (await desk.post(event())).status_code == 503
        assert desk.counted() == {"uncertain": 1}

    @pytest.mark.parametrize(
        "path",
        ["/", "/webhooks", "/webhooks/telnyx/", "/webhooks/telnyx/main/dials", "/webhooks/telnyx/main/x", "/metrics"],
    )
    async def test_nothing_else_is_there(self, desk: Desk, path: str):
        """
        The public port has webhooks on it and nothing else.
        """
        assert (await desk.post(event(), path)).status_code == 404
        assert (await desk.client.get(path)).status_code == 404
        assert desk.counted() == {"unknown_path": 2}

    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
    async def test_webhooks_come_by_post(self, desk: Desk, method: str):
        """
        Other verbs are told which one is right.
        """
        answer = await desk.client.request(method, "/webhooks/telnyx/main")

        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert desk.counted() == {"wrong_method": 1}
