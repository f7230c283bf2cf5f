"""The public port over real HTTP: what is kept, what is refused, and what is written in each case."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import httpx
import pytest
import structlog
import telnyx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from cordboard.cloudevents import from_headers, header
from cordboard.http_server import HttpServer
from cordboard.log.port import Appended, AppendUncertain, LogUnavailable, NewRecord
from cordboard.settings import Account, Ingress, Settings
from cordboard.webhook import dial_url
from dispatcher.ingress import IngressMetrics, ingress_server

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
SECRET = "a-long-secret-for-dials"
TOPIC = "cordboard.webhooks"
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
    gate: asyncio.Event | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def append(self, records: Sequence[NewRecord]) -> list[Appended]:
        self.appends += 1
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
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

    async def post(self, body: bytes, path: str = "/webhooks/telnyx", **headers: str) -> httpx.Response:
        return await self.client.post(path, content=body, headers=signed(body) | headers)

    def counted(self) -> dict[str, float]:
        name = "cordboard_ingress_webhooks_total"
        samples = (sample for family in self.registry.collect() for sample in family.samples)
        return {sample.labels["result"]: sample.value for sample in samples if sample.name == name and sample.value}


Opened = Callable[..., "asyncio.Future[Desk]"]


@pytest.fixture
async def open_desk() -> AsyncIterator[Opened]:
    running: list[Desk] = []

    async def open_it(default: str | None = None, accounts: tuple[str, ...] = ("main",), **limits: float) -> Desk:
        main = {"webhook_public_key": public(KEY), "public_url": "https://x.example", "dial_url_secret": SECRET}
        keys = {"main": main, "other": {"webhook_public_key": public(OTHER_KEY)}, "keyless": {}}
        settings = Settings(
            accounts={name: Account.model_validate(keys[name]) for name in accounts},
            default_account=default,
            ingress=Ingress.model_validate({"port": 0, **limits}),
        )
        log, clock, registry = Log(), Clock(), CollectorRegistry()
        server = ingress_server(settings, log, TOPIC, clock, IngressMetrics(registry))
        await server.start()
        running.append(Desk(server, httpx.AsyncClient(base_url=server.url), log, clock, registry))
        return running[-1]

    yield open_it
    for desk in running:
        await desk.client.aclose()
        await desk.server.stop()


@pytest.fixture
async def desk(open_desk: Opened) -> Desk:
    return await open_desk()


class TestKept:
    async def test_a_webhook_is_written_as_it_came(self, desk: Desk):
        """
        The record's value is the body byte for byte; attributes, account and Telnyx's signature are its headers.
        """
        body = b" " + event({"call_control_id": "v3:a", "new": [1.50]}) + b"\n"
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

        answer = await desk.post(body, traceparent=trace)

        assert (answer.status_code, answer.json()["result"]) == (200, "accepted")
        (record,) = desk.log.taken
        assert (record.topic, record.key, record.value) == (TOPIC, b"v3:a", body)
        attributes = from_headers(record.headers)
        assert (attributes.id, attributes.type) == ("e1", "com.telnyx.call.answered")
        assert (attributes.source, attributes.subject) == ("/telnyx/main", "v3:a")
        assert attributes.time == "2018-02-02T22:25:27.521992Z"
        assert attributes.traceparent == trace
        assert header(record.headers, "cordboard-account") == "main"
        assert header(record.headers, "cordboard-dial-copy") == ""
        assert desk.counted() == {"accepted": 1}
        assert desk.registry.get_sample_value("cordboard_ingress_durable_seconds_count") == 1

    async def test_what_is_kept_can_be_verified_again(self, desk: Desk):
        """
        The vendor's own client accepts the record's value with the record's headers.
        """
        desk.clock.seconds = now = int(time.time())  # The vendor's check goes by the machine's clock.
        await desk.client.post("/webhooks/telnyx", content=event(), headers=signed(event(), at=now))

        (record,) = desk.log.taken
        headers = {name: value.decode() for name, value in record.headers}
        telnyx.Telnyx(api_key="x").webhooks.unwrap(record.value.decode(), headers=headers, key=public(KEY))

    async def test_the_answer_waits_until_it_is_durable(self, desk: Desk):
        """
        No 200 before the log has it.
        """
        desk.log.gate = asyncio.Event()
        asked = asyncio.create_task(desk.post(event()))
        await desk.log.entered.wait()
        assert not asked.done()
        assert desk.registry.get_sample_value("cordboard_ingress_in_hand") == 1

        desk.log.gate.set()

        assert (await asked).status_code == 200
        assert desk.registry.get_sample_value("cordboard_ingress_in_hand") == 0

    @pytest.mark.parametrize(
        ("payload", "key"),
        [
            ({"call_leg_id": "l", "call_session_id": "s"}, b"leg:l"),
            ({"call_session_id": "s"}, b"session:s"),
            ({}, b"event:e1"),
        ],
    )
    async def test_an_event_without_a_call_goes_under_the_nearest_name(
        self, desk: Desk, payload: dict[str, object], key: bytes
    ):
        """
        A recording, which names no call, is kept where its leg can be looked up.
        """
        await desk.post(event(payload, event_type="call.recording.saved"))

        assert [record.key for record in desk.log.taken] == [key]
        assert from_headers(desk.log.taken[0].headers).subject == ""

    async def test_events_that_nobody_knows_yet_pass(self, desk: Desk):
        """
        Unknown types, unknown fields and odd values are handed on.
        """
        body = event({"call_control_id": "v3:a", "status": 7, "x": None}, event_type="call.teleported", occurred_at=5)

        assert (await desk.post(body, traceparent="nonsense")).status_code == 200
        attributes = from_headers(desk.log.taken[0].headers)
        assert (attributes.type, attributes.time, attributes.traceparent) == ("com.telnyx.call.teleported", "", "")

    async def test_a_repeat_of_what_is_kept_is_answered_at_once(self, desk: Desk):
        """
        Telnyx delivers some events twice; the second one costs no write.
        """
        await desk.post(event())
        answer = await desk.post(event())

        assert (answer.status_code, answer.json()["result"]) == (200, "repeated")
        assert desk.log.appends == 1
        assert desk.counted() == {"accepted": 1, "repeated": 1}

    async def test_a_repeat_of_what_was_not_kept_is_written(self, desk: Desk):
        """
        Only what is durable counts as seen.
        """
        desk.log.failure = AppendUncertain("the disk went away")
        assert (await desk.post(event())).status_code == 503
        desk.log.failure = None

        assert (await desk.post(event())).json()["result"] == "accepted"

    async def test_what_was_forgotten_is_written_again(self, open_desk: Opened):
        """
        The memory is bounded; telling repeats apart for good is the page's work.
        """
        desk = await open_desk(remembered_ids_max=1)
        for name in ("e1", "e2", "e1"):
            await desk.post(event(id=name))

        assert len(desk.log.taken) == 3


class TestAccounts:
    async def test_each_account_has_its_path_and_its_key(self, open_desk: Opened):
        """
        A webhook is of the account whose path it came by and whose key it was signed with, both.
        """
        desk = await open_desk(accounts=("main", "other"), default="main")
        body = event()

        right = await desk.client.post("/webhooks/telnyx/other", content=body, headers=signed(body, OTHER_KEY))
        wrong = await desk.client.post("/webhooks/telnyx/other", content=body, headers=signed(body, KEY))
        plain = await desk.client.post("/webhooks/telnyx", content=body, headers=signed(body, KEY))

        assert [answer.status_code for answer in (right, wrong, plain)] == [200, 401, 200]
        assert [header(record.headers, "cordboard-account") for record in desk.log.taken] == ["other", "main"]

    @pytest.mark.parametrize("path", ["/webhooks/telnyx", "/webhooks/telnyx/nobody", "/webhooks/telnyx/keyless"])
    async def test_an_account_that_is_not_known(self, open_desk: Opened, path: str):
        """
        No default, no such name, no key: 404, and the body is not even looked at.
        """
        desk = await open_desk(accounts=("main", "other", "keyless"))

        assert (await desk.post(event(), path)).status_code == 404
        assert desk.counted() == {"unknown_account": 1}
        assert desk.log.appends == 0


class TestDials:
    def path(self, command_id: str = "c-1", account: str = "main") -> str:
        return dial_url("", account, command_id, SECRET.encode())

    @pytest.mark.parametrize("event_type", ["call.initiated", "call.answered", "call.hangup"])
    @pytest.mark.parametrize("command_id", ["c-1", "a:b~c._-", ".."])
    async def test_what_settles_a_dial_is_written_twice_in_one_go(self, desk: Desk, event_type: str, command_id: str):
        """
        Under its call and under the dial's page, by one append, so that never only one of them is durable.
        """
        body = event(event_type=event_type)
        answer = await desk.post(body, self.path(command_id))

        assert answer.status_code == 200
        home, copy = desk.log.taken
        assert (home.key, copy.key) == (b"v3:a", f"dial:main/{command_id}".encode())
        assert home.value == copy.value == body
        assert copy.headers == (*home.headers, ("cordboard-dial-copy", b"1"))
        assert desk.log.appends == 1

    async def test_other_events_of_a_dialled_call_are_written_once(self, desk: Desk):
        """
        The dial's page needs only what settles it.
        """
        await desk.post(event(event_type="call.speak.ended"), self.path())

        assert [record.key for record in desk.log.taken] == [b"v3:a"]

    async def test_an_event_seen_at_another_address_still_settles_its_dial(self, desk: Desk):
        """
        The failover address may have been quicker; the copy is written all the same.
        """
        await desk.post(event())
        await desk.post(event(), self.path())

        assert [record.key for record in desk.log.taken] == [b"v3:a", b"v3:a", b"dial:main/c-1"]

    async def test_a_seal_opens_one_address_only(self, open_desk: Opened):
        """
        A wrong seal, another command's, another account's, or an account without a secret: 404, nothing written.
        """
        desk = await open_desk(accounts=("main", "other"), default="main")
        good = self.path()
        mac = good.rsplit("/", 1)[1]
        paths = [
            good[:-1] + ("A" if good[-1] != "A" else "B"),
            f"/webhooks/telnyx/main/dials/c-2/{mac}",
            f"/webhooks/telnyx/other/dials/c-1/{mac}",
            "/webhooks/telnyx/main/dials/c-1/%C3%A9",
        ]

        assert [(await desk.post(event(), path)).status_code for path in paths] == [404] * 4
        assert desk.counted() == {"bad_seal": 4}
        assert desk.log.appends == 0

    async def test_a_right_seal_is_no_signature(self, desk: Desk):
        """
        Who knows the address still cannot speak for Telnyx.
        """
        body = event()
        answer = await desk.client.post(self.path(), content=body, headers=signed(body, OTHER_KEY))

        assert answer.status_code == 401
        assert desk.log.appends == 0


class TestSignature:
    @pytest.mark.parametrize("offset", [-300, -299, 0, 299, 300])
    async def test_within_five_minutes_either_way(self, desk: Desk, offset: int):
        """
        Clocks differ and deliveries wait.
        """
        body = event()

        assert (
            await desk.client.post("/webhooks/telnyx", content=body, headers=signed(body, at=NOW + offset))
        ).status_code == 200

    @pytest.mark.parametrize("offset", [-301, 301, -90_000])
    async def test_beyond_them_it_is_stale(self, desk: Desk, offset: int):
        """
        An old delivery cannot be played again, though its signature is right.
        """
        body = event()
        answer = await desk.client.post("/webhooks/telnyx", content=body, headers=signed(body, at=NOW + offset))

        assert answer.status_code == 401
        assert desk.counted() == {"stale": 1}
        assert desk.log.appends == 0

    async def test_whoever_the_vendors_client_refuses_is_refused(self, desk: Desk):
        """
        Headers and bodies tampered with in every part: we say no where the vendor's own check does, and nowhere else.
        """
        desk.clock.seconds = now = int(time.time())  # The vendor's check goes by the machine's clock.
        body = event()
        good = signed(body, at=now)
        raw = base64.b64decode(good["telnyx-signature-ed25519"])
        tampered = [
            (body, good),
            (body + b" ", good),
            (body.replace(b"answered", b"hungup"), good),
            (body, signed(body, OTHER_KEY, now)),
            (body, good | {"telnyx-timestamp": str(now + 1)}),
            (body, good | {"telnyx-timestamp": "soon"}),
            (body, good | {"telnyx-timestamp": "1e9"}),
            (body, good | {"telnyx-signature-ed25519": "!"}),
            (body, good | {"telnyx-signature-ed25519": base64.b64encode(raw[:63]).decode()}),
            (body, good | {"telnyx-signature-ed25519": base64.b64encode(raw + b"x").decode()}),
            (body, good | {"telnyx-signature-ed25519": base64.b64encode(bytes(64)).decode()}),
            (body, {"telnyx-timestamp": good["telnyx-timestamp"]}),
            (body, {"telnyx-signature-ed25519": good["telnyx-signature-ed25519"]}),
            (body, {}),
        ]
        theirs = telnyx.Telnyx(api_key="x").webhooks
        for number, (content, headers) in enumerate(tampered):
            try:
                theirs.unwrap(content.decode(), headers=headers, key=public(KEY))
                allowed = True
            except ValueError:
                allowed = False

            answer = await desk.client.post("/webhooks/telnyx", content=content, headers=headers)

            assert answer.status_code == (200 if allowed else 401), number

        assert desk.log.appends == 1
        assert desk.counted() == {"accepted": 1, "forged": 10, "unsigned": 3}

    async def test_a_forger_learns_nothing(self, desk: Desk):
        """
        A wrong key, a wrong body and a broken signature get the same words.
        """
        body = event()
        headers = [signed(body, OTHER_KEY), signed(body + b"x"), signed(body) | {"telnyx-signature-ed25519": "?"}]

        answers = [await desk.client.post("/webhooks/telnyx", content=body, headers=each) for each in headers]

        assert len({answer.content for answer in answers}) == 1


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
