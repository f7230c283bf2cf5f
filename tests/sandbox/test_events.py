"""The payloads of all events, compared with the documented ones."""

import json
from pathlib import Path
from typing import Any

import pytest

DOCUMENTED = Path(__file__).parents[3] / "shared" / "telnyx" / "webhooks.json"


def everything(story: Any) -> dict[str, list[dict[str, Any]]]:
    """One story in which every kind of event happens; the payloads by type."""
    told: dict[str, list[dict[str, Any]]] = {}

    def keep(events: Any) -> None:
        for event in events:
            told.setdefault(event.event_type, []).append(event.payload)

    def do(call: Any, action: str, **body: Any) -> None:
        story.do(call, action, **body)
        keep(story.events)

    def after(seconds: float) -> None:
        story.after(seconds)
        keep(story.events)

    for wanted in ("premium", "detect_beep"):
        story.exchange.dial(
            {"to": "+13125559906", "from": "+1", "connection_id": "1", "answering_machine_detection": wanted}
        )
        after(9)
    story.incoming()
    keep(story.events)
    a, b = story.answered(), story.answered()
    do(a, "speak", payload="hello", voice="female")
    do(a, "playback_start", media_name="a-1s")
    do(a, "gather")
    do(a, "record_start", format="mp3", channels="dual")
    do(a, "streaming_start", stream_url="wss://refused")
    do(a, "streaming_start", stream_url="wss://x")
    do(a, "fork_start", target="udp:1.2.3.4:5")
    do(a, "transcription_start")
    do(a, "refer", sip_address="sip:a@example.com")
    do(a, "refer", sip_address="sip:9901@example.com")
    do(a, "enqueue", queue_name="q")
    after(5)
    story.exchange.far_digits(a, "1#")
    keep(story.exchange.take_events())
    do(b, "bridge", queue="q")
    do(a, "hangup")
    after(5)
    return told


@pytest.mark.skipif(not DOCUMENTED.exists(), reason="the documents are not beside this checkout")
def test_every_documented_event_happens_with_its_documented_fields(story):
    """
    Each event carries the documented fields and only those, plus start_time, custom headers and the like of 2026.
    """
    newer = {"start_time", "custom_headers", "state"}
    told = everything(story)
    by_type = json.loads(DOCUMENTED.read_text())["events"]

    assert set(told) >= set(by_type) - {"call.recording.error"}
    for event_type, payloads in told.items():
        document = by_type[event_type]
        documented = set(document["payload"])
        for payload in payloads:
            assert set(payload) - newer == documented - newer, event_type
