"""Webhooks as a receiver gets them: signed, in order, tried again, and struck by faults."""

import base64
import datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from telnyx import Telnyx

from sandbox.settings import Settings
from sandbox.signing import Signer
from sandbox.station import Station

RINGS = "+13125559905"


async def key(desk) -> str:
    _, answer = await desk.ask("GET", "/sandbox/public-key")
    return str(answer["public_key"])


class TestSignature:
    async def test_the_vendors_client_accepts_it(self, desk, inbox):
        """
        client.webhooks.unwrap verifies signature and age with the public key shown.
        """
        await desk.dial(RINGS, client_state="YQ==")
        await inbox.until(1)
        headers, body = inbox.received[0]
        client = Telnyx(api_key="k", public_key=await key(desk))

        event = client.webhooks.unwrap(body.decode(), headers=headers)

        assert event.data.event_type == "call.initiated"
        assert event.data.payload.client_state == "YQ=="

    async def test_it_covers_timestamp_and_raw_body(self, desk, inbox):
        """
        Ed25519 over `timestamp|body`; one byte more does not verify.
        """
        await desk.dial(RINGS)
        await inbox.until(1)
        headers, body = inbox.received[0]
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(await key(desk)))
        lower = {name.lower(): value for name, value in headers.items()}
        signature = base64.b64decode(lower["telnyx-signature-ed25519"])

        public.verify(signature, lower["telnyx-timestamp"].encode() + b"|" + body)
        with pytest.raises(InvalidSignature):
            public.verify(signature, lower["telnyx-timestamp"].encode() + b"|" + body + b" ")
        assert lower["user-agent"] == "telnyx-webhooks"

    async def test_a_forged_one_does_not_verify(self, desk, inbox):
        """
        bad_signature signs with somebody else's key.
        """
        await desk.faults({"on": "webhook", "bad_signature": True})
        await desk.dial(RINGS)
        await inbox.until(1)
        headers, body = inbox.received[0]

        with pytest.raises(ValueError, match=r"[Ss]ignature"):
            Telnyx(api_key="k", public_key=await key(desk)).webhooks.unwrap(body.decode(), headers=headers)

    async def test_the_key_repeats_with_the_seed(self):
        """
        As everything does; without a seed each sandbox has its own, and a given one is used.
        """
        seeds = [Settings(seed=1), Settings(seed=1), Settings(), Settings()]
        given = Settings(signing_key=base64.b64encode(b"k" * 32).decode())
        one, same, own, other = [Station(settings).signer.public_key for settings in seeds]

        assert one == same
        assert len({one, own, other}) == 3
        assert Station(given).signer.public_key == Signer(b"k" * 32).public_key

    def test_the_key_can_be_given(self):
        """
        The same 32 bytes make the same pair.
        """
        assert Signer(b"k" * 32).public_key == Signer(b"k" * 32).public_key
        with pytest.raises(ValueError, match="32"):
            Signer(b"short")


class TestDelivery:
    async def test_the_envelope_is_telnyxs(self, desk, inbox):
        """
        record_type, event_type, id, occurred_at, payload; and which attempt, to where.
        """
        call = await desk.dial(RINGS)
        await inbox.until(1)
        event = inbox.events()[0]

        assert set(event["data"]) == {"record_type", "event_type", "id", "occurred_at", "payload"}
        assert event["data"]["record_type"] == "event"
        assert event["data"]["payload"]["call_control_id"] == call
        assert event["meta"] == {"attempt": 1, "delivered_to": inbox.url}
        occurred = datetime.datetime.fromisoformat(event["data"]["occurred_at"])
        sent = int({name.lower(): value for name, value in inbox.received[0][0].items()}["telnyx-timestamp"])
        assert abs(occurred.timestamp() - sent) < 60

    async def test_a_calls_webhooks_come_in_order(self, desk, inbox):
        """
        Without faults, in the order of what happened.
        """
        call = await desk.answered()
        await desk.do(call, "speak", payload="hello", voice="female")
        await desk.do(call, "hangup")

        assert await inbox.until(5) == [
            "call.initiated",
            "call.answered",
            "call.speak.started",
            "call.speak.ended",
            "call.hangup",
        ]

    async def test_what_is_refused_is_tried_again(self, desk, inbox):
        """
        The same event id, the next attempt; every attempt is on record.
        """
        inbox.answers = [500, 404]
        call = await desk.dial(RINGS)
        await inbox.until(3)
        await desk.server.station.webhooks.drained()

        events = inbox.events()
        assert len({event["data"]["id"] for event in events}) == 1
        assert [event["meta"]["attempt"] for event in events] == [1, 2, 3]
        _, answer = await desk.ask("GET", "/sandbox/webhooks", params={"call": call})
        assert [(entry["attempt"], entry["status"]) for entry in answer["webhooks"]] == [(1, 500), (2, 404), (3, 200)]

    async def test_it_gives_up(self, desk, inbox):
        """
        After webhook_attempts_max attempts; a receiver that is away counts as one that refuses.
        """
        await desk.dial(RINGS, webhook_url="http://127.0.0.1:1/nobody")
        await desk.server.station.webhooks.drained()

        _, answer = await desk.ask("GET", "/sandbox/webhooks")
        assert [entry["attempt"] for entry in answer["webhooks"]] == [1, 2, 3, 4]
        assert all(entry["status"] is None and entry["error"] for entry in answer["webhooks"])

    async def test_only_200_is_a_success(self, desk, inbox):
        """
        Telnyx's callbacks ask for a 200; any other answer is no receipt.
        """
        inbox.answers = [204, 302]
        await desk.dial(RINGS)
        await inbox.until(3)
        await desk.server.station.webhooks.drained()

        assert [event["meta"]["attempt"] for event in inbox.events()] == [1, 2, 3]

    async def test_the_failover_address_is_tried_next(self, desk, inbox):
        """
        When the first one does not answer, or not with success; the attempts go on counting.
        """
        second = inbox.url + "?second"
        await desk.ask("PUT", "/sandbox/settings", {"webhook_failover_url": second})
        inbox.answers = [500, 500, 500, 200]
        await desk.dial(RINGS)
        await desk.server.station.webhooks.drained()

        tried = [(event["meta"]["attempt"], event["meta"]["delivered_to"]) for event in inbox.events()]
        assert tried == [(1, inbox.url), (2, second), (3, inbox.url), (4, second)]

    async def test_each_kind_of_event_may_have_its_own_address_and_retries(self, desk, inbox):
        """
        webhook_urls and webhook_retries_policies of 2026; a kind that they do not name goes where all go.
        """
        own = inbox.url + "?own"
        inbox.answers = [500, 500, 500]
        call = await desk.dial(
            RINGS,
            webhook_urls={"call.initiated": own},
            webhook_retries_policies={"call.initiated": {"retries_ms": [0, 1]}},
        )
        await desk.server.station.webhooks.drained()
        await desk.ask("POST", f"/sandbox/calls/{call}/answer")
        await inbox.until(4)

        to = [(event["data"]["event_type"], event["meta"]["delivered_to"]) for event in inbox.events()]
        assert to == [("call.initiated", own)] * 3 + [("call.answered", inbox.url)]

    async def test_a_kind_of_event_may_have_several_addresses(self, desk, inbox):
        """
        One event, under one id, to each of them.
        """
        urls = [inbox.url + "?one", inbox.url + "?two"]
        await desk.dial(RINGS, webhook_urls={"call.initiated": urls})
        await inbox.until(2)

        assert {event["meta"]["delivered_to"] for event in inbox.events()} == set(urls)
        assert len({event["data"]["id"] for event in inbox.events()}) == 1

    async def test_the_calls_own_address_comes_first(self, desk, inbox):
        """
        From dial; answer can change it for an incoming call.
        """
        own = inbox.url + "?own"
        await desk.dial(RINGS, webhook_url=own)
        _, call = await desk.ask("POST", "/sandbox/calls", {"from": "+13125550200", "to": "+13125550100"})
        await desk.do(call["call_control_id"], "answer", webhook_url=own)
        await inbox.until(3)

        to = {(event["data"]["event_type"], event["meta"]["delivered_to"]) for event in inbox.events()}
        assert to == {("call.initiated", own), ("call.initiated", inbox.url), ("call.answered", own)}

    async def test_quiet_says_nothing(self, desk, inbox):
        """
        No webhooks at all, for benchmarks.
        """
        await desk.ask("PUT", "/sandbox/settings", {"quiet": True})
        await desk.answered()
        await desk.server.station.webhooks.drained()

        assert inbox.received == []


class TestFaults:
    async def test_twice(self, desk, inbox):
        """
        The same event id arrives once more.
        """
        await desk.faults({"on": "webhook", "duplicate": 1, "match": {"event_type": "call.initiated"}})
        await desk.dial(RINGS)
        await inbox.until(2)

        assert len({event["data"]["id"] for event in inbox.events()}) == 1

    async def test_never(self, desk, inbox):
        """
        What is dropped is on record, and nobody hears of it.
        """
        await desk.faults({"on": "webhook", "drop": True, "match": {"event_type": "call.init*"}})
        await desk.answered()

        assert await inbox.until(1) == ["call.answered"]
        _, answer = await desk.ask("GET", "/sandbox/webhooks", params={"event_type": "call.initiated"})
        assert [entry["fault"] for entry in answer["webhooks"]] == ["dropped"]

    async def test_late_and_out_of_order(self, desk, inbox):
        """
        A delayed one is passed by those after it, and arrives in the end.
        """
        await desk.faults({"on": "webhook", "delay_ms": 600_000, "match": {"event_type": "call.initiated"}})
        await desk.answered()
        assert await inbox.until(1) == ["call.answered"]

        await desk.faults({"on": "webhook", "delay_ms": 1, "match": {"event_type": "call.initiated"}})
        await desk.dial(RINGS)
        assert await inbox.until(2) == ["call.answered", "call.initiated"]

    async def test_shuffled(self, desk, inbox):
        """
        Random delays lose nothing.
        """
        await desk.faults({"on": "webhook", "shuffle_ms": 50})
        call = await desk.answered()
        await desk.do(call, "hangup")

        assert sorted(await inbox.until(3)) == ["call.answered", "call.hangup", "call.initiated"]
