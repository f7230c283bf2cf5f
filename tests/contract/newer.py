"""The fields that Telnyx has added to the 28 commands since 2023: a value of each beside its JSON, and a wrong one.

By hand from Telnyx's documents and its own client, as `samples` is. A field without a wrong value takes all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from cordboard import v1
from tests.contract.samples import HEADERS, HEADERS_JSON, MINIMAL, OTHER_CALL, SAMPLES, STATE, UUID, Sample

NOTHING: Final = object()


@dataclass(frozen=True)
class Newer:
    """A field: what may be set and how it is sent, what may not be set, and what is said of it then."""

    name: str
    value: Any
    wrong: Any = NOTHING
    says: str = ""
    sent: Any = NOTHING  # Where it is not written as it is set.
    at: str = ""  # What the sentence is about, where that is something inside of the field.
    wire: str = ""  # Its name in the JSON, where that is another.

    @property
    def json(self) -> Any:
        """What stands in the body."""
        return self.value if self.sent is NOTHING else self.sent


ASSISTANT = {"id": "assistant-1", "dynamic_variables": {"name": "Ada", "age": 36, "tags": ["a", None]}}
RELAY = {"url": "wss://a.example", "dtmf_detection": True, "languages": [{"language": "en"}]}
VOICE = {"type": "elevenlabs", "stability": 0.5, "speed": 1}
ENGINE = {"transcription_engine": "Google", "language": "en", "interim_results": True}
TRACKS, LEGS = "must be one of inbound, outbound, both", "must be one of self, opposite, both"
FILE_NAME = "must be at most 40 characters"
ID = ("891510ac", "must be a valid UUID")
KEYS = "must consist of 1 to 64 of 0-9, A-D, *, #, w and W"

DEEPFAKE = [
    Newer(
        "deepfake_detection",
        v1.DeepfakeDetection(enabled=True, timeout=60, rtp_timeout=120),
        v1.DeepfakeDetection(enabled=True, timeout=61),
        "must be greater than or equal to 5 and less than or equal to 60, but is 61",
        sent={"enabled": True, "timeout": 60, "rtp_timeout": 120},
        at=".timeout",
    )
]
TRANSCRIPTION = [
    Newer("transcription", False),
    Newer(
        "transcription_config",
        v1.TranscriptionConfig(
            transcription_engine="Deepgram",
            transcription_engine_config=ENGINE,
            transcription_tracks="both",
            client_state=STATE,
            command_id=UUID,
        ),
        v1.TranscriptionConfig(transcription_tracks="none"),
        TRACKS,
        sent={
            "transcription_engine": "Deepgram",
            "transcription_engine_config": ENGINE,
            "transcription_tracks": "both",
            "client_state": STATE,
            "command_id": UUID,
        },
        at=".transcription_tracks",
    ),
]
ON_ANSWER = [
    Newer("assistant", ASSISTANT, {"id": float("inf")}, "must hold only numbers that JSON can write"),
    Newer("conversation_relay_config", RELAY, {"a": [float("nan")]}, "must hold only numbers that JSON can write"),
    *DEEPFAKE,
    Newer("send_silence_when_idle", True),
    *TRANSCRIPTION,
]
RECORD = [
    Newer("record", "record-from-answer", "always", "must be in list [record-from-answer], but is"),
    Newer("record_channels", "dual", "mono", "must be one of single, dual"),
    Newer("record_format", "wav", "ogg", "must be one of wav, mp3"),
    Newer("record_max_length", 43200, 43201, "must be greater than or equal to 0 and less than or equal to 43200"),
    Newer("record_timeout_secs", 0, -1, "must be greater than or equal to 0, but is -1"),
]
RECORD_NEWER = [
    Newer("record_track", "inbound", "left", TRACKS),
    Newer("record_trim", "trim-silence", "trim", "must be in list [trim-silence], but is"),
    Newer("record_custom_file_name", "x" * 40, "x" * 41, FILE_NAME),
]
STREAM = [
    Newer("stream_codec", "default"),
    Newer("stream_bidirectional_mode", "rtp", "wav", "must be one of mp3, rtp"),
    Newer("stream_bidirectional_codec", "AMR-WB"),
    Newer("stream_bidirectional_target_legs", "self", "none", LEGS),
]
STREAM_OUT = [
    *STREAM,
    Newer("stream_bidirectional_sampling_rate", 48000, 11025, "must be one of 8000, 16000, 22050, 24000, 48000"),
    Newer("stream_auth_token", "x" * 4000, "x" * 4001, "must be at most 4000 characters"),
]
POLICY = v1.WebhookRetriesPolicy
HOOKS = [
    Newer(
        "webhook_urls",
        {
            "call.answered": {"string_value": "https://a.example"},
            "call.hangup": {"list_value": {"values": [{"string_value": "https://b.example"}]}},
        },
        {"call.answered": {"number_value": 1}},
        "must be an address, or a list of 1 to 256 addresses",
        sent={"call.answered": "https://a.example", "call.hangup": ["https://b.example"]},
        at="[call.answered]",
    ),
    Newer("webhook_urls_method", "GET", "PUT", "must be one of POST, GET"),
    Newer(
        "webhook_retries_policies",
        {"call.answered": POLICY(retries_ms=[10000, 20000, 29998, 1, 1]), "call.hangup": POLICY()},
        {"call.answered": POLICY(retries_ms=[10000, 20000, 29998, 1, 2])},
        "retries_ms must have a sum of at most 60000",
        sent={"call.answered": {"retries_ms": [10000, 20000, 29998, 1, 1]}, "call.hangup": {}},
        at="[call.answered]",
    ),
]
NEW_LEG = [
    Newer("media_encryption", "SRTP", "srtp", "must be one of disabled, SRTP, DTLS"),
    Newer("privacy", "id", "number", "must be one of id, none"),
    Newer("send_digits_on_answer", "0" * 60 + "Ww*#", "1x", KEYS),
    Newer("sip_region", "Middle East"),
    Newer("sip_transport_protocol", "TLS", "tls", "must be one of UDP, TCP, TLS"),
    Newer("diversion", "+18005550102", "8005550102", "must be a number in +E.164"),
    Newer("route_to_mobile", True),
]
MUTE = Newer("mute_dtmf", "opposite", "all", "must be one of none, both, self, opposite")
PARK = Newer("park_after_unbridge", "self", "both", "must be in list [self], but is")
LOOPS = [Newer("loop", 3), Newer("loop_text", "infinity", wire="loop")]
RECORDING = Newer("recording_id", UUID, *ID)
CONFERENCE: dict[str, Any] = {
    "id": UUID,
    "conference_name": "desk",
    "early_media": False,
    "beep_enabled": "on_enter",
    "start_conference_on_create": True,
    "start_conference_on_enter": False,
    "end_conference_on_exit": True,
    "soft_end_conference_on_exit": False,
    "hold": True,
    "hold_media_name": "music",
    "mute": False,
    "supervisor_role": "none",
    "whisper_call_control_ids": [OTHER_CALL],
}
DETECTION: dict[str, Any] = {
    "beep_detection_profile": "freq_only",
    "beep_min_frequency_hz": 481,
    "beep_max_frequency_hz": 1500,
    "beep_min_tone_duration_millis": 100,
    "beep_spectral_confirmation": True,
    "beep_spectral_min_purity": 0.5,
    "beep_spectral_reject_fax_cng": False,
    "beep_spectral_window_millis": 80,
    "prompt_end_timeout_millis": 5000,
}
MACHINES = [
    Newer("answering_machine_detection", "premium_ios_call_screening_detection", "no", "must be one of premium, "),
    Newer(
        "answering_machine_detection_config",
        v1.AnsweringMachineDetectionConfig(**DETECTION),
        v1.AnsweringMachineDetectionConfig(beep_spectral_min_purity=1.1),
        "must be greater than or equal to 0 and less than or equal to 1",
        sent=DETECTION,
        at=".beep_spectral_min_purity",
    ),
]

FIELDS: Final[Mapping[str, list[Newer]]] = {
    "answer": [*ON_ANSWER, Newer("preferred_codecs", "OPUS,PCMU"), *RECORD, *RECORD_NEWER, *STREAM, *HOOKS],
    "bridge": [
        Newer("hold_after_unbridge", True),
        MUTE,
        Newer("play_ringtone", True),
        Newer("ringtone", "us-old"),
        Newer("prevent_double_bridge", False),
        *RECORD,
        *RECORD_NEWER,
    ],
    "dial": [
        *ON_ANSWER,
        *STREAM_OUT,
        Newer("stream_establish_before_call_originate", True),
        *RECORD_NEWER,
        *HOOKS,
        *NEW_LEG,
        *MACHINES,
        Newer("retry_on_timeout", False),
        Newer("bridge_intent", True),
        Newer("bridge_on_answer", True),
        PARK,
        Newer("prevent_double_bridge", True),
        Newer("supervise_call_control_id", OTHER_CALL),
        Newer("supervisor_role", "whisper", "none", "must be one of barge, whisper, monitor"),
        Newer(
            "conference_config",
            v1.ConferenceConfig(**CONFERENCE),
            v1.ConferenceConfig(beep_enabled="sometimes"),
            "must be in list [always, never, on_enter, on_exit], but is 'sometimes'",
            sent=CONFERENCE,
            at=".beep_enabled",
        ),
    ],
    "enqueue": [Newer("keep_after_hangup", True)],
    "gather": [Newer("gather_id", "x" * 40, "x" * 41, FILE_NAME)],
    "gather_using_speak": [Newer("voice_settings", VOICE)],
    "hangup": [
        Newer("custom_headers", HEADERS, [v1.CustomHeader(name="X")], "must be set", HEADERS_JSON, "[0].value"),
        Newer("reason", "Call completed elsewhere; caf\u00e9", 'a "b"', "must not contain quotes, backslashes,"),
    ],
    "playback_start": [Newer("audio_type", "wav", "ogg", "must be one of wav, mp3")],
    "record_pause": [RECORDING],
    "record_resume": [RECORDING],
    "record_stop": [RECORDING],
    "record_start": [
        Newer("recording_track", "outbound", "left", TRACKS),
        Newer("trim", "trim-silence", "trim", "must be in list [trim-silence], but is"),
        Newer("custom_file_name", "x", "", "must be at least 1 characters"),
        Newer("transcription", True),
        Newer("transcription_engine", "deepgram/nova-3"),
        Newer("transcription_language", "en-GB"),
        Newer("transcription_profanity_filter", True),
        Newer("transcription_speaker_diarization", True),
        Newer("transcription_min_speaker_count", 2),
        Newer("transcription_max_speaker_count", 6),
    ],
    "reject": [Newer("cause", "TEMPORARILY_UNAVAILABLE", "BORED", "must be in list [CALL_REJECTED, USER_BUSY, ")],
    "speak": [*LOOPS, Newer("target_legs", "both", "none", LEGS), Newer("voice_settings", VOICE)],
    "streaming_start": [
        *STREAM_OUT,
        Newer(
            "custom_parameters",
            [v1.StreamParameter(name="desk", value="7")],
            sent=[{"name": "desk", "value": "7"}],
        ),
    ],
    "streaming_stop": [Newer("stream_id", UUID, *ID)],
    "transcription_start": [
        Newer("transcription_engine", "Speechmatics"),
        Newer("transcription_engine_config", ENGINE),
    ],
    "transfer": [
        *NEW_LEG,
        *MACHINES,
        Newer("early_media", False),
        MUTE,
        PARK,
        Newer("preferred_codecs", "PCMU"),
        *RECORD,
        *RECORD_NEWER,
        *HOOKS,
    ],
}
# What the fields of an action need beside them.
WITH: Final[Mapping[str, dict[str, Any]]] = {
    "dial": {"link_to": OTHER_CALL, "record": "record-from-answer"},
    "playback_start": {"media_name": "hold"},
}


def smallest(action: str) -> Message:
    """An action with no more than it needs; a copy."""
    sample = next(one for one in MINIMAL if one.name == action)
    made = type(sample.action)()
    made.CopyFrom(sample.action)
    return made


def with_fields(action: str, **fields: Any) -> Message:
    """The smallest one with these fields too, where it has none of them."""
    made = smallest(action)
    for name in fields:
        made.ClearField(name)
    made.MergeFrom(type(made)(**fields))
    return made


def _whole(action: str, left_out: str = "") -> Sample:
    """All newer fields of an action in one command."""
    fields = [field for field in FIELDS[action] if field.name != left_out]
    beside = WITH.get(action, {})
    body = next(one.body for one in MINIMAL if one.name == action)
    sent = {field.wire or field.name: field.json for field in fields}
    made = with_fields(action, **beside, **{field.name: field.value for field in fields})
    return Sample(action, made, {**body, **beside, **sent})


def _conference_on_hold_by_address() -> Sample:
    body = next(one.body for one in MINIMAL if one.name == "dial")
    config = {"hold_audio_url": "https://a.example/hold.wav"}
    return Sample("dial", with_fields("dial", conference_config=config), {**body, "conference_config": config})


NEWER: Final = [
    *(_whole(action, "loop_text" if action == "speak" else "") for action in FIELDS),
    _whole("speak", "loop"),
    _conference_on_hold_by_address(),
]
EVERY: Final = [*SAMPLES, *NEWER]
