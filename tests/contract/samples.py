"""Commands with all their fields, and with no more than they need, each beside the body that Telnyx documents for it.

The bodies are written by hand from Telnyx's documents, not derived: they are the second opinion on the builder. Where
fields exclude each other an action has several samples; together they set every field that it has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from cordboard import v1

CALL = "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg"
OTHER_CALL = "v3:ldQ2d0TbDhwDzmcFnHHp1uGHJ0PsiZgDVm4T4zWkLeWRAf2NkAbCdE"
UUID = "891510ac-f3e4-11e8-af5b-de00688a4901"
STATE = "aGF2ZSBhIG5pY2UgZGF5ID1d"


@dataclass(frozen=True)
class Sample:
    """An action, and what Telnyx is to get besides client_state and command_id."""

    name: str
    action: Message
    body: dict[str, Any] = field(default_factory=dict)

    def command(self, **fields: Any) -> v1.Command:
        """The sample as a command that may be taken."""
        call = "" if self.name == "dial" else CALL
        state = {"client_state": STATE} if self.name == "client_state_update" else {}
        return v1.Command(**{"command_id": UUID, "call_control_id": call, **state, self.name: self.action, **fields})


HEADERS = [v1.CustomHeader(name="X-Desk", value="7"), v1.CustomHeader(name="X-Empty", value="")]
SIP_HEADERS = [v1.SipHeader(name="User-to-User", value="value")]
SOUND = v1.SoundModifications(pitch=0.8, semitone=-2, octaves=0, track="both")
DETECTION = v1.AnsweringMachineDetectionConfig(
    total_analysis_time_millis=5000,
    after_greeting_silence_millis=1000,
    between_words_silence_millis=1000,
    greeting_duration_millis=1000,
    initial_silence_millis=1000,
    maximum_number_of_words=1000,
    maximum_word_length_millis=2000,
    silence_threshold=512,
    greeting_total_analysis_time_millis=50000,
    greeting_silence_duration_millis=0,
)
HEADERS_JSON = [{"name": "X-Desk", "value": "7"}, {"name": "X-Empty", "value": ""}]
SIP_HEADERS_JSON = [{"name": "User-to-User", "value": "value"}]
SOUND_JSON = {"pitch": 0.8, "semitone": -2.0, "octaves": 0.0, "track": "both"}
DETECTION_JSON = {
    "total_analysis_time_millis": 5000,
    "after_greeting_silence_millis": 1000,
    "between_words_silence_millis": 1000,
    "greeting_duration_millis": 1000,
    "initial_silence_millis": 1000,
    "maximum_number_of_words": 1000,
    "maximum_word_length_millis": 2000,
    "silence_threshold": 512,
    "greeting_total_analysis_time_millis": 50000,
    "greeting_silence_duration_millis": 0,
}

# Fields that are named and written alike here and there.
HOOKS = {"webhook_url": "https://www.example.com/hooks", "webhook_url_method": "GET"}
STREAM = {"stream_url": "wss://www.example.com/socket", "stream_track": "both_tracks"}
SIP_AUTH = {"sip_auth_username": "desk", "sip_auth_password": "not-a-real-one"}
LEG = {
    "timeout_secs": 600,
    "time_limit_secs": 30,
    "answering_machine_detection": "premium",
    "from_display_name": "A ~!.+",
}
RECORD = {
    "record": "record-from-answer",
    "record_channels": "single",
    "record_format": "wav",
    "record_max_length": 0,
    "record_timeout_secs": 0,
}
DIGITS = {
    "minimum_digits": 1,
    "maximum_digits": 128,
    "timeout_millis": 60000,
    "terminating_digit": "",
    "valid_digits": "123",
    "inter_digit_timeout_millis": 0,
}
TRIES = {**DIGITS, "maximum_tries": 3}
SPEECH = {
    "payload": "Say this",
    "payload_type": "ssml",
    "service_level": "premium",
    "voice": "female",
    "language": "en-US",
}
TO, FROM = "+18005550100", "+18005550101"
DIALOGFLOW = {"analyze_sentiment": False, "partial_automated_agent_reply": True}

MINIMAL = [
    Sample("answer", v1.Answer()),
    Sample("bridge", v1.Bridge(call_control_id_to_bridge_with=OTHER_CALL), {"call_control_id": OTHER_CALL}),
    Sample(
        "dial",
        v1.Dial(to=TO, from_number=FROM, connection_id="7267xxxxxxxxxxxxxx"),
        {"to": TO, "from": FROM, "connection_id": "7267xxxxxxxxxxxxxx"},
    ),
    Sample("enqueue", v1.Enqueue(queue_name="support"), {"queue_name": "support"}),
    Sample("fork_start", v1.ForkStart(target="udp:192.0.2.1:9000"), {"target": "udp:192.0.2.1:9000"}),
    Sample("fork_stop", v1.ForkStop()),
    Sample("gather", v1.Gather()),
    Sample("gather_stop", v1.GatherStop()),
    Sample("gather_using_audio", v1.GatherUsingAudio()),
    Sample("gather_using_speak", v1.GatherUsingSpeak(payload="Hi", voice="male"), {"payload": "Hi", "voice": "male"}),
    Sample("hangup", v1.Hangup()),
    Sample("playback_start", v1.PlaybackStart()),
    Sample("playback_stop", v1.PlaybackStop()),
    Sample("record_pause", v1.RecordPause()),
    Sample("record_resume", v1.RecordResume()),
    Sample("record_start", v1.RecordStart(format="wav", channels="dual"), {"format": "wav", "channels": "dual"}),
    Sample("record_stop", v1.RecordStop()),
    Sample("refer", v1.Refer(sip_address="sip:desk@example.com"), {"sip_address": "sip:desk@example.com"}),
    Sample("reject", v1.Reject(cause="USER_BUSY"), {"cause": "USER_BUSY"}),
    Sample("send_dtmf", v1.SendDtmf(digits="1www2WABCD#*"), {"digits": "1www2WABCD#*"}),
    Sample("speak", v1.Speak(payload="Hi", voice="male"), {"payload": "Hi", "voice": "male"}),
    Sample("streaming_start", v1.StreamingStart(stream_url="wss://a.example"), {"stream_url": "wss://a.example"}),
    Sample("streaming_stop", v1.StreamingStop()),
    Sample("transcription_start", v1.TranscriptionStart()),
    Sample("transcription_stop", v1.TranscriptionStop()),
    Sample("transfer", v1.Transfer(to=TO), {"to": TO}),
    Sample("client_state_update", v1.ClientStateUpdate()),
    Sample("leave_queue", v1.LeaveQueue()),
]

_LEG_PARTS = {"custom_headers": HEADERS, "sip_headers": SIP_HEADERS, "sound_modifications": SOUND}
_LEG_PARTS_JSON = {"custom_headers": HEADERS_JSON, "sip_headers": SIP_HEADERS_JSON, "sound_modifications": SOUND_JSON}
_DIAL = {"connection_id": "7267", "link_to": OTHER_CALL, "preferred_codecs": "G722,PCMU", "billing_group_id": UUID}
_DIALS = {**_DIAL, **LEG, **RECORD, **SIP_AUTH, **STREAM, **HOOKS, "enable_dialogflow": True}

FULL = [
    Sample(
        "answer",
        v1.Answer(billing_group_id=UUID, **_LEG_PARTS, **STREAM, **HOOKS),
        {"billing_group_id": UUID, **_LEG_PARTS_JSON, **STREAM, **HOOKS},
    ),
    Sample(
        "bridge",
        v1.Bridge(call_control_id_to_bridge_with=OTHER_CALL, park_after_unbridge="self"),
        {"call_control_id": OTHER_CALL, "park_after_unbridge": "self"},
    ),
    Sample("bridge", v1.Bridge(queue="support"), {"queue": "support"}),
    Sample(
        "bridge",
        v1.Bridge(video_room_id=UUID, video_room_context="Room 7"),
        {"video_room_id": UUID, "video_room_context": "Room 7"},
    ),
    Sample(
        "dial",
        v1.Dial(
            to_list=[TO, "sip:desk@example.com"],
            from_number=FROM,
            audio_url="",
            answering_machine_detection_config=DETECTION,
            dialogflow_config=v1.DialogflowConfig(**DIALOGFLOW),
            **_DIALS,
            **_LEG_PARTS,
        ),
        {
            "to": [TO, "sip:desk@example.com"],
            "from": FROM,
            "audio_url": "",
            "answering_machine_detection_config": DETECTION_JSON,
            "dialogflow_config": DIALOGFLOW,
            **_DIALS,
            **_LEG_PARTS_JSON,
        },
    ),
    Sample(
        "dial",
        v1.Dial(to_list=[TO], from_number=FROM, connection_id="7267", media_name="welcome"),
        {"to": [TO], "from": FROM, "connection_id": "7267", "media_name": "welcome"},
    ),
    Sample(
        "enqueue",
        v1.Enqueue(queue_name="support", max_wait_time_secs=2**53 + 1, max_size=0),
        {"queue_name": "support", "max_wait_time_secs": 2**53 + 1, "max_size": 0},
    ),
    Sample(
        "fork_start",
        v1.ForkStart(rx="udp:192.0.2.1:9000", tx="udp:192.0.2.1:9001", stream_type="decrypted"),
        {"rx": "udp:192.0.2.1:9000", "tx": "udp:192.0.2.1:9001", "stream_type": "decrypted"},
    ),
    Sample("fork_stop", v1.ForkStop(stream_type="decrypted"), {"stream_type": "decrypted"}),
    Sample("gather", v1.Gather(initial_timeout_millis=0, **DIGITS), {"initial_timeout_millis": 0, **DIGITS}),
    Sample(
        "gather_using_audio",
        v1.GatherUsingAudio(audio_url="http://example.com/a.wav", invalid_media_name="no", **TRIES),
        {"audio_url": "http://example.com/a.wav", "invalid_media_name": "no", **TRIES},
    ),
    Sample(
        "gather_using_audio",
        v1.GatherUsingAudio(media_name="menu", invalid_audio_url="http://example.com/no.wav"),
        {"media_name": "menu", "invalid_audio_url": "http://example.com/no.wav"},
    ),
    Sample(
        "gather_using_speak",
        v1.GatherUsingSpeak(invalid_payload="", **SPEECH, **TRIES),
        {"invalid_payload": "", **SPEECH, **TRIES},
    ),
    Sample(
        "playback_start",
        v1.PlaybackStart(
            audio_url="http://example.com/a.wav", loop=0, overlay=True, stop="current", target_legs="self"
        ),
        {"audio_url": "http://example.com/a.wav", "loop": 0, "overlay": True, "stop": "current", "target_legs": "self"},
    ),
    Sample(
        "playback_start",
        v1.PlaybackStart(media_name="hold", loop_text="infinity", cache_audio=False),
        {"media_name": "hold", "loop": "infinity", "cache_audio": False},
    ),
    Sample("playback_start", v1.PlaybackStart(playback_content="SUQzAwA="), {"playback_content": "SUQzAwA="}),
    Sample("playback_stop", v1.PlaybackStop(overlay=False, stop="all"), {"overlay": False, "stop": "all"}),
    Sample(
        "record_start",
        v1.RecordStart(format="mp3", channels="single", play_beep=False, max_length=14400, timeout_secs=0),
        {"format": "mp3", "channels": "single", "play_beep": False, "max_length": 14400, "timeout_secs": 0},
    ),
    Sample(
        "refer",
        v1.Refer(sip_address="sips:a@b.example", custom_headers=HEADERS, sip_headers=SIP_HEADERS, **SIP_AUTH),
        {
            "sip_address": "sips:a@b.example",
            "custom_headers": HEADERS_JSON,
            "sip_headers": SIP_HEADERS_JSON,
            **SIP_AUTH,
        },
    ),
    Sample("send_dtmf", v1.SendDtmf(digits="1", duration_millis=100), {"digits": "1", "duration_millis": 100}),
    Sample("speak", v1.Speak(stop="all", **SPEECH), {"stop": "all", **SPEECH}),
    Sample(
        "streaming_start",
        v1.StreamingStart(enable_dialogflow=True, dialogflow_config=v1.DialogflowConfig(**DIALOGFLOW), **STREAM),
        {"enable_dialogflow": True, "dialogflow_config": DIALOGFLOW, **STREAM},
    ),
    Sample(
        "transcription_start",
        v1.TranscriptionStart(language="de", interim_results=False, transcription_tracks="both"),
        {"language": "de", "interim_results": False, "transcription_tracks": "both"},
    ),
    Sample(
        "transfer",
        v1.Transfer(
            to_list=[TO, FROM],
            from_number=FROM,
            audio_url="http://example.com/a.wav",
            target_leg_client_state=STATE,
            answering_machine_detection_config=DETECTION,
            **LEG,
            **SIP_AUTH,
            **HOOKS,
            **_LEG_PARTS,
        ),
        {
            "to": [TO, FROM],
            "from": FROM,
            "audio_url": "http://example.com/a.wav",
            "target_leg_client_state": STATE,
            "answering_machine_detection_config": DETECTION_JSON,
            **LEG,
            **SIP_AUTH,
            **HOOKS,
            **_LEG_PARTS_JSON,
        },
    ),
    Sample("transfer", v1.Transfer(to=TO, media_name="hold"), {"to": TO, "media_name": "hold"}),
]

SAMPLES = [*MINIMAL, *FULL]
