"""The webhooks that Telnyx's document of the twenty-eight commands expects, command by command, as it lists them."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.core.bodies import SCHEMAS

SPOKEN = {"payload": "hello", "voice": "female"}
RECORD = {"format": "wav", "channels": "single"}
AMD = "answering_machine_detection"
MACHINE = "+13125559906"  # It answers with a greeting and a beep.
BUSY = "+13125559901"
Begin = Callable[[Any], Any]


def answered(story: Any) -> Any:
    return story.answered()


def with_(action: str, **body: Any) -> Begin:
    """An answered call on which a command was given before."""

    def begin(story: Any) -> Any:
        call = story.answered()
        story.do(call, action, **body)
        return call

    return begin


def bridged(story: Any) -> Any:
    """Another leg waits in the queue that the bridge names."""
    story.do(story.answered(), "enqueue", queue_name="q")
    return story.answered()


def incoming(story: Any) -> Any:
    return story.incoming()


# The call at the beginning, the command, its body, the digits that the other end presses, and what is expected.
EXPECTED: list[tuple[Begin | None, str, dict[str, Any], str, list[str]]] = [
    (incoming, "answer", {}, "", ["call.answered"]),
    (incoming, "answer", {"stream_url": "wss://x"}, "", ["call.answered", "streaming.started"]),
    (incoming, "answer", {"stream_url": "wss://refused"}, "", ["call.answered", "streaming.failed"]),
    (bridged, "bridge", {"queue": "q"}, "", ["call.dequeued", "call.bridged", "call.bridged"]),
    (None, "dial", {"to": "+13125550200"}, "", ["call.initiated", "call.answered"]),
    (None, "dial", {"to": BUSY}, "", ["call.initiated", "call.hangup"]),
    (None, "dial", {"to": MACHINE}, "", ["call.initiated", "call.answered"]),
    (
        None,
        "dial",
        {"to": MACHINE, AMD: "greeting_end"},
        "",
        ["call.initiated", "call.answered", "call.machine.detection.ended", "call.machine.greeting.ended"],
    ),
    (
        None,
        "dial",
        {"to": MACHINE, AMD: "premium"},
        "",
        [
            "call.initiated",
            "call.answered",
            "call.machine.premium.detection.ended",
            "call.machine.premium.greeting.ended",
        ],
    ),
    (
        None,
        "dial",
        {"to": "+13125550200", "stream_url": "wss://x"},
        "",
        ["call.initiated", "call.answered", "streaming.started"],
    ),
    (answered, "enqueue", {"queue_name": "q"}, "", ["call.enqueued"]),
    (answered, "fork_start", {"target": "udp:192.0.2.1:9000"}, "", ["call.fork.started"]),
    (with_("fork_start", target="udp:192.0.2.1:9000"), "fork_stop", {}, "", ["call.fork.stopped"]),
    (answered, "gather", {}, "1#", ["call.dtmf.received", "call.dtmf.received", "call.gather.ended"]),
    (with_("gather"), "gather_stop", {}, "", ["call.gather.ended"]),
    (
        answered,
        "gather_using_audio",
        {"media_name": "ask-1s"},
        "1#",
        [
            "call.playback.started",
            "call.dtmf.received",
            "call.playback.ended",
            "call.dtmf.received",
            "call.gather.ended",
        ],
    ),
    (answered, "gather_using_speak", SPOKEN, "12#", [*["call.dtmf.received"] * 3, "call.gather.ended"]),
    (answered, "hangup", {}, "", ["call.hangup"]),
    (with_("record_start", **RECORD), "hangup", {}, "", ["call.hangup", "call.recording.saved"]),
    (answered, "playback_start", {"media_name": "a-1s"}, "", ["call.playback.started", "call.playback.ended"]),
    (with_("playback_start", media_name="a-60s"), "playback_stop", {}, "", ["call.playback.ended"]),
    (with_("speak", **SPOKEN), "playback_stop", {}, "", ["call.speak.ended"]),
    (with_("record_start", **RECORD), "record_pause", {}, "", []),
    (with_("record_start", **RECORD), "record_resume", {}, "", []),
    (answered, "record_start", {"max_length": 1, **RECORD}, "", ["call.recording.saved"]),
    (with_("record_start", **RECORD), "record_stop", {}, "", ["call.recording.saved"]),
    (answered, "refer", {"sip_address": "sip:a@example.com"}, "", ["call.refer.started", "call.refer.completed"]),
    (answered, "refer", {"sip_address": "sip:9903@example.com"}, "", ["call.refer.started", "call.refer.failed"]),
    (incoming, "reject", {"cause": "USER_BUSY"}, "", ["call.hangup"]),
    (answered, "send_dtmf", {"digits": "1w2"}, "", []),
    (answered, "speak", SPOKEN, "", ["call.speak.started", "call.speak.ended"]),
    (answered, "streaming_start", {"stream_url": "wss://x"}, "", ["streaming.started"]),
    (answered, "streaming_start", {"enable_dialogflow": True}, "", ["streaming.started"]),
    (answered, "streaming_start", {"stream_url": "wss://refused"}, "", ["streaming.failed"]),
    (with_("streaming_start", stream_url="wss://x"), "streaming_stop", {}, "", ["streaming.stopped"]),
    (answered, "transcription_start", {}, "", ["call.transcription"]),
    (with_("transcription_start"), "transcription_stop", {}, "", []),
    (
        answered,
        "transfer",
        {"to": "+13125550300"},
        "",
        ["call.initiated", "call.answered", "call.bridged", "call.bridged"],
    ),
    (answered, "transfer", {"to": BUSY}, "", ["call.initiated", "call.hangup"]),
    (
        answered,
        "transfer",
        {"to": MACHINE, AMD: "premium"},
        "",
        [
            "call.initiated",
            "call.answered",
            "call.bridged",
            "call.bridged",
            "call.machine.premium.detection.ended",
            "call.machine.premium.greeting.ended",
        ],
    ),
    (answered, "client_state_update", {"client_state": "YQ=="}, "", []),
    (with_("enqueue", queue_name="q"), "leave_queue", {}, "", ["call.dequeued"]),
]


@pytest.mark.parametrize(("begin", "action", "body", "digits", "expected"), EXPECTED)
def test_a_command_makes_what_its_document_expects_and_nothing_else(story, begin, action, body, digits, expected):
    """
    Within ten seconds, in this order.
    """
    if begin is None:
        story.exchange.dial({"from": "+13125550100", "connection_id": "1", **body})
        told = story.told()
    else:
        call = begin(story)
        told = story.do(call, action, **body)
        if digits:
            story.exchange.far_digits(call, digits)
    told += story.after(10)

    assert [word.split()[0] for word in told] == expected


def test_no_command_is_forgotten():
    """
    The table speaks of all twenty-eight.
    """
    assert {action for _, action, *_ in EXPECTED} == set(SCHEMAS)
