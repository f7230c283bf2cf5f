"""For each command a scene in which the sandbox completes it, and those in which it fails: what was there before, the
command, and what the other end does meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.promises.stage import ANOTHER, ANSWERS_AT_ONCE, OWN_NUMBER, Stage

SOUND: Final = "https://sounds.example/tone-400ms.mp3"
LONG: Final = "https://sounds.example/music-600s.mp3"
MISSING: Final = "https://sounds.example/missing.mp3"
STREAM: Final = "wss://streams.example/one"
BUSY: Final = "+15550109901"
MACHINE: Final = "+15550109906"
UNSAVED: Final = "+15550109910"
CALL: Final = {"from_number": OWN_NUMBER, "connection_id": "c"}
SPEECH: Final = {"payload": "hello", "voice": "female"}
WORDY: Final = {"payload": "hello " * 400, "voice": "female"}
PATIENT: Final = {"timeout_millis": 600_000, "initial_timeout_millis": 600_000}
RECORDING: Final = {"format": "mp3", "channels": "dual"}

Fields = dict[str, Any]
Deed = Callable[[Stage, str], None]


@dataclass(frozen=True, slots=True)
class Scene:
    """`before` are commands that are waited for, by name; `status` is what the completing event says."""

    action: str
    fields: Fields
    before: tuple[tuple[str, Fields], ...] = ()
    meanwhile: Deed | None = None
    answered: bool = True
    caller: str = ANOTHER
    state: str = "COMPLETED"
    reason: str = "UNSPECIFIED"
    status: str = ""
    variant: str = ""
    with_another: bool = False  # The call of somebody else is named in the field that a bridge has for it.

    def __str__(self) -> str:
        return f"{self.action}: {self.variant}" if self.variant else self.action

    @property
    def told(self) -> tuple[str, str, str]:
        """How the completion is to be told."""
        return self.state, self.reason, self.status


def presses(digits: str) -> Deed:
    """The other end presses keys."""
    return lambda stage, call: stage.sandbox.station.tell(
        lambda exchange: exchange.far_digits(exchange.find(call), digits)
    )


def hangs_up(stage: Stage, call: str) -> None:
    """The other end hangs up."""
    stage.far_end(call)


SCENES: Final = (
    Scene("answer", {}, answered=False),
    Scene("bridge", {}, with_another=True),
    Scene("client_state_update", {}),
    Scene("dial", {"to": ANSWERS_AT_ONCE, **CALL}),
    Scene("enqueue", {"queue_name": "support"}),
    Scene("fork_start", {"target": "udp:192.0.2.1:9000"}),
    Scene("fork_stop", {}, before=(("fork_start", {"target": "udp:192.0.2.1:9000"}),)),
    Scene("gather", {"maximum_digits": 2, **PATIENT}, meanwhile=presses("12"), status="valid"),
    Scene("gather_stop", {}, before=(("gather", PATIENT),), status="cancelled"),
    Scene(
        "gather_using_audio",
        {"audio_url": LONG, "maximum_digits": 1, "timeout_millis": 600_000},
        meanwhile=presses("1"),
        status="valid",
    ),
    Scene(
        "gather_using_speak",
        {**SPEECH, "maximum_digits": 1, "timeout_millis": 600_000},
        meanwhile=presses("1"),
        status="valid",
    ),
    Scene("hangup", {}),
    Scene("leave_queue", {}, before=(("enqueue", {"queue_name": "support"}),)),
    Scene("playback_start", {"audio_url": SOUND}, status="completed"),
    Scene("playback_stop", {}, before=(("playback_start", {"audio_url": LONG}),), status="cancelled"),
    Scene("record_pause", {}, before=(("record_start", RECORDING),)),
    Scene("record_resume", {}, before=(("record_start", RECORDING), ("record_pause", {}))),
    Scene("record_start", RECORDING),
    Scene("record_stop", {}, before=(("record_start", RECORDING),)),
    Scene("refer", {"sip_address": "sip:15550109908@example.com"}),
    Scene("reject", {"cause": "USER_BUSY"}, answered=False),
    Scene("send_dtmf", {"digits": "1"}),
    Scene("speak", SPEECH, status="completed"),
    Scene("streaming_start", {"stream_url": STREAM}),
    Scene("streaming_stop", {}, before=(("streaming_start", {"stream_url": STREAM}),)),
    Scene("transcription_start", {}),
    Scene("transcription_stop", {}, before=(("transcription_start", {}),)),
    Scene("transfer", {"to": ANSWERS_AT_ONCE}),
)

FAILING: Final = (
    Scene("refer", {"sip_address": "sip:15550109901@example.com"}, state="FAILED", variant="declined"),
    Scene(
        "playback_start", {"audio_url": MISSING}, state="FAILED", status="file_not_found", variant="the file is missing"
    ),
    Scene("streaming_start", {"stream_url": "wss://refused.example"}, state="FAILED", variant="refused"),
    Scene("dial", {"to": BUSY, **CALL}, state="FAILED", variant="busy"),
    Scene("dial", {"to_list": [BUSY, BUSY], **CALL}, state="FAILED", variant="all are busy"),
    Scene("transfer", {"to": BUSY}, state="FAILED", variant="the new leg is busy"),
    Scene("record_stop", {}, (("record_start", RECORDING),), caller=UNSAVED, state="FAILED", variant="not saved"),
    Scene("gather", {"timeout_millis": 5_000}, status="timeout", variant="nobody presses anything"),
    Scene(
        "gather",
        {"maximum_digits": 4, "minimum_digits": 4, "valid_digits": "1", **PATIENT},
        meanwhile=presses("9"),
        status="invalid",
        variant="the wrong key",
    ),
    Scene(
        "speak",
        WORDY,
        meanwhile=hangs_up,
        state="INCOMPLETE",
        reason="CALL_ENDED",
        status="call_hangup",
        variant="cut off by the end of the call",
    ),
    Scene("dial", {"to_list": [BUSY, ANSWERS_AT_ONCE], **CALL}, variant="one of two answers"),
    Scene("dial", {"to": MACHINE, "answering_machine_detection": "detect", **CALL}, variant="a machine answers"),
    Scene("playback_start", {"audio_url": LONG, "loop_text": "infinity"}, variant="endless"),
    Scene("answer", {"stream_url": STREAM}, answered=False, variant="with a stream"),
)
