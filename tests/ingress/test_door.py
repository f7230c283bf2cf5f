"""The public port over real HTTP: what is kept, and how it is written."""

from __future__ import annotations

import asyncio
import time

import pytest
import telnyx

from cordboard.cloudevents import from_headers, header
from cordboard.log.port import AppendUncertain
from cordboard.webhook import dial_url
from tests.ingress.desk import KEY, OTHER_KEY, SECRET, TOPIC, Desk, Opened, event, public, signed


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
