"""The payloads of all events, compared with the documented ones."""

import json
from pathlib import Path
from typing import Any

import pytest

DOCUMENTED = Path(__file__).parents[3] / "shared" / "telnyx" / "webhooks.json"

# What each event carries besides the ids and the client_state, as documented in 2023; `parties`: also from and to.
PARTIES = frozenset({"from", "to"})
MEDIA = frozenset({"media_url", "media_name", "overlay"})
FIELDS: dict[str, frozenset[str]] = {
    "call.answered": PARTIES | {"custom_headers", "state"},
    "call.bridged": PARTIES | {"state"},
    "call.dtmf.received": PARTIES | {"digit"},
    "call.fork.started": frozenset({"stream_type"}),
    "call.fork.stopped": frozenset({"stream_type"}),
    "call.gather.ended": PARTIES | {"digits", "status"},
    "call.hangup": PARTIES | {"start_time", "state", "hangup_cause", "hangup_source", "sip_hangup_cause"},
    "call.initiated": PARTIES | {"custom_headers", "direction", "state"},
    "call.machine.detection.ended": PARTIES | {"result"},
    "call.machine.greeting.ended": PARTIES | {"result"},
    "call.machine.premium.detection.ended": PARTIES | {"result"},
    "call.machine.premium.greeting.ended": PARTIES | {"result"},
    "call.playback.ended": MEDIA | {"status"},
    "call.playback.started": MEDIA,
    "call.recording.saved": frozenset(
        {"recording_started_at", "recording_ended_at", "channels", "recording_urls", "public_recording_urls"}
    ),
    "call.recording.error": frozenset({"reason"}),
    "call.refer.completed": PARTIES | {"sip_notify_response"},
    "call.refer.failed": PARTIES | {"sip_notify_response"},
    "call.refer.started": PARTIES | {"sip_notify_response"},
    "call.speak.ended": frozenset({"status"}),
    "call.speak.started": frozenset(),
    "call.transcription": frozenset({"transcription_data"}),
    "streaming.failed": frozenset({"failure_reason", "stream_id", "stream_params", "stream_type"}),
    "streaming.started": frozenset({"stream_url"}),
    "streaming.stopped": frozenset({"stream_url"}),
    "call.dequeued": frozenset({"queue", "queue_position", "reason"}),
    "call.enqueued": frozenset({"queue", "current_position"}),
}
IDS = frozenset({"call_control_id", "connection_id", "call_leg_id", "call_session_id", "client_state"})
NEWER = frozenset({"start_time"})  # In 2026, with call.initiated and call.answered.


def documented(event_type: str) -> frozenset[str]:
    """All that a payload carries; a saved recording does not name its call."""
    return (IDS - {"call_control_id"} if event_type == "call.recording.saved" else IDS) | FIELDS[event_type]


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
    unsaved = story.answered("+13125559910")
    do(unsaved, "record_start", format="mp3", channels="dual")
    do(unsaved, "hangup")
    after(5)
    return told


def test_every_documented_event_happens_with_its_documented_fields(story):
    """
    Each event carries the documented fields and no others, but for the start_time of 2026.
    """
    told = everything(story)

    assert set(told) == set(FIELDS)
    for event_type, payloads in told.items():
        for payload in payloads:
            assert set(payload) - NEWER == documented(event_type) - NEWER, event_type


@pytest.mark.skipif(not DOCUMENTED.exists(), reason="the documents are not beside this checkout")
def test_the_table_here_is_that_of_the_documents():
    """
    Typed by hand, and compared where the documents are at hand.
    """
    by_type = json.loads(DOCUMENTED.read_text())["events"]

    assert {event_type: set(event["payload"]) for event_type, event in by_type.items()} == {
        event_type: set(documented(event_type)) for event_type in FIELDS
    }
