"""Webhooks that name no call, through owners and the log: byte for byte, once, and across new owners."""

from __future__ import annotations

import json

from cordboard.cloudevents import header
from cordboard.log.port import NewRecord, Record
from cordboard.webhook import ACCOUNT_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, parse
from dispatcher.ingress.records import Delivery, records_of
from tests.dispatcher.harness import TOPICS, HandClock, Stage, connect, make_broker, staged


def webhook(event_id: str, event_type: str, call: str = "") -> NewRecord:
    """The record that the ingress writes."""
    payload = {"call_leg_id": "leg-A", "call_session_id": "S", "recording_urls": {"mp3": "https://x/é.mp3"}}
    if call:
        payload["call_control_id"] = call
    data = {"id": event_id, "event_type": event_type, "occurred_at": "2023-11-14T22:13:20.5Z", "payload": payload}
    body = json.dumps({"data": data}, indent=3).encode()
    delivery = Delivery("main", body, "a-signature", "1700000000")
    (record,) = records_of(parse(body), delivery, TOPICS.webhooks)
    return record


async def handed_on(stage: Stage, event_id: str) -> list[Record]:
    """An event, as services got it."""
    await stage.applied()
    await stage.applied()  # What one page writes on is read after that.
    events = await stage.all_of(TOPICS.events)
    return [one for one in events if header(one.headers, "ce_id") == event_id]


async def test_a_recording_is_handed_on_as_it_came_under_its_call() -> None:
    """
    The body is untouched, Telnyx's signature stands beside it, and subject and key are the call.
    """
    clock = HandClock()
    saved = webhook("saved", "call.recording.saved")
    async with staged(connect(make_broker(clock)), clock) as stage:
        await stage.log.append([webhook("answered", "call.answered", call="A")])
        await stage.applied()
        await stage.log.append([saved, saved])
        (event,) = await handed_on(stage, "saved")

    assert (event.key, event.value) == (b"A", saved.value)
    assert header(event.headers, "ce_subject") == "A"
    assert [header(event.headers, name) for name in (SIGNATURE_HEADER, TIMESTAMP_HEADER)] == [
        "a-signature",
        "1700000000",
    ]
    assert header(event.headers, "ce_type") == "com.telnyx.call.recording.saved"


async def test_what_waits_for_its_call_survives_its_owner() -> None:
    """
    A new owner has the body and the headers, and passes them on when the call is known.
    """
    clock = HandClock()
    broker, saved = make_broker(clock), webhook("saved", "call.recording.saved")
    async with staged(connect(broker), clock) as stage:
        await stage.log.append([saved])
        assert await handed_on(stage, "saved") == []
    async with staged(connect(broker), clock) as stage:
        await stage.log.append([webhook("answered", "call.answered", call="A"), saved])
        await stage.applied()
        (event,) = await handed_on(stage, "saved")

    assert (event.key, event.value) == (b"A", saved.value)
    assert header(event.headers, SIGNATURE_HEADER) == "a-signature"


async def test_what_waited_for_a_minute_is_handed_on_untied_once() -> None:
    """
    As it came, by a new owner's timer; the call, and the same webhook again, come too late.
    """
    clock = HandClock()
    broker, saved = make_broker(clock), webhook("saved", "call.recording.saved")
    async with staged(connect(broker), clock) as stage:
        await stage.log.append([saved])
        await stage.applied()
    clock.time_ms += 61_000
    async with staged(connect(broker), clock) as stage:
        await stage.until(lambda: any(getattr(one, "outputs", 0) for one in stage.seen))
        await stage.log.append([webhook("answered", "call.answered", call="A"), saved])
        await stage.applied()
        (event,) = await handed_on(stage, "saved")

    assert (event.key, event.value) == (b"leg:leg-A", saved.value)
    assert header(event.headers, "ce_subject") == ""
    assert header(event.headers, SIGNATURE_HEADER) == "a-signature"
    assert header(event.headers, ACCOUNT_HEADER) == ""  # Ours alone.
