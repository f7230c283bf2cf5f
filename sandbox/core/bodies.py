"""The bodies of the twenty-eight commands, written by hand from Telnyx's documentation.

By hand on purpose: the product has its own table, and this is the second opinion on it. Where the documentation of 2023
and that of 2026 differ, the wider one counts (voices are free text, language is optional, a dial may ring for 600 s).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox.core.checks import array, base64_text, choice, flag, header_text, record, sip_uri, text, uuid_text, whole
from sandbox.core.fields import (
    CHANNELS,
    DIALOGFLOW,
    DIGITS,
    FORK_TYPE,
    FORMAT,
    HEADERS,
    LEGS,
    MUTED,
    NAME,
    NEW_LEG,
    ON_ANSWER,
    RECORD,
    RECORD_RULES,
    SOUND,
    SPEECH,
    STOP,
    STREAM,
    STREAM_OUT,
    SUPERVISOR,
    TRACK,
    TRANSCRIPTION,
    UDP,
    WEBHOOK,
    loop,
)
from sandbox.core.rules import (
    at_most_one,
    basic_service,
    decrypted_fork,
    digits_in_order,
    one_group,
    only_with,
    overlay_is_for_self,
)
from sandbox.core.schema import Schema, schema

SCHEMAS: Final[Mapping[str, Schema]] = {
    "dial": schema(
        *("to", "from", "connection_id"),
        rules=(
            at_most_one("audio_url", "media_name"),
            *RECORD_RULES,
            *(only_with(name, "link_to") for name in ("bridge_intent", "bridge_on_answer", "park_after_unbridge")),
        ),
        connection_id=text(),
        billing_group_id=uuid_text,
        link_to=text(),
        stream_establish_before_call_originate=flag,
        retry_on_timeout=flag,
        bridge_intent=flag,
        bridge_on_answer=flag,
        prevent_double_bridge=flag,
        supervise_call_control_id=text(),
        supervisor_role=SUPERVISOR,
        conference_config=record(
            {
                "beep_enabled": choice("always", "never", "on_enter", "on_exit"),
                "supervisor_role": choice("barge", "whisper", "monitor", "none"),
                "whisper_call_control_ids": array(text()),
            }
        ),
        shared=(NEW_LEG, STREAM_OUT, DIALOGFLOW, ON_ANSWER),
    ),
    "answer": schema(
        rules=RECORD_RULES,
        billing_group_id=uuid_text,
        sound_modifications=SOUND,
        preferred_codecs=text(),
        shared=(HEADERS, RECORD, STREAM, WEBHOOK, ON_ANSWER),
    ),
    "hangup": schema(custom_headers=HEADERS["custom_headers"], reason=header_text),
    "reject": schema("cause", cause=choice("CALL_REJECTED", "USER_BUSY", "NOT_FOUND", "TEMPORARILY_UNAVAILABLE")),
    "speak": schema(
        *("payload", "voice"),
        rules=(basic_service,),
        stop=STOP,
        loop=loop,
        target_legs=LEGS,
        shared=(SPEECH,),
    ),
    "playback_start": schema(
        rules=(
            one_group(("audio_url",), ("media_name",), ("playback_content",)),
            at_most_one("audio_url", "media_name", "playback_content"),
            overlay_is_for_self,
        ),
        audio_url=text(),
        media_name=text(),
        playback_content=base64_text,
        audio_type=FORMAT,
        loop=loop,
        overlay=flag,
        stop=STOP,
        target_legs=LEGS,
        cache_audio=flag,
    ),
    "playback_stop": schema(overlay=flag, stop=STOP),
    "gather": schema(rules=(digits_in_order,), initial_timeout_millis=whole(0), gather_id=NAME, shared=(DIGITS,)),
    "gather_using_audio": schema(
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
        shared=(DIGITS,),
    ),
    "gather_using_speak": schema(
        *("payload", "voice"),
        rules=(basic_service, digits_in_order),
        invalid_payload=text(3000),
        maximum_tries=whole(1),
        shared=(SPEECH, DIGITS),
    ),
    "gather_stop": schema(),
    "send_dtmf": schema("digits", digits=text(pattern=r"^[0-9A-D*#wW]+$"), duration_millis=whole(100, 500)),
    "record_start": schema(
        *("format", "channels"),
        format=FORMAT,
        channels=CHANNELS,
        play_beep=flag,
        max_length=whole(0, 14400),
        timeout_secs=whole(0),
        recording_track=TRACK,
        trim=choice("trim-silence"),
        custom_file_name=NAME,
        transcription=flag,
        transcription_engine=text(),
        transcription_language=text(),
        transcription_profanity_filter=flag,
        transcription_speaker_diarization=flag,
        transcription_min_speaker_count=whole(),
        transcription_max_speaker_count=whole(),
    ),
    "record_stop": schema(recording_id=uuid_text),
    "record_pause": schema(recording_id=uuid_text),
    "record_resume": schema(recording_id=uuid_text),
    "streaming_start": schema(
        rules=(one_group(("stream_url",), ("enable_dialogflow",)),),
        custom_parameters=array(record({"name": text(), "value": text()})),
        shared=(STREAM_OUT, DIALOGFLOW),
    ),
    "streaming_stop": schema(stream_id=uuid_text),
    "fork_start": schema(
        rules=(one_group(("target",), ("rx", "tx")), decrypted_fork),
        target=UDP,
        rx=UDP,
        tx=UDP,
        stream_type=FORK_TYPE,
    ),
    "fork_stop": schema(stream_type=FORK_TYPE),
    "transcription_start": schema(language=text(), interim_results=flag, shared=(TRANSCRIPTION,)),
    "transcription_stop": schema(),
    "bridge": schema(
        rules=(
            one_group(("call_control_id",), ("queue",), ("video_room_id",)),
            at_most_one("call_control_id", "queue", "video_room_id"),
            only_with("video_room_context", "video_room_id"),
            *RECORD_RULES,
        ),
        call_control_id=text(),
        queue=text(),
        video_room_id=uuid_text,
        video_room_context=text(),
        park_after_unbridge=choice("self"),
        hold_after_unbridge=flag,
        mute_dtmf=MUTED,
        play_ringtone=flag,
        ringtone=text(),
        prevent_double_bridge=flag,
        shared=(RECORD,),
    ),
    "transfer": schema(
        "to",
        rules=(at_most_one("audio_url", "media_name"), *RECORD_RULES),
        target_leg_client_state=base64_text,
        early_media=flag,
        mute_dtmf=MUTED,
        shared=(NEW_LEG,),
    ),
    "refer": schema(
        "sip_address", sip_address=sip_uri, sip_auth_username=text(), sip_auth_password=text(), shared=(HEADERS,)
    ),
    "enqueue": schema(
        "queue_name", queue_name=text(), max_wait_time_secs=whole(0), max_size=whole(0), keep_after_hangup=flag
    ),
    "leave_queue": schema(),
    "client_state_update": schema("client_state"),
}
