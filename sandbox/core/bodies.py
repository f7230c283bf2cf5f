"""The bodies of the twenty-eight commands, written by hand from Telnyx's documentation.

By hand on purpose: the product has its own table, and this is the second opinion on it. Where the documentation of 2023
and that of 2026 differ, the wider one counts (voices are free text, language is optional, a dial may ring for 600 s).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    members,
    number,
    one_or_many,
    phone,
    record,
    sip_uri,
    text,
    uuid_text,
    whole,
)
from sandbox.core.problems import Problem, Refused
from sandbox.core.rules import (
    Body,
    Rule,
    at_most_one,
    basic_service,
    decrypted_fork,
    digits_in_order,
    one_group,
    only_with,
    overlay_is_for_self,
)


@dataclass(frozen=True, slots=True)
class Schema:
    """What a body must and may hold. Fields that are not named are accepted as they are."""

    required: tuple[str, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def check(self, body: Body) -> None:
        """Raise Refused with every problem of a body."""
        problems = members(body, self.required, self.checks)
        problems += [problem for rule in self.rules if (problem := rule(body))]
        if problems:
            raise Refused(*problems)


_COMMON: Final[Mapping[str, Check]] = {"client_state": base64_text, "command_id": text()}
_HEADERS: Final[Mapping[str, Check]] = {
    "custom_headers": array(record({"name": text(), "value": text()}, "name", "value")),
    "sip_headers": array(record({"name": choice("User-to-User"), "value": text()}, "name", "value")),
}
_SOUND: Final = record(
    {
        "pitch": above(0),
        "semitone": number(-14, 14),
        "octaves": number(-1, 1),
        "track": choice("inbound", "outbound", "both"),
    }
)
_STREAM: Final[Mapping[str, Check]] = {
    "stream_url": text(),
    "stream_track": choice("inbound_track", "outbound_track", "both_tracks"),
}
_DIALOGFLOW: Final[Mapping[str, Check]] = {
    "enable_dialogflow": flag,
    "dialogflow_config": record({"analyze_sentiment": flag, "partial_automated_agent_reply": flag}),
}
_WEBHOOK: Final[Mapping[str, Check]] = {
    "webhook_url": text(),
    "webhook_url_method": choice("POST", "GET"),
    "webhook_urls": mapping(text()),
    "webhook_urls_method": choice("POST", "GET"),
    "webhook_retries_policies": mapping(record({"retries_ms": delays(5, 60_000)}, "retries_ms")),
}
_RECORD: Final[Mapping[str, Check]] = {
    "record": choice("record-from-answer"),
    "record_channels": choice("single", "dual"),
    "record_format": choice("wav", "mp3"),
    "record_max_length": whole(0, 43200),
    "record_timeout_secs": whole(0),
}
_RECORD_RULES: Final = tuple(only_with(name, "record") for name in _RECORD if name != "record")
_AMD_TIMES: Final = (
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
)
_NEW_LEG: Final[Mapping[str, Check]] = {
    "to": one_or_many(phone),
    "from": phone,
    "from_display_name": text(128, r"^[A-Za-z0-9 \-_~!.+]*$"),
    "audio_url": text(),
    "media_name": text(),
    "timeout_secs": whole(5, 600),
    "time_limit_secs": whole(30, 14400),
    "answering_machine_detection": choice(
        "premium", "detect", "detect_beep", "detect_words", "greeting_end", "disabled"
    ),
    "answering_machine_detection_config": record({name: whole() for name in _AMD_TIMES}),
    "sip_auth_username": text(),
    "sip_auth_password": text(),
    "sound_modifications": _SOUND,
    **_HEADERS,
    **_WEBHOOK,
}
_DIGITS: Final[Mapping[str, Check]] = {
    "minimum_digits": whole(1, 128),
    "maximum_digits": whole(1, 128),
    "timeout_millis": whole(0),
    "inter_digit_timeout_millis": whole(0),
    "terminating_digit": text(),
    "valid_digits": text(),
}
_SPEECH: Final[Mapping[str, Check]] = {
    "payload": text(3000),
    "payload_type": choice("text", "ssml"),
    "service_level": choice("basic", "premium"),
    "voice": text(),
    "language": text(),
}
_FORK_TYPE: Final = choice("raw", "decrypted")
_UDP: Final = text(pattern=r"^udp:.+:\d{1,5}$")
_STOP: Final = choice("current", "all")


def _loop(value: object, pointer: str) -> Problem | None:
    """How often: a whole number, as such or in words, or infinity."""
    if isinstance(value, str) and not value.isdigit():
        return choice("infinity")(value, pointer)
    return whole(0)(int(value) if isinstance(value, str) else value, pointer)


def _schema(
    *required: str, rules: tuple[Rule, ...] = (), shared: tuple[Mapping[str, Check], ...] = (), **checks: Check
) -> Schema:
    together = dict(_COMMON)
    for part in (*shared, checks):
        together.update(part)
    return Schema(required, together, rules)


SCHEMAS: Final[Mapping[str, Schema]] = {
    "dial": _schema(
        *("to", "from", "connection_id"),
        rules=(
            at_most_one("audio_url", "media_name"),
            *_RECORD_RULES,
        ),
        connection_id=text(),
        preferred_codecs=text(),
        billing_group_id=uuid_text,
        link_to=text(),
        shared=(_NEW_LEG, _RECORD, _STREAM, _DIALOGFLOW),
    ),
    "answer": _schema(
        rules=_RECORD_RULES,
        billing_group_id=uuid_text,
        sound_modifications=_SOUND,
        shared=(_HEADERS, _RECORD, _STREAM, _WEBHOOK),
    ),
    "hangup": _schema(),
    "reject": _schema("cause", cause=choice("CALL_REJECTED", "USER_BUSY")),
    "speak": _schema("payload", "voice", rules=(basic_service,), stop=_STOP, shared=(_SPEECH,)),
    "playback_start": _schema(
        rules=(
            one_group(("audio_url",), ("media_name",), ("playback_content",)),
            at_most_one("audio_url", "media_name", "playback_content"),
            overlay_is_for_self,
        ),
        audio_url=text(),
        media_name=text(),
        playback_content=base64_text,
        loop=_loop,
        overlay=flag,
        stop=_STOP,
        target_legs=choice("self", "opposite", "both"),
        cache_audio=flag,
    ),
    "playback_stop": _schema(overlay=flag, stop=_STOP),
    "gather": _schema(rules=(digits_in_order,), initial_timeout_millis=whole(0), shared=(_DIGITS,)),
    "gather_using_audio": _schema(
        rules=(
            at_most_one("audio_url", "media_name"),
            at_most_one("invalid_audio_url", "invalid_media_name"),
            digits_in_order,
        ),
        audio_url=text(),
        media_name=text(),
        invalid_audio_url=text(),
        invalid_media_name=text(),
        maximum_tries=whole(1),
        shared=(_DIGITS,),
    ),
    "gather_using_speak": _schema(
        *("payload", "voice"),
        rules=(basic_service, digits_in_order),
        invalid_payload=text(3000),
        maximum_tries=whole(1),
        shared=(_SPEECH, _DIGITS),
    ),
    "gather_stop": _schema(),
    "send_dtmf": _schema("digits", digits=text(pattern=r"^[0-9A-D*#wW]+$"), duration_millis=whole(100, 500)),
    "record_start": _schema(
        *("format", "channels"),
        format=choice("wav", "mp3"),
        channels=choice("single", "dual"),
        play_beep=flag,
        max_length=whole(0, 14400),
        timeout_secs=whole(0),
    ),
    "record_stop": _schema(),
    "record_pause": _schema(),
    "record_resume": _schema(),
    "streaming_start": _schema(
        rules=(one_group(("stream_url",), ("enable_dialogflow",)),), shared=(_STREAM, _DIALOGFLOW)
    ),
    "streaming_stop": _schema(),
    "fork_start": _schema(
        rules=(one_group(("target",), ("rx", "tx")), decrypted_fork),
        target=_UDP,
        rx=_UDP,
        tx=_UDP,
        stream_type=_FORK_TYPE,
    ),
    "fork_stop": _schema(stream_type=_FORK_TYPE),
    "transcription_start": _schema(
        language=text(), interim_results=flag, transcription_tracks=choice("inbound", "outbound", "both")
    ),
    "transcription_stop": _schema(),
    "bridge": _schema(
        rules=(
            one_group(("call_control_id",), ("queue",), ("video_room_id",)),
            at_most_one("call_control_id", "queue", "video_room_id"),
            only_with("video_room_context", "video_room_id"),
        ),
        call_control_id=text(),
        queue=text(),
        video_room_id=uuid_text,
        video_room_context=text(),
        park_after_unbridge=choice("self"),
    ),
    "transfer": _schema(
        "to",
        rules=(at_most_one("audio_url", "media_name"),),
        target_leg_client_state=base64_text,
        shared=(_NEW_LEG,),
    ),
    "refer": _schema(
        "sip_address", sip_address=sip_uri, sip_auth_username=text(), sip_auth_password=text(), shared=(_HEADERS,)
    ),
    "enqueue": _schema("queue_name", queue_name=text(), max_wait_time_secs=whole(0), max_size=whole(0)),
    "leave_queue": _schema(),
    "client_state_update": _schema("client_state"),
}
