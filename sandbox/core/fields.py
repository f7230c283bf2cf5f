"""The fields that several commands share, written by hand from Telnyx's documentation of 2023 and of 2026.

What Telnyx keeps adding to (codecs, engines, regions, ringtones, voices) is any text here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.core.checks import (
    Check,
    above,
    array,
    base64_text,
    choice,
    delays,
    flag,
    mapping,
    number,
    one_of,
    one_or_many,
    phone,
    record,
    text,
    whole,
)
from sandbox.core.problems import Problem
from sandbox.core.rules import only_with

TRACK: Final = choice("inbound", "outbound", "both")
LEGS: Final = choice("self", "opposite", "both")
MUTED: Final = choice("none", "both", "self", "opposite")
FORMAT: Final = choice("wav", "mp3")
CHANNELS: Final = choice("single", "dual")
STOP: Final = choice("current", "all")
FORK_TYPE: Final = choice("raw", "decrypted")
UDP: Final = text(pattern=r"^udp:.+:\d{1,5}$")
SUPERVISOR: Final = choice("barge", "whisper", "monitor")
NAME: Final = text(40, minimum=1)
ANYTHING: Final = record({})

HEADERS: Final[Mapping[str, Check]] = {
    "custom_headers": array(record({"name": text(), "value": text()}, "name", "value")),
    "sip_headers": array(record({"name": choice("User-to-User"), "value": text()}, "name", "value")),
}
SOUND: Final = record({"pitch": above(0), "semitone": number(-14, 14), "octaves": number(-1, 1), "track": TRACK})
STREAM: Final[Mapping[str, Check]] = {
    "stream_url": text(),
    "stream_track": choice("inbound_track", "outbound_track", "both_tracks"),
    "stream_codec": text(),
    "stream_bidirectional_mode": choice("mp3", "rtp"),
    "stream_bidirectional_codec": text(),
    "stream_bidirectional_target_legs": LEGS,
}
STREAM_OUT: Final[Mapping[str, Check]] = {
    **STREAM,
    "stream_bidirectional_sampling_rate": one_of(8000, 16000, 22050, 24000, 48000),
    "stream_auth_token": text(4000),
}
DIALOGFLOW: Final[Mapping[str, Check]] = {
    "enable_dialogflow": flag,
    "dialogflow_config": record({"analyze_sentiment": flag, "partial_automated_agent_reply": flag}),
}
TRANSCRIPTION: Final[Mapping[str, Check]] = {
    "transcription_engine": text(),
    "transcription_engine_config": ANYTHING,
    "transcription_tracks": TRACK,
}
ON_ANSWER: Final[Mapping[str, Check]] = {
    "assistant": ANYTHING,
    "conversation_relay_config": ANYTHING,
    "deepfake_detection": record(
        {"enabled": flag, "timeout": whole(5, 60), "rtp_timeout": whole(5, 120)},
        "enabled",
    ),
    "send_silence_when_idle": flag,
    "transcription": flag,
    "transcription_config": record({**TRANSCRIPTION, "client_state": base64_text, "command_id": text()}),
}
WEBHOOK: Final[Mapping[str, Check]] = {
    "webhook_url": text(),
    "webhook_url_method": choice("POST", "GET"),
    "webhook_urls": mapping(one_or_many(text())),  # One address in the document, a list in the vendor's client.
    "webhook_urls_method": choice("POST", "GET"),
    "webhook_retries_policies": mapping(record({"retries_ms": delays(5, 60_000)})),
}
RECORD: Final[Mapping[str, Check]] = {
    "record": choice("record-from-answer"),
    "record_channels": CHANNELS,
    "record_format": FORMAT,
    "record_max_length": whole(0, 43200),
    "record_timeout_secs": whole(0),
    "record_track": TRACK,
    "record_trim": choice("trim-silence"),
    "record_custom_file_name": NAME,
}
RECORD_RULES: Final = tuple(
    only_with(name, "record")
    for name in ("record_channels", "record_format", "record_max_length", "record_timeout_secs")
)
_AMD_NUMBERS: Final = (
    "total_analysis_time_millis",
    "after_greeting_silence_millis",
    "between_words_silence_millis",
    "greeting_duration_millis",
    "initial_silence_millis",
    "maximum_number_of_words",
    "maximum_word_length_millis",
    "silence_threshold",
    "greeting_total_analysis_time_millis",
    "greeting_silence_duration_millis",
    "beep_min_frequency_hz",
    "beep_max_frequency_hz",
    "beep_min_tone_duration_millis",
    "beep_spectral_window_millis",
    "prompt_end_timeout_millis",
)
_AMD: Final[Mapping[str, Check]] = {
    **{name: whole() for name in _AMD_NUMBERS},
    "beep_detection_profile": choice("both", "freq_only"),
    "beep_spectral_confirmation": flag,
    "beep_spectral_min_purity": number(0, 1),
    "beep_spectral_reject_fax_cng": flag,
}
NEW_LEG: Final[Mapping[str, Check]] = {
    "to": one_or_many(phone),
    "from": phone,
    "from_display_name": text(128, r"^[A-Za-z0-9 \-_~!.+]*$"),
    "audio_url": text(),
    "media_name": text(),
    "timeout_secs": whole(5, 600),
    "time_limit_secs": whole(30, 14400),
    "answering_machine_detection": choice(
        "premium",
        "premium_ios_call_screening_detection",
        "detect",
        "detect_beep",
        "detect_words",
        "greeting_end",
        "disabled",
    ),
    "answering_machine_detection_config": record(_AMD),
    "sip_auth_username": text(),
    "sip_auth_password": text(),
    "sip_region": text(),
    "sip_transport_protocol": choice("UDP", "TCP", "TLS"),
    "sound_modifications": SOUND,
    "preferred_codecs": text(),
    "media_encryption": choice("disabled", "SRTP", "DTLS"),
    "privacy": choice("id", "none"),
    "park_after_unbridge": choice("self"),
    "send_digits_on_answer": text(64, r"^[0-9A-D*#wW]+$"),
    "diversion": phone,
    "route_to_mobile": flag,
    **HEADERS,
    **WEBHOOK,
    **RECORD,
}
DIGITS: Final[Mapping[str, Check]] = {
    "minimum_digits": whole(1, 128),
    "maximum_digits": whole(1, 128),
    "timeout_millis": whole(0),
    "inter_digit_timeout_millis": whole(0),
    "terminating_digit": text(),
    "valid_digits": text(),
}
SPEECH: Final[Mapping[str, Check]] = {
    "payload": text(3000),
    "payload_type": choice("text", "ssml"),
    "service_level": choice("basic", "premium"),
    "voice": text(),
    "voice_settings": ANYTHING,
    "language": text(),
}


def loop(value: object, pointer: str) -> Problem | None:
    """How often: a whole number, as such or in words, or infinity."""
    if isinstance(value, str) and not value.isdigit():
        return choice("infinity")(value, pointer)
    return whole(0)(int(value) if isinstance(value, str) else value, pointer)
