"""Marks tell whether an event can be a command's, by what it repeats of the command's body."""

from __future__ import annotations

import pytest

from cordboard import v1
from cordboard.marks import compare, of_command, of_event

ENDED = "call.playback.ended"
SPOKEN = "call.speak.ended"
FAILED = "streaming.failed"
GATHERED = "call.gather.ended"


def played(**fields: object) -> v1.Command:
    return v1.Command(playback_start=v1.PlaybackStart(**fields))


@pytest.mark.parametrize(
    ("command", "event_type", "payload", "compared"),
    [
        (played(audio_url="u"), ENDED, {"media_url": "u", "media_name": None, "overlay": False}, (0, 2)),
        (played(audio_url="u"), ENDED, {"media_url": "v", "overlay": False}, (1, 1)),
        (played(media_name="m"), ENDED, {"media_url": "u"}, (1, 1)),
        (played(media_name="m"), ENDED, {"media_url": None, "media_name": "m"}, (0, 2)),
        (played(playback_content="AAAA"), ENDED, {"media_url": "u"}, (0, 1)),
        (played(audio_url="u"), ENDED, {}, (0, 1)),
        (played(audio_url="u", overlay=True), ENDED, {"media_url": "u", "overlay": True}, (0, 2)),
        (played(audio_url="u"), ENDED, {"media_url": "u", "overlay": True}, None),
        (v1.Command(playback_stop=v1.PlaybackStop(overlay=True)), SPOKEN, {}, None),
        (v1.Command(playback_stop=v1.PlaybackStop()), SPOKEN, {}, (0, 1)),
        (v1.Command(fork_start=v1.ForkStart()), "call.fork.started", {"stream_type": "raw"}, (0, 1)),
        (v1.Command(fork_stop=v1.ForkStop()), "call.fork.stopped", {"stream_type": "decrypted"}, (1, 0)),
        (v1.Command(enqueue=v1.Enqueue(queue_name="q")), "call.enqueued", {"queue": "q"}, (0, 1)),
        (v1.Command(streaming_start=v1.StreamingStart(stream_url="w")), FAILED, {"stream_params": "none"}, (0, 0)),
        (v1.Command(streaming_start=v1.StreamingStart(stream_url="w")), FAILED, {"stream_params": {}}, (0, 0)),
        (v1.Command(streaming_start={"stream_url": "w"}), FAILED, {"stream_params": {"stream_url": "w"}}, (0, 1)),
        (v1.Command(gather=v1.Gather(), extra={"gather_id": "one"}), GATHERED, {"gather_id": "one"}, (0, 1)),
        (v1.Command(gather=v1.Gather(), extra={"gather_id": "one"}), GATHERED, {"gather_id": "two"}, None),
        (v1.Command(gather=v1.Gather()), GATHERED, {"gather_id": "two"}, (0, 0)),
    ],
)
def test_an_event_agrees_differs_or_says_nothing(
    command: v1.Command, event_type: str, payload: dict[str, object], compared: tuple[int, int] | None
) -> None:
    """
    (In how many things they differ, in how many they agree); None where an exact one differs.
    """
    assert compare(of_command(command), of_event(event_type, payload)) == compared


def test_a_gather_owns_each_of_its_prompts() -> None:
    """
    A command that names several files agrees with an event that names one of them.
    """
    gather = v1.GatherUsingAudio(audio_url="ask", invalid_media_name="wrong")
    ours = of_command(v1.Command(gather_using_audio=gather))

    assert compare(ours, of_event(ENDED, {"media_url": "ask"})) == (0, 2)
    assert compare(ours, of_event(ENDED, {"media_name": "wrong"})) == (0, 2)
    assert compare(ours, of_event(ENDED, {"media_url": "music"})) == (1, 1)


def test_marks_are_short() -> None:
    """
    Six bytes for each thing that is said, however long it is; none for commands and events of which nothing is told.
    """
    assert len(of_command(played(audio_url="u" * 2_000))) == 12
    assert len(of_event(ENDED, {"media_url": "u" * 2_000, "overlay": True})) == 12
    assert of_command(v1.Command(hangup=v1.Hangup())) == b""
    assert of_event("call.hangup", {"overlay": True}) == of_event("call.new", {}) == b""


def test_whatever_telnyx_sends_can_be_read() -> None:
    """
    Payloads are open: a field of another type differs, and breaks nothing.
    """
    assert compare(of_command(played(audio_url="u")), of_event(ENDED, {"media_url": {"u": [1, None]}})) == (1, 1)


def test_what_cannot_be_written_is_nobodys() -> None:
    """
    A number of any size is JSON; no command says such a thing, so it marks nothing.
    """
    assert of_event("call.playback.ended", {"media_url": 2**70}) == of_event("call.playback.ended", {})
