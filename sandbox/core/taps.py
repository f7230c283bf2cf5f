"""What listens in on a leg: recordings, media streams, forks and transcriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sandbox.core.destinations import saves_recordings
from sandbox.core.life import Life
from sandbox.core.problems import documented
from sandbox.core.timers import Timer

if TYPE_CHECKING:
    from sandbox.core.call import Call

_HEARD: Final = "hello from the sandbox"


class Taps:
    """The taps of one leg; each kind runs once at a time."""

    def __init__(self, life: Life, call: Call) -> None:
        self._life = life
        self._call = call
        self._recording: dict[str, Any] | None = None
        self._recording_since = 0.0
        self._recording_limit: Timer | None = None
        self._stream: dict[str, Any] | None = None
        self._fork_type: str | None = None
        self._transcription: Timer | None = None
        self._deepfake: Timer | None = None

    @property
    def recording(self) -> bool:
        """Whether the leg is being recorded; a paused recording is one."""
        return self._recording is not None

    def begin(self, body: dict[str, Any]) -> None:
        """Start what a dial or an answer asked to run from the answer on."""
        if body.get("record") == "record-from-answer":
            self.record({name.removeprefix("record_"): value for name, value in body.items()})
        if body.get("stream_url"):
            self.stream(body)
        if body.get("transcription"):
            self.transcribe(body.get("transcription_config") or {})
        if (body.get("deepfake_detection") or {}).get("enabled"):
            result = {"result": "real", "score": 0.02, "consistency": 98.0}
            self._deepfake = self._life.after(1.0, lambda: self._tell("call.deepfake_detection.result", result))

    def record(self, body: dict[str, Any]) -> None:
        """Begin to record; one that runs is saved first."""
        self.save_recording()
        self._recording = {"channels": body.get("channels", "dual"), "format": body.get("format", "mp3")}
        self._recording_since = self._life.now
        if seconds := body.get("max_length"):
            self._recording_limit = self._life.after(float(seconds), self.save_recording)

    def save_recording(self) -> None:
        """End the recording, if one runs; that it is saved, or could not be, is told a little later."""
        recording, self._recording = self._recording, None
        if recording is None:
            return
        cause = self._life.cause  # The command that ends it; none where it has come to its greatest length.
        self._life.timers.cancel(self._recording_limit)
        if not saves_recordings(self._call.from_ if self._call.incoming else self._call.to):
            reason: dict[str, Any] = {"reason": "Internal server error"}
            self._life.after(
                self._life.habits.recording_save_seconds,
                lambda: self._life.tell(self._call, "call.recording.error", parties=False, cause=cause, **reason),
            )
            return
        urls: dict[str, str | None] = {"mp3": None, "wav": None}
        urls[recording["format"]] = f"https://recordings.sandbox/{self._call.leg_id}.{recording['format']}"
        told = {
            "recording_started_at": self._life.stamp(self._recording_since),
            "recording_ended_at": self._life.stamp(self._life.now),
            "channels": recording["channels"],
            "recording_urls": urls,
            "public_recording_urls": {"mp3": None, "wav": None},
        }
        self._life.after(self._life.habits.recording_save_seconds, lambda: self._saved(told, cause))

    def stream(self, body: dict[str, Any]) -> None:
        """Begin to stream; an address with `refused` in it fails."""
        self.stop_stream()
        url = body.get("stream_url")
        track = body.get("stream_track", "inbound_track")
        if url and "refused" in url:
            self._tell(
                "streaming.failed",
                {
                    "failure_reason": "connection_failed",
                    "stream_id": self._life.ids.uuid(),
                    "stream_params": {"stream_url": url, "track": track},
                    "stream_type": "websocket",
                },
            )
            return
        self._stream = {"stream_url": url}
        self._tell("streaming.started", self._stream)

    def stop_stream(self) -> None:
        """End the stream, if there is one."""
        if self._stream is not None:
            self._tell("streaming.stopped", self._stream)
            self._stream = None

    def fork(self, stream_type: str) -> None:
        """Begin to fork the media; one that runs is stopped first."""
        if self._fork_type is not None:
            self.stop_fork()
        self._fork_type = stream_type
        self._tell("call.fork.started", {"stream_type": stream_type})

    def stop_fork(self) -> None:
        """End the fork. Raises Refused (90031) when there is none."""
        if self._fork_type is None:
            raise documented("90031", "Call is not being forked")
        self._tell("call.fork.stopped", {"stream_type": self._fork_type})
        self._fork_type = None

    def transcribe(self, body: dict[str, Any]) -> None:
        """Begin to transcribe; one final line comes a second later, with `interim_results` one before it.

        Raises Refused (90054) when it runs already.
        """
        if self._transcription is not None:
            raise documented("90054", "Call transcription is already in progress")
        # Until 2023 a field of its own, since then one of the engine's settings.
        if body.get("interim_results") or (body.get("transcription_engine_config") or {}).get("interim_results"):
            self._transcription = self._life.after(0.5, self._overheard)
        else:
            self._transcription = self._life.after(1.0, self._heard)

    def _overheard(self) -> None:
        self._transcribed(_HEARD.split()[0], confidence=0.5, final=False)
        self._transcription = self._life.after(0.5, self._heard)

    def _heard(self) -> None:
        self._transcribed(_HEARD, confidence=0.98, final=True)

    def _transcribed(self, words: str, *, confidence: float, final: bool) -> None:
        data = {"confidence": confidence, "is_final": final, "transcript": words}
        self._tell("call.transcription", {"transcription_data": data})

    def stop_transcription(self) -> None:
        """Stop transcribing, if it was."""
        self._life.timers.cancel(self._transcription)
        self._transcription = None

    def hang_up(self) -> None:
        """The leg ends: everything stops."""
        self._life.timers.cancel(self._deepfake)
        self.stop_transcription()
        self.stop_stream()
        if self._fork_type is not None:
            self.stop_fork()
        self.save_recording()

    def _saved(self, told: dict[str, Any], cause: str) -> None:
        self._life.tell(self._call, "call.recording.saved", parties=False, control=False, cause=cause, **told)

    def _tell(self, event_type: str, fields: dict[str, Any]) -> None:
        self._life.tell(self._call, event_type, parties=False, **fields)
