"""What a body says, the key of its record, and the sealed addresses of dials."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cordboard.webhook import (
    FormatOneWebhook,
    MalformedWebhook,
    check_mac,
    command_id_of,
    dial_url,
    parse,
)

SECRET = b"a-long-secret-for-dials"
WEBHOOKS = Path(__file__).parents[3] / "shared" / "telnyx" / "webhooks.json"


def body(payload: object, **data: object) -> bytes:
    event = {"record_type": "event", "event_type": "call.answered", "id": "e1", "payload": payload}
    return json.dumps({"data": event | data, "meta": {"attempt": 1}}).encode()


class TestParse:
    def test_the_envelope_and_the_fields_that_are_known(self):
        """
        Text fields are read by name; everything is in the payload as it came.
        """
        payload = {"call_control_id": "v3:a", "from": "+1", "to": "+2", "state": "answered", "start_time": None}

        webhook = parse(body(payload, occurred_at="2018-02-02T22:25:27.521992Z"))

        assert (webhook.id, webhook.event_type) == ("e1", "call.answered")
        assert (webhook.occurred_at, webhook.occurred_ms) == ("2018-02-02T22:25:27.521992Z", 1_517_610_327_521)
        assert (webhook.call_control_id, webhook.from_number, webhook.to_number) == ("v3:a", "+1", "+2")
        assert webhook.payload == payload

    def test_null_absent_and_other_types_are_no_text(self):
        """
        Payloads are open: whatever a known field holds instead of text, the webhook is read.
        """
        webhook = parse(body({"client_state": None, "status": 5, "to": ["+1"], "reason": {}}, occurred_at="soon"))

        assert (webhook.client_state, webhook.status, webhook.to_number, webhook.reason) == ("", "", "", "")
        assert webhook.occurred_ms == 0

    @pytest.mark.parametrize(
        ("payload", "key"),
        [
            ({"call_control_id": "v3:a", "call_leg_id": "l", "call_session_id": "s"}, "v3:a"),
            ({"call_leg_id": "l", "call_session_id": "s"}, "leg:l"),
            ({"call_control_id": None, "call_leg_id": "", "call_session_id": "s"}, "session:s"),
            ({}, "event:e1"),
        ],
    )
    def test_the_key_is_the_call_or_the_nearest_thing_to_it(self, payload: dict[str, Any], key: str):
        """
        A recording names no call; it goes where its leg is known.
        """
        assert parse(body(payload)).key == key

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (b"", "not a JSON object"),
            (b"\xff\xfe", "not a JSON object"),
            (b"[1]", "not a JSON object"),
            (b'{"data": {"id"', "not a JSON object"),
            (b"[" * 100_000, "not a JSON object"),
            (b'{"a":' * 100_000, "not a JSON object"),
            (b'{"data": "\\ud800"}', "not a JSON object"),
            (b'{"a": ' + b"9" * 10_000 + b"}", "not a JSON object"),
            (b"{}", "data is missing"),
            (b'{"data": []}', "data is missing or no object"),
            (b'{"data": {"id": "e", "event_type": "x"}}', "payload is missing"),
            (body({}, id=None), "data.id is missing"),
            (body({}, id=""), "data.id is missing"),
            (body({}, id=7), "data.id is missing or no text"),
            (body({}, event_type=None), "data.event_type is missing"),
            (body([]), "payload is missing or no object"),
            (body({"call_control_id": "v" * 2000}), "call_control_id has more than 1024"),
        ],
    )
    def test_what_is_no_webhook(self, raw: bytes, why: str):
        """
        Each is refused with its reason, and none with a crash.
        """
        with pytest.raises(MalformedWebhook, match=why):
            parse(raw)

    def test_the_form_of_api_v1_is_told_apart(self):
        """
        The old flat form has its own error, because there is advice to give.
        """
        with pytest.raises(FormatOneWebhook):
            parse(b'{"record_type": "event", "event_type": "call_initiated", "id": "e", "payload": {}}')

    @pytest.mark.skipif(not WEBHOOKS.exists(), reason="the list of documented events is not here")
    def test_every_documented_event(self):
        """
        An event with every documented field, and one with every field null, is read for all types.
        """
        for event_type, event in json.loads(WEBHOOKS.read_text())["events"].items():
            names = {**event["payload"], **event["added_2026"]}
            assert parse(body(dict.fromkeys(names), event_type=event_type)).event_type == event_type
            webhook = parse(body(dict.fromkeys(names, "x"), event_type=event_type))
            assert webhook.key == ("x" if "call_control_id" in names else "leg:x")


class TestDialUrl:
    def test_the_seal_is_for_one_dial_of_one_account(self):
        """
        An address opens for its own command, and for no other, no other account and no other secret.
        """
        *_, mac = dial_url("https://x.example", "main", "c-1", SECRET).split("/")

        assert len(mac) == 24
        assert check_mac("main", "c-1", mac, SECRET)
        assert not check_mac("main", "c-2", mac, SECRET)
        assert not check_mac("other", "c-1", mac, SECRET)
        assert not check_mac("main", "c-1", mac, SECRET + b"!")
        assert not check_mac("main", "c-1", mac[:-1], SECRET)
        assert not check_mac("main", "c-1", "é" * 24, SECRET)
        assert not check_mac("main", "c-1", "", SECRET)

    @pytest.mark.parametrize("command_id", ["c-1", "a:b~c._-", ".", "..", "..."])
    def test_the_command_id_comes_back_from_its_segment(self, command_id: str):
        """
        Also where a client would take the id for a direction.
        """
        *front, segment, mac = dial_url("https://x.example/p", "main", command_id, SECRET).split("/")

        assert "/".join(front) == "https://x.example/p/webhooks/telnyx/main/dials"
        assert segment not in {".", ".."}
        assert command_id_of(segment) == command_id
        assert check_mac("main", command_id_of(segment), mac, SECRET)
