"""The client's methods, one for each action of the contract, made from protos/cordboard/v1 by `make proto`.

What a method takes are the fields of its action, named as there; what is not given is not sent. `options` are those
of every command.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from cordboard.v1 import AnsweringMachineDetectionConfig, ConferenceConfig, CustomHeader, DeepfakeDetection, DialogflowConfig, Placement, RepeatClass, SipHeader, SoundModifications, StreamParameter, TranscriptionConfig, WebhookRetriesPolicy

A = TypeVar("A")


class CommandOptions(TypedDict, total=False):
    """What every command may be sent with."""

    command_id: str
    """Its name, if it is chosen before: who sends the same again after a restart has it done once."""
    expire_time: datetime
    """When it is no longer worth sending; unless given, after the action's own time."""
    after_completed: bool
    """Whether what the command before it started must be in effect first."""
    requires: str
    """The id of an earlier command of the call that must have succeeded."""
    placement: Placement.ValueType
    """Where it enters the call's line."""
    group: str
    """A name shared by commands that may have to be cancelled together."""
    completion_timeout: float
    """How long (seconds) its completion is awaited."""
    sensitive: bool
    """Whether texts and digits are masked wherever people look."""
    client_state: str
    """The state, in Base64, that Telnyx repeats in every later webhook of the call."""
    extra: Mapping[str, Any]
    """Fields of Telnyx's body that have no type here yet."""


class CallCommands(ABC, Generic[A]):
    """The commands of a call."""

    @abstractmethod
    async def _send(self, action: str, fields: Mapping[str, Any], options: CommandOptions) -> A:
        """Send a command; a field that is None is not set."""

    async def answer(
        self,
        *,
        billing_group_id: str | None = None,
        custom_headers: Iterable[CustomHeader] | None = None,
        sip_headers: Iterable[SipHeader] | None = None,
        sound_modifications: SoundModifications | None = None,
        stream_url: str | None = None,
        stream_track: str | None = None,
        webhook_url: str | None = None,
        webhook_url_method: str | None = None,
        assistant: Mapping[str, Any] | None = None,
        conversation_relay_config: Mapping[str, Any] | None = None,
        deepfake_detection: DeepfakeDetection | None = None,
        send_silence_when_idle: bool | None = None,
        transcription: bool | None = None,
        transcription_config: TranscriptionConfig | None = None,
        preferred_codecs: str | None = None,
        record: str | None = None,
        record_channels: str | None = None,
        record_format: str | None = None,
        record_max_length: int | None = None,
        record_timeout_secs: int | None = None,
        record_track: str | None = None,
        record_trim: str | None = None,
        record_custom_file_name: str | None = None,
        stream_codec: str | None = None,
        stream_bidirectional_mode: str | None = None,
        stream_bidirectional_codec: str | None = None,
        stream_bidirectional_target_legs: str | None = None,
        webhook_urls: Mapping[str, Any] | None = None,
        webhook_urls_method: str | None = None,
        webhook_retries_policies: Mapping[str, WebhookRetriesPolicy] | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Answers an incoming call; must come before any other action on it.

        billing_group_id: The billing group to charge, a UUID.
        custom_headers: Headers of the application's own for the SIP answer.
        sip_headers: Standard headers for the SIP answer.
        sound_modifications: Changes of the voice.
        stream_url: The WebSocket address that gets the call's audio.
        stream_track: Whose audio it gets: inbound_track, outbound_track or both_tracks.
        webhook_url: Where this call's later webhooks go, instead of the application's address.
        webhook_url_method: The verb of those webhooks: POST or GET.
        assistant: The AI assistant started on the answer, as Telnyx documents it.
        conversation_relay_config: The Conversation Relay session started on the answer, as Telnyx documents it.
        deepfake_detection: Whether to tell a made voice from a true one.
        send_silence_when_idle: Whether silence is sent as RTP where nothing else is.
        transcription: Whether the call is transcribed from the answer on.
        transcription_config: How it is transcribed.
        preferred_codecs: Codecs in order of preference, with commas between them.
        record: With "record-from-answer", records from the answer on.
        record_channels: Whether the recording has a single or a dual channel.
        record_format: The recording's format: wav or mp3.
        record_max_length: Seconds that the recording may last; 0 sets no limit.
        record_timeout_secs: Seconds of silence that end the recording; 0: never. Telnyx charges for telling silence.
        record_track: Who is recorded: inbound, outbound or both; one alone is recorded on a single channel.
        record_trim: With "trim-silence", takes silence off both ends of the recording.
        record_custom_file_name: The recording's file name, which Telnyx ends with the time.
        stream_codec: The codec of the stream, such as PCMU or L16; default: that of the call.
        stream_bidirectional_mode: How audio is sent back over the WebSocket: mp3 or rtp.
        stream_bidirectional_codec: The codec of what is sent back as rtp, such as PCMU or L16.
        stream_bidirectional_target_legs: Who hears what is sent back: self, opposite or both.
        webhook_urls: Where this call's webhooks of some types go: by event type, an address or a list of them. Completions need those that they wait for to come here.
        webhook_urls_method: The verb of those webhooks: POST or GET.
        webhook_retries_policies: When webhooks that were not taken are sent again, by event type.
        """
        fields: Mapping[str, Any] = {"billing_group_id": billing_group_id, "custom_headers": custom_headers, "sip_headers": sip_headers, "sound_modifications": sound_modifications, "stream_url": stream_url, "stream_track": stream_track, "webhook_url": webhook_url, "webhook_url_method": webhook_url_method, "assistant": assistant, "conversation_relay_config": conversation_relay_config, "deepfake_detection": deepfake_detection, "send_silence_when_idle": send_silence_when_idle, "transcription": transcription, "transcription_config": transcription_config, "preferred_codecs": preferred_codecs, "record": record, "record_channels": record_channels, "record_format": record_format, "record_max_length": record_max_length, "record_timeout_secs": record_timeout_secs, "record_track": record_track, "record_trim": record_trim, "record_custom_file_name": record_custom_file_name, "stream_codec": stream_codec, "stream_bidirectional_mode": stream_bidirectional_mode, "stream_bidirectional_codec": stream_bidirectional_codec, "stream_bidirectional_target_legs": stream_bidirectional_target_legs, "webhook_urls": webhook_urls, "webhook_urls_method": webhook_urls_method, "webhook_retries_policies": webhook_retries_policies}
        return await self._send("answer", fields, options)

    async def bridge(
        self,
        *,
        call_control_id_to_bridge_with: str | None = None,
        queue: str | None = None,
        video_room_id: str | None = None,
        video_room_context: str | None = None,
        park_after_unbridge: str | None = None,
        hold_after_unbridge: bool | None = None,
        mute_dtmf: str | None = None,
        play_ringtone: bool | None = None,
        ringtone: str | None = None,
        prevent_double_bridge: bool | None = None,
        record: str | None = None,
        record_channels: str | None = None,
        record_format: str | None = None,
        record_max_length: int | None = None,
        record_timeout_secs: int | None = None,
        record_track: str | None = None,
        record_trim: str | None = None,
        record_custom_file_name: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Connects this call to another, to the first of a queue, or to a video room: exactly one of them.

        call_control_id_to_bridge_with: The other call.
        queue: The queue whose first call is taken, and leaves the queue whatever happens.
        video_room_id: The video room, a UUID.
        video_room_context: Text handed to the video room.
        park_after_unbridge: With "self", this call is parked when the bridge ends; else it is hung up.
        hold_after_unbridge: Whether this call is held, not hung up, when the bridge ends.
        mute_dtmf: From whom keys are hidden: none, both, self or opposite. Their webhooks come all the same.
        play_ringtone: Whether ringing is heard until the other call is answered.
        ringtone: The country whose ringing that is, such as us or de.
        prevent_double_bridge: Whether a call that is bridged already is refused.
        record: With "record-from-answer", records from the answer on.
        record_channels: Whether the recording has a single or a dual channel.
        record_format: The recording's format: wav or mp3.
        record_max_length: Seconds that the recording may last; 0 sets no limit.
        record_timeout_secs: Seconds of silence that end the recording; 0: never. Telnyx charges for telling silence.
        record_track: Who is recorded: inbound, outbound or both; one alone is recorded on a single channel.
        record_trim: With "trim-silence", takes silence off both ends of the recording.
        record_custom_file_name: The recording's file name, which Telnyx ends with the time.
        """
        fields: Mapping[str, Any] = {"call_control_id_to_bridge_with": call_control_id_to_bridge_with, "queue": queue, "video_room_id": video_room_id, "video_room_context": video_room_context, "park_after_unbridge": park_after_unbridge, "hold_after_unbridge": hold_after_unbridge, "mute_dtmf": mute_dtmf, "play_ringtone": play_ringtone, "ringtone": ringtone, "prevent_double_bridge": prevent_double_bridge, "record": record, "record_channels": record_channels, "record_format": record_format, "record_max_length": record_max_length, "record_timeout_secs": record_timeout_secs, "record_track": record_track, "record_trim": record_trim, "record_custom_file_name": record_custom_file_name}
        return await self._send("bridge", fields, options)

    async def enqueue(
        self,
        *,
        queue_name: str,
        max_wait_time_secs: int | None = None,
        max_size: int | None = None,
        keep_after_hangup: bool | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Puts the call in a queue.

        queue_name: The queue; it is made where there is none of this name.
        max_wait_time_secs: Seconds after which the call leaves the queue.
        max_size: How many calls the queue holds; that of a queue that exists already does not change.
        keep_after_hangup: Whether its place in the queue outlives the call.
        """
        fields: Mapping[str, Any] = {"queue_name": queue_name, "max_wait_time_secs": max_wait_time_secs, "max_size": max_size, "keep_after_hangup": keep_after_hangup}
        return await self._send("enqueue", fields, options)

    async def fork_start(
        self,
        *,
        target: str | None = None,
        rx: str | None = None,
        stream_type: str | None = None,
        tx: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Copies the call's RTP to UDP addresses: to one for both directions, or to one for each. Of 2026 Telnyx documents only rx with tx, decrypted; target and raw, as until 2023, are sent as they are given.

        target: Where both directions go, in Telnyx's own envelope: udp:address:port.
        rx: Where what comes in goes: udp:address:port.
        stream_type: Whether the audio is forked as it is (raw) or decrypted.
        tx: Where what goes out goes: udp:address:port.
        """
        fields: Mapping[str, Any] = {"target": target, "rx": rx, "stream_type": stream_type, "tx": tx}
        return await self._send("fork_start", fields, options)

    async def fork_stop(
        self,
        *,
        stream_type: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Ends a fork.

        stream_type: The kind of fork to end: raw or decrypted, as it was started.
        """
        fields: Mapping[str, Any] = {"stream_type": stream_type}
        return await self._send("fork_stop", fields, options)

    async def gather(
        self,
        *,
        minimum_digits: int | None = None,
        maximum_digits: int | None = None,
        timeout_millis: int | None = None,
        inter_digit_timeout_millis: int | None = None,
        initial_timeout_millis: int | None = None,
        terminating_digit: str | None = None,
        valid_digits: str | None = None,
        gather_id: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Collects digits.

        minimum_digits: The fewest digits.
        maximum_digits: The most digits.
        timeout_millis: Milliseconds for all of them.
        inter_digit_timeout_millis: Milliseconds between one and the next.
        initial_timeout_millis: Milliseconds until the first.
        terminating_digit: The digit that ends the collecting.
        valid_digits: The digits that count.
        gather_id: A name for it that its call.gather.ended repeats.
        """
        fields: Mapping[str, Any] = {"minimum_digits": minimum_digits, "maximum_digits": maximum_digits, "timeout_millis": timeout_millis, "inter_digit_timeout_millis": inter_digit_timeout_millis, "initial_timeout_millis": initial_timeout_millis, "terminating_digit": terminating_digit, "valid_digits": valid_digits, "gather_id": gather_id}
        return await self._send("gather", fields, options)

    async def gather_stop(
        self,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Ends a gather that is running."""
        fields: Mapping[str, Any] = {}
        return await self._send("gather_stop", fields, options)

    async def gather_using_audio(
        self,
        *,
        audio_url: str | None = None,
        media_name: str | None = None,
        invalid_audio_url: str | None = None,
        invalid_media_name: str | None = None,
        minimum_digits: int | None = None,
        maximum_digits: int | None = None,
        maximum_tries: int | None = None,
        timeout_millis: int | None = None,
        terminating_digit: str | None = None,
        valid_digits: str | None = None,
        inter_digit_timeout_millis: int | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Plays audio, and collects digits.

        audio_url: The address of the audio.
        media_name: The stored media.
        invalid_audio_url: The address of what is played after wrong digits.
        invalid_media_name: The stored media that is played after wrong digits.
        minimum_digits: The fewest digits.
        maximum_digits: The most digits.
        maximum_tries: How often it is played where nothing is keyed.
        timeout_millis: Milliseconds for all digits.
        terminating_digit: The digit that ends the collecting.
        valid_digits: The digits that count.
        inter_digit_timeout_millis: Milliseconds between one digit and the next.
        """
        fields: Mapping[str, Any] = {"audio_url": audio_url, "media_name": media_name, "invalid_audio_url": invalid_audio_url, "invalid_media_name": invalid_media_name, "minimum_digits": minimum_digits, "maximum_digits": maximum_digits, "maximum_tries": maximum_tries, "timeout_millis": timeout_millis, "terminating_digit": terminating_digit, "valid_digits": valid_digits, "inter_digit_timeout_millis": inter_digit_timeout_millis}
        return await self._send("gather_using_audio", fields, options)

    async def gather_using_speak(
        self,
        *,
        payload: str,
        voice: str,
        invalid_payload: str | None = None,
        payload_type: str | None = None,
        service_level: str | None = None,
        language: str | None = None,
        minimum_digits: int | None = None,
        maximum_digits: int | None = None,
        maximum_tries: int | None = None,
        timeout_millis: int | None = None,
        terminating_digit: str | None = None,
        valid_digits: str | None = None,
        inter_digit_timeout_millis: int | None = None,
        voice_settings: Mapping[str, Any] | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Speaks, and collects digits.

        payload: What to say.
        voice: The voice: male, female, or one of a provider's by name.
        invalid_payload: What to say after wrong digits.
        payload_type: Whether that is text or ssml.
        service_level: The speech's quality: basic or premium.
        language: The language, such as en-US.
        minimum_digits: The fewest digits.
        maximum_digits: The most digits.
        maximum_tries: How often it is said where nothing is keyed.
        timeout_millis: Milliseconds for all digits.
        terminating_digit: The digit that ends the collecting.
        valid_digits: The digits that count.
        inter_digit_timeout_millis: Milliseconds between one digit and the next.
        voice_settings: Settings of the voice, which differ by its provider.
        """
        fields: Mapping[str, Any] = {"payload": payload, "invalid_payload": invalid_payload, "payload_type": payload_type, "service_level": service_level, "voice": voice, "language": language, "minimum_digits": minimum_digits, "maximum_digits": maximum_digits, "maximum_tries": maximum_tries, "timeout_millis": timeout_millis, "terminating_digit": terminating_digit, "valid_digits": valid_digits, "inter_digit_timeout_millis": inter_digit_timeout_millis, "voice_settings": voice_settings}
        return await self._send("gather_using_speak", fields, options)

    async def hangup(
        self,
        *,
        custom_headers: Iterable[CustomHeader] | None = None,
        reason: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Ends the call.

        custom_headers: Headers of the application's own for the SIP BYE.
        reason: What the phone of an unanswered outgoing leg is told, in the SIP Reason header.
        """
        fields: Mapping[str, Any] = {"custom_headers": custom_headers, "reason": reason}
        return await self._send("hangup", fields, options)

    async def playback_start(
        self,
        *,
        audio_url: str | None = None,
        media_name: str | None = None,
        loop: int | None = None,
        loop_text: str | None = None,
        overlay: bool | None = None,
        stop: str | None = None,
        target_legs: str | None = None,
        cache_audio: bool | None = None,
        playback_content: str | None = None,
        audio_type: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Plays audio. Several of them queue up.

        audio_url: The address of the audio.
        media_name: The stored media.
        loop: How many times. Telnyx is sent a number.
        loop_text: The same in words, such as infinity. Telnyx is sent a string under the name `loop`.
        overlay: Whether it is mixed over what plays already.
        stop: Whether to stop the audio that plays (current), or what is queued too (all).
        target_legs: Who hears it: self, opposite or both.
        cache_audio: Whether the file is kept for as long as the call lasts.
        playback_content: The audio itself, in Base64.
        audio_type: The format of the audio in playback_content: mp3 or wav.
        """
        fields: Mapping[str, Any] = {"audio_url": audio_url, "media_name": media_name, "loop": loop, "loop_text": loop_text, "overlay": overlay, "stop": stop, "target_legs": target_legs, "cache_audio": cache_audio, "playback_content": playback_content, "audio_type": audio_type}
        return await self._send("playback_start", fields, options)

    async def playback_stop(
        self,
        *,
        overlay: bool | None = None,
        stop: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Stops what is played or spoken.

        overlay: Whether to stop the overlay instead.
        stop: Whether to stop the audio that plays (current), or what is queued too (all).
        """
        fields: Mapping[str, Any] = {"overlay": overlay, "stop": stop}
        return await self._send("playback_stop", fields, options)

    async def record_pause(
        self,
        *,
        recording_id: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Pauses the recording.

        recording_id: The recording, a UUID, where there are several.
        """
        fields: Mapping[str, Any] = {"recording_id": recording_id}
        return await self._send("record_pause", fields, options)

    async def record_resume(
        self,
        *,
        recording_id: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Goes on with a paused recording.

        recording_id: The recording, a UUID, where there are several.
        """
        fields: Mapping[str, Any] = {"recording_id": recording_id}
        return await self._send("record_resume", fields, options)

    async def record_start(
        self,
        *,
        format: str,
        channels: str,
        play_beep: bool | None = None,
        max_length: int | None = None,
        timeout_secs: int | None = None,
        recording_track: str | None = None,
        trim: str | None = None,
        custom_file_name: str | None = None,
        transcription: bool | None = None,
        transcription_engine: str | None = None,
        transcription_language: str | None = None,
        transcription_profanity_filter: bool | None = None,
        transcription_speaker_diarization: bool | None = None,
        transcription_min_speaker_count: int | None = None,
        transcription_max_speaker_count: int | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Starts a recording.

        format: Its format: wav or mp3.
        channels: Whether it has a single or a dual channel.
        play_beep: Whether a beep tells of it.
        max_length: Seconds that it may last; 0 sets no limit.
        timeout_secs: Seconds of silence that end it; 0: never.
        recording_track: Who is recorded: inbound, outbound or both; one alone is recorded on a single channel.
        trim: With "trim-silence", takes silence off both ends.
        custom_file_name: The file name, which Telnyx ends with the time.
        transcription: Whether the recording is transcribed when it is saved.
        transcription_engine: By whom: A (Google), B (Telnyx), or another by name, such as deepgram/nova-3.
        transcription_language: The language spoken, such as en-US.
        transcription_profanity_filter: Whether profanity is masked. For Google only, as those below.
        transcription_speaker_diarization: Whether speakers are told apart.
        transcription_min_speaker_count: The fewest speakers.
        transcription_max_speaker_count: The most speakers.
        """
        fields: Mapping[str, Any] = {"format": format, "channels": channels, "play_beep": play_beep, "max_length": max_length, "timeout_secs": timeout_secs, "recording_track": recording_track, "trim": trim, "custom_file_name": custom_file_name, "transcription": transcription, "transcription_engine": transcription_engine, "transcription_language": transcription_language, "transcription_profanity_filter": transcription_profanity_filter, "transcription_speaker_diarization": transcription_speaker_diarization, "transcription_min_speaker_count": transcription_min_speaker_count, "transcription_max_speaker_count": transcription_max_speaker_count}
        return await self._send("record_start", fields, options)

    async def record_stop(
        self,
        *,
        recording_id: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Ends the recording.

        recording_id: The recording, a UUID, where there are several.
        """
        fields: Mapping[str, Any] = {"recording_id": recording_id}
        return await self._send("record_stop", fields, options)

    async def refer(
        self,
        *,
        sip_address: str,
        custom_headers: Iterable[CustomHeader] | None = None,
        sip_auth_username: str | None = None,
        sip_auth_password: str | None = None,
        sip_headers: Iterable[SipHeader] | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Refers the call to another SIP address, by SIP REFER.

        sip_address: The SIP URI of the new destination.
        custom_headers: Headers of the application's own for the SIP REFER.
        sip_auth_username: The name under which to answer the destination's challenge.
        sip_auth_password: The password that goes with it.
        sip_headers: Standard headers for the SIP REFER.
        """
        fields: Mapping[str, Any] = {"sip_address": sip_address, "custom_headers": custom_headers, "sip_auth_username": sip_auth_username, "sip_auth_password": sip_auth_password, "sip_headers": sip_headers}
        return await self._send("refer", fields, options)

    async def reject(
        self,
        *,
        cause: str,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Refuses an incoming call.

        cause: What the caller is told: CALL_REJECTED, USER_BUSY, NOT_FOUND or TEMPORARILY_UNAVAILABLE.
        """
        fields: Mapping[str, Any] = {"cause": cause}
        return await self._send("reject", fields, options)

    async def send_dtmf(
        self,
        *,
        digits: str,
        duration_millis: int | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Sends keys.

        digits: The keys: 0 to 9, A to D, * and #; w waits half a second, W one.
        duration_millis: Milliseconds that each is pressed.
        """
        fields: Mapping[str, Any] = {"digits": digits, "duration_millis": duration_millis}
        return await self._send("send_dtmf", fields, options)

    async def speak(
        self,
        *,
        payload: str,
        voice: str,
        payload_type: str | None = None,
        service_level: str | None = None,
        stop: str | None = None,
        language: str | None = None,
        loop: int | None = None,
        loop_text: str | None = None,
        target_legs: str | None = None,
        voice_settings: Mapping[str, Any] | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Speaks. Several of them queue up.

        payload: What to say.
        voice: The voice: male, female, or one of a provider's by name.
        payload_type: Whether that is text or ssml.
        service_level: The speech's quality: basic or premium.
        stop: Whether to stop the audio that plays (current), or what is queued too (all).
        language: The language, such as en-US.
        loop: How many times. Telnyx is sent a number.
        loop_text: The same in words, such as infinity. Telnyx is sent a string under the name `loop`.
        target_legs: Who hears it: self, opposite or both.
        voice_settings: Settings of the voice, which differ by its provider.
        """
        fields: Mapping[str, Any] = {"payload": payload, "payload_type": payload_type, "service_level": service_level, "stop": stop, "voice": voice, "language": language, "loop": loop, "loop_text": loop_text, "target_legs": target_legs, "voice_settings": voice_settings}
        return await self._send("speak", fields, options)

    async def streaming_start(
        self,
        *,
        stream_url: str | None = None,
        stream_track: str | None = None,
        enable_dialogflow: bool | None = None,
        dialogflow_config: DialogflowConfig | None = None,
        stream_codec: str | None = None,
        stream_bidirectional_mode: str | None = None,
        stream_bidirectional_codec: str | None = None,
        stream_bidirectional_sampling_rate: int | None = None,
        stream_bidirectional_target_legs: str | None = None,
        stream_auth_token: str | None = None,
        custom_parameters: Iterable[StreamParameter] | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Streams the call's audio to a WebSocket or to Dialogflow.

        stream_url: The WebSocket address.
        stream_track: Whose audio: inbound_track, outbound_track or both_tracks.
        enable_dialogflow: Whether Dialogflow takes part.
        dialogflow_config: How it takes part.
        stream_codec: The codec of the stream, such as PCMU or L16; default: that of the call.
        stream_bidirectional_mode: How audio is sent back over the WebSocket: mp3 or rtp.
        stream_bidirectional_codec: The codec of what is sent back as rtp, such as PCMU or L16.
        stream_bidirectional_sampling_rate: Its samples a second.
        stream_bidirectional_target_legs: Who hears what is sent back: self, opposite or both.
        stream_auth_token: The token shown to the WebSocket server.
        custom_parameters: What the WebSocket server is told when the stream starts.
        """
        fields: Mapping[str, Any] = {"stream_url": stream_url, "stream_track": stream_track, "enable_dialogflow": enable_dialogflow, "dialogflow_config": dialogflow_config, "stream_codec": stream_codec, "stream_bidirectional_mode": stream_bidirectional_mode, "stream_bidirectional_codec": stream_bidirectional_codec, "stream_bidirectional_sampling_rate": stream_bidirectional_sampling_rate, "stream_bidirectional_target_legs": stream_bidirectional_target_legs, "stream_auth_token": stream_auth_token, "custom_parameters": custom_parameters}
        return await self._send("streaming_start", fields, options)

    async def streaming_stop(
        self,
        *,
        stream_id: str | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Ends a stream.

        stream_id: The stream, a UUID; absent: all of the call.
        """
        fields: Mapping[str, Any] = {"stream_id": stream_id}
        return await self._send("streaming_stop", fields, options)

    async def transcription_start(
        self,
        *,
        language: str | None = None,
        interim_results: bool | None = None,
        transcription_tracks: str | None = None,
        transcription_engine: str | None = None,
        transcription_engine_config: Mapping[str, Any] | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Starts to transcribe; the words arrive as events. Of language and interim_results Telnyx documents two places: their own fields here until 2023, transcription_engine_config since. Both are sent as they are given.

        language: The language spoken, such as en.
        interim_results: Whether words are sent before they are final.
        transcription_tracks: Who is transcribed: inbound, outbound or both.
        transcription_engine: Who transcribes, such as Google, Telnyx, Deepgram, Azure, or A and B for the first two.
        transcription_engine_config: Settings of the engine, which differ by engine; the newer place of language and interim_results.
        """
        fields: Mapping[str, Any] = {"language": language, "interim_results": interim_results, "transcription_tracks": transcription_tracks, "transcription_engine": transcription_engine, "transcription_engine_config": transcription_engine_config}
        return await self._send("transcription_start", fields, options)

    async def transcription_stop(
        self,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Ends the transcription."""
        fields: Mapping[str, Any] = {}
        return await self._send("transcription_stop", fields, options)

    async def transfer(
        self,
        *,
        to: str | None = None,
        to_list: Iterable[str] | None = None,
        from_number: str | None = None,
        from_display_name: str | None = None,
        audio_url: str | None = None,
        media_name: str | None = None,
        timeout_secs: int | None = None,
        time_limit_secs: int | None = None,
        answering_machine_detection: str | None = None,
        answering_machine_detection_config: AnsweringMachineDetectionConfig | None = None,
        custom_headers: Iterable[CustomHeader] | None = None,
        target_leg_client_state: str | None = None,
        sip_auth_username: str | None = None,
        sip_auth_password: str | None = None,
        sip_headers: Iterable[SipHeader] | None = None,
        sound_modifications: SoundModifications | None = None,
        webhook_url: str | None = None,
        webhook_url_method: str | None = None,
        media_encryption: str | None = None,
        privacy: str | None = None,
        send_digits_on_answer: str | None = None,
        sip_region: str | None = None,
        sip_transport_protocol: str | None = None,
        diversion: str | None = None,
        route_to_mobile: bool | None = None,
        early_media: bool | None = None,
        mute_dtmf: str | None = None,
        park_after_unbridge: str | None = None,
        preferred_codecs: str | None = None,
        record: str | None = None,
        record_channels: str | None = None,
        record_format: str | None = None,
        record_max_length: int | None = None,
        record_timeout_secs: int | None = None,
        record_track: str | None = None,
        record_trim: str | None = None,
        record_custom_file_name: str | None = None,
        webhook_urls: Mapping[str, Any] | None = None,
        webhook_urls_method: str | None = None,
        webhook_retries_policies: Mapping[str, WebhookRetriesPolicy] | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Connects this call to a new leg. What becomes of that leg arrives as events of its own.

        to: The number, in +E.164, or the SIP URI to call. Telnyx is sent a string.
        to_list: Several of them. Telnyx is sent a list under the name `to`, also where there is only one.
        from_number: The caller's number for the new leg, in +E.164; the number that was called when it is absent.
        from_display_name: The caller's name as shown: letters, digits, spaces and -_~!.+
        audio_url: The address of the audio played to whoever answers.
        media_name: The stored media played to whoever answers.
        timeout_secs: Seconds to wait for an answer.
        time_limit_secs: Seconds that the new leg may last.
        answering_machine_detection: How to tell a machine from a person.
        answering_machine_detection_config: The thresholds of that.
        custom_headers: Headers of the application's own for the SIP INVITE.
        target_leg_client_state: The state, in Base64, that Telnyx repeats in webhooks of the new leg.
        sip_auth_username: The name under which to answer the destination's challenge.
        sip_auth_password: The password that goes with it.
        sip_headers: Standard headers for the SIP INVITE.
        sound_modifications: Changes of the voice.
        webhook_url: Where the new leg's webhooks go, instead of the application's address.
        webhook_url_method: The verb of those webhooks: POST or GET.
        media_encryption: How the media is encrypted: disabled, SRTP or DTLS.
        privacy: With "id", hides the caller's name and number; none: shows them.
        send_digits_on_answer: Keys sent when the other end answers: up to 64 of 0-9, A-D, *, #; w waits half a second, W one.
        sip_region: The region from which to call, such as US, Europe, Canada, Australia or Middle East.
        sip_transport_protocol: The transport of SIP: UDP, TCP or TLS.
        diversion: The number, in +E.164, that was called by an incoming call whose caller's number may be shown.
        route_to_mobile: Whether a Telnyx Mobile number is called past its call interception.
        early_media: Whether this call hears what comes before the answer.
        mute_dtmf: From whom keys are hidden: none, both, self or opposite. Their webhooks come all the same.
        park_after_unbridge: With "self", this call is parked when the transfer ends; else it is hung up.
        preferred_codecs: Codecs in order of preference, with commas between them.
        record: With "record-from-answer", records from the answer on.
        record_channels: Whether the recording has a single or a dual channel.
        record_format: The recording's format: wav or mp3.
        record_max_length: Seconds that the recording may last; 0 sets no limit.
        record_timeout_secs: Seconds of silence that end the recording; 0: never. Telnyx charges for telling silence.
        record_track: Who is recorded: inbound, outbound or both; one alone is recorded on a single channel.
        record_trim: With "trim-silence", takes silence off both ends of the recording.
        record_custom_file_name: The recording's file name, which Telnyx ends with the time.
        webhook_urls: Where the new leg's webhooks of some types go: by event type, an address or a list of them. Completions need those that they wait for to come here.
        webhook_urls_method: The verb of those webhooks: POST or GET.
        webhook_retries_policies: When webhooks that were not taken are sent again, by event type.
        """
        fields: Mapping[str, Any] = {"to": to, "to_list": to_list, "from_number": from_number, "from_display_name": from_display_name, "audio_url": audio_url, "media_name": media_name, "timeout_secs": timeout_secs, "time_limit_secs": time_limit_secs, "answering_machine_detection": answering_machine_detection, "answering_machine_detection_config": answering_machine_detection_config, "custom_headers": custom_headers, "target_leg_client_state": target_leg_client_state, "sip_auth_username": sip_auth_username, "sip_auth_password": sip_auth_password, "sip_headers": sip_headers, "sound_modifications": sound_modifications, "webhook_url": webhook_url, "webhook_url_method": webhook_url_method, "media_encryption": media_encryption, "privacy": privacy, "send_digits_on_answer": send_digits_on_answer, "sip_region": sip_region, "sip_transport_protocol": sip_transport_protocol, "diversion": diversion, "route_to_mobile": route_to_mobile, "early_media": early_media, "mute_dtmf": mute_dtmf, "park_after_unbridge": park_after_unbridge, "preferred_codecs": preferred_codecs, "record": record, "record_channels": record_channels, "record_format": record_format, "record_max_length": record_max_length, "record_timeout_secs": record_timeout_secs, "record_track": record_track, "record_trim": record_trim, "record_custom_file_name": record_custom_file_name, "webhook_urls": webhook_urls, "webhook_urls_method": webhook_urls_method, "webhook_retries_policies": webhook_retries_policies}
        return await self._send("transfer", fields, options)

    async def client_state_update(
        self,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Replaces the state that Telnyx repeats in every later webhook of the call, by Command.client_state."""
        fields: Mapping[str, Any] = {}
        return await self._send("client_state_update", fields, options)

    async def leave_queue(
        self,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Takes the call out of its queue."""
        fields: Mapping[str, Any] = {}
        return await self._send("leave_queue", fields, options)

    async def custom(
        self,
        *,
        name: str,
        body: Mapping[str, Any] | None = None,
        without_command_id: bool | None = None,
        repeat: RepeatClass.ValueType | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """An action that has no type here yet.

        name: Its name, the last part of its path. A name that has a type here is refused: its type knows how to repeat it safely.
        body: Its body, but for command_id and client_state.
        without_command_id: Whether Telnyx takes no command_id for it. Then none is sent, and Telnyx would not know a second one from the first. Of siprec_start and switch_supervisor_role this is known.
        repeat: How it may be sent again: ALWAYS where a second one does no harm, UNSENT where only one may arrive. Unset: WINDOW, for as long as Telnyx knows its command_id; UNSENT where it has none.
        """
        fields: Mapping[str, Any] = {"name": name, "body": body, "without_command_id": without_command_id, "repeat": repeat}
        return await self._send("custom", fields, options)


class DialCommands(ABC, Generic[A]):
    """The command that makes a call."""

    @abstractmethod
    async def _send(self, action: str, fields: Mapping[str, Any], options: CommandOptions) -> A:
        """Send a command; a field that is None is not set."""

    async def dial(
        self,
        *,
        from_number: str,
        connection_id: str,
        to: str | None = None,
        to_list: Iterable[str] | None = None,
        from_display_name: str | None = None,
        audio_url: str | None = None,
        media_name: str | None = None,
        preferred_codecs: str | None = None,
        timeout_secs: int | None = None,
        time_limit_secs: int | None = None,
        answering_machine_detection: str | None = None,
        answering_machine_detection_config: AnsweringMachineDetectionConfig | None = None,
        custom_headers: Iterable[CustomHeader] | None = None,
        billing_group_id: str | None = None,
        link_to: str | None = None,
        sip_auth_username: str | None = None,
        sip_auth_password: str | None = None,
        sip_headers: Iterable[SipHeader] | None = None,
        sound_modifications: SoundModifications | None = None,
        stream_url: str | None = None,
        stream_track: str | None = None,
        webhook_url: str | None = None,
        webhook_url_method: str | None = None,
        record: str | None = None,
        record_channels: str | None = None,
        record_format: str | None = None,
        record_max_length: int | None = None,
        record_timeout_secs: int | None = None,
        enable_dialogflow: bool | None = None,
        dialogflow_config: DialogflowConfig | None = None,
        assistant: Mapping[str, Any] | None = None,
        conversation_relay_config: Mapping[str, Any] | None = None,
        deepfake_detection: DeepfakeDetection | None = None,
        send_silence_when_idle: bool | None = None,
        transcription: bool | None = None,
        transcription_config: TranscriptionConfig | None = None,
        stream_codec: str | None = None,
        stream_bidirectional_mode: str | None = None,
        stream_bidirectional_codec: str | None = None,
        stream_bidirectional_sampling_rate: int | None = None,
        stream_bidirectional_target_legs: str | None = None,
        stream_auth_token: str | None = None,
        stream_establish_before_call_originate: bool | None = None,
        record_track: str | None = None,
        record_trim: str | None = None,
        record_custom_file_name: str | None = None,
        webhook_urls: Mapping[str, Any] | None = None,
        webhook_urls_method: str | None = None,
        webhook_retries_policies: Mapping[str, WebhookRetriesPolicy] | None = None,
        media_encryption: str | None = None,
        privacy: str | None = None,
        send_digits_on_answer: str | None = None,
        sip_region: str | None = None,
        sip_transport_protocol: str | None = None,
        diversion: str | None = None,
        route_to_mobile: bool | None = None,
        retry_on_timeout: bool | None = None,
        bridge_intent: bool | None = None,
        bridge_on_answer: bool | None = None,
        park_after_unbridge: str | None = None,
        prevent_double_bridge: bool | None = None,
        supervise_call_control_id: str | None = None,
        supervisor_role: str | None = None,
        conference_config: ConferenceConfig | None = None,
        **options: Unpack[CommandOptions],
    ) -> A:
        """Starts a call. Its command names no call: the result names the one that Telnyx made.

        from_number: The caller's number, in +E.164.
        connection_id: The Call Control application that places the call.
        to: The number, in +E.164, or the SIP URI to call. Telnyx is sent a string.
        to_list: Several of them, called at once. Telnyx is sent a list under the name `to`, also where there is only one.
        from_display_name: The caller's name as shown: letters, digits, spaces and -_~!.+
        audio_url: The address of the audio played to whoever answers.
        media_name: The stored media played to whoever answers.
        preferred_codecs: Codecs in order of preference, with commas between them.
        timeout_secs: Seconds to wait for an answer.
        time_limit_secs: Seconds that the call may last.
        answering_machine_detection: How to tell a machine from a person.
        answering_machine_detection_config: The thresholds of that.
        custom_headers: Headers of the application's own for the SIP INVITE.
        billing_group_id: The billing group to charge, a UUID.
        link_to: A call whose session the new one joins.
        sip_auth_username: The name under which to answer the destination's challenge.
        sip_auth_password: The password that goes with it.
        sip_headers: Standard headers for the SIP INVITE.
        sound_modifications: Changes of the voice.
        stream_url: The WebSocket address that gets the call's audio.
        stream_track: Whose audio it gets: inbound_track, outbound_track or both_tracks.
        webhook_url: Where this call's webhooks go, instead of the application's address.
        webhook_url_method: The verb of those webhooks: POST or GET.
        record: With "record-from-answer", records the call from its answer on.
        record_channels: Whether the recording has a single or a dual channel.
        record_format: The recording's format: wav or mp3.
        record_max_length: Seconds that the recording may last; 0 sets no limit.
        record_timeout_secs: Seconds of silence that end the recording; 0: never.
        enable_dialogflow: Whether Dialogflow takes part.
        dialogflow_config: How it takes part.
        assistant: The AI assistant started on the answer, as Telnyx documents it.
        conversation_relay_config: The Conversation Relay session started on the answer, as Telnyx documents it.
        deepfake_detection: Whether to tell a made voice from a true one.
        send_silence_when_idle: Whether silence is sent as RTP where nothing else is.
        transcription: Whether the call is transcribed from the answer on.
        transcription_config: How it is transcribed.
        stream_codec: The codec of the stream, such as PCMU or L16; default: that of the call.
        stream_bidirectional_mode: How audio is sent back over the WebSocket: mp3 or rtp.
        stream_bidirectional_codec: The codec of what is sent back as rtp, such as PCMU or L16.
        stream_bidirectional_sampling_rate: Its samples a second.
        stream_bidirectional_target_legs: Who hears what is sent back: self, opposite or both.
        stream_auth_token: The token shown to the WebSocket server.
        stream_establish_before_call_originate: Whether the WebSocket is opened before the call is placed.
        record_track: Who is recorded: inbound, outbound or both; one alone is recorded on a single channel.
        record_trim: With "trim-silence", takes silence off both ends of the recording.
        record_custom_file_name: The recording's file name, which Telnyx ends with the time.
        webhook_urls: Where this call's webhooks of some types go: by event type, an address or a list of them. Completions need those that they wait for to come here.
        webhook_urls_method: The verb of those webhooks: POST or GET.
        webhook_retries_policies: When webhooks that were not taken are sent again, by event type.
        media_encryption: How the media is encrypted: disabled, SRTP or DTLS.
        privacy: With "id", hides the caller's name and number; none: shows them.
        send_digits_on_answer: Keys sent when the other end answers: up to 64 of 0-9, A-D, *, #; w waits half a second, W one.
        sip_region: The region from which to call, such as US, Europe, Canada, Australia or Middle East.
        sip_transport_protocol: The transport of SIP: UDP, TCP or TLS.
        diversion: The number, in +E.164, that was called by an incoming call whose caller's number may be shown.
        route_to_mobile: Whether a Telnyx Mobile number is called past its call interception.
        retry_on_timeout: Whether other routes are tried after timeout_secs; false: the call ends as no_answer.
        bridge_intent: Whether the call is to be bridged with that of link_to, whose caller's number it shows.
        bridge_on_answer: Whether it is bridged with that of link_to as soon as it is answered.
        park_after_unbridge: With "self", it is parked when the bridge ends; else it is hung up.
        prevent_double_bridge: Whether it ends where the call to bridge with is bridged already.
        supervise_call_control_id: The call that this one supervises.
        supervisor_role: How: barge (hears and is heard by both), whisper (is heard by the supervised alone) or monitor (hears).
        conference_config: The conference that the new leg joins.
        """
        fields: Mapping[str, Any] = {"to": to, "to_list": to_list, "from_number": from_number, "from_display_name": from_display_name, "connection_id": connection_id, "audio_url": audio_url, "media_name": media_name, "preferred_codecs": preferred_codecs, "timeout_secs": timeout_secs, "time_limit_secs": time_limit_secs, "answering_machine_detection": answering_machine_detection, "answering_machine_detection_config": answering_machine_detection_config, "custom_headers": custom_headers, "billing_group_id": billing_group_id, "link_to": link_to, "sip_auth_username": sip_auth_username, "sip_auth_password": sip_auth_password, "sip_headers": sip_headers, "sound_modifications": sound_modifications, "stream_url": stream_url, "stream_track": stream_track, "webhook_url": webhook_url, "webhook_url_method": webhook_url_method, "record": record, "record_channels": record_channels, "record_format": record_format, "record_max_length": record_max_length, "record_timeout_secs": record_timeout_secs, "enable_dialogflow": enable_dialogflow, "dialogflow_config": dialogflow_config, "assistant": assistant, "conversation_relay_config": conversation_relay_config, "deepfake_detection": deepfake_detection, "send_silence_when_idle": send_silence_when_idle, "transcription": transcription, "transcription_config": transcription_config, "stream_codec": stream_codec, "stream_bidirectional_mode": stream_bidirectional_mode, "stream_bidirectional_codec": stream_bidirectional_codec, "stream_bidirectional_sampling_rate": stream_bidirectional_sampling_rate, "stream_bidirectional_target_legs": stream_bidirectional_target_legs, "stream_auth_token": stream_auth_token, "stream_establish_before_call_originate": stream_establish_before_call_originate, "record_track": record_track, "record_trim": record_trim, "record_custom_file_name": record_custom_file_name, "webhook_urls": webhook_urls, "webhook_urls_method": webhook_urls_method, "webhook_retries_policies": webhook_retries_policies, "media_encryption": media_encryption, "privacy": privacy, "send_digits_on_answer": send_digits_on_answer, "sip_region": sip_region, "sip_transport_protocol": sip_transport_protocol, "diversion": diversion, "route_to_mobile": route_to_mobile, "retry_on_timeout": retry_on_timeout, "bridge_intent": bridge_intent, "bridge_on_answer": bridge_on_answer, "park_after_unbridge": park_after_unbridge, "prevent_double_bridge": prevent_double_bridge, "supervise_call_control_id": supervise_call_control_id, "supervisor_role": supervisor_role, "conference_config": conference_config}
        return await self._send("dial", fields, options)
