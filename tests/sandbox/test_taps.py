"""Recordings, streams, forks and transcriptions of one call."""

import pytest

from sandbox.core.problems import Refused

RECORD = {"format": "wav", "channels": "single"}


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.problems[0].code


def test_a_recording_is_saved_after_it_is_stopped(story):
    """
    call.recording.saved tells from when to when, and where in the format that was asked for.
    """
    call = story.answered()
    story.do(call, "record_start", **RECORD)
    story.after(4)
    story.do(call, "record_pause")
    story.do(call, "record_resume")

    assert story.do(call, "record_stop") == []
    assert story.after(1) == ["call.recording.saved"]
    payload = story.events[0].payload
    assert (payload["recording_started_at"], payload["recording_ended_at"]) == ("t=1", "t=5")
    assert payload["channels"] == "single"
    assert payload["recording_urls"]["wav"].endswith(".wav")
    assert payload["recording_urls"]["mp3"] is None


def test_a_recording_ends_by_its_own_limit(story):
    """
    max_length, in seconds.
    """
    call = story.answered()
    story.do(call, "record_start", max_length=10, **RECORD)

    assert story.after(10.5) == ["call.recording.saved"]


def test_a_dial_may_record_from_the_answer(story):
    """
    record-from-answer begins when the other end picks up.
    """
    call = story.answered(record="record-from-answer", record_channels="single", record_format="wav")
    story.do(call, "hangup")

    assert story.after(1) == ["call.recording.saved"]
    assert story.events[0].payload["recording_started_at"] == "t=1"
    assert story.events[0].payload["channels"] == "single"


@pytest.mark.parametrize("action", ["record_pause", "record_resume"])
def test_only_a_recording_can_be_held(story, action):
    """
    Without one it is refused with the sandbox's own code.
    """
    with pytest.raises(Refused) as refused:
        story.do(story.answered(), action)
    assert code(refused) == "99901"


def test_a_stream_starts_and_stops(story):
    """
    Stopping what does not run is fine.
    """
    call = story.answered()

    assert story.do(call, "streaming_stop") == []
    assert story.do(call, "streaming_start", stream_url="wss://example.com") == ["streaming.started"]
    assert story.do(call, "streaming_stop") == ["streaming.stopped"]


def test_a_stream_that_nobody_takes_fails(story):
    """
    An address with `refused` in it.
    """
    call = story.answered()

    assert story.do(call, "streaming_start", stream_url="wss://refused.example.com") == ["streaming.failed"]
    assert story.events[0].payload["stream_params"]["track"] == "inbound_track"


def test_a_stream_may_begin_with_the_call(story):
    """
    stream_url on answer and on dial.
    """
    assert story.do(story.incoming(), "answer", stream_url="wss://x") == ["call.answered", "streaming.started"]
    story.dial(stream_url="wss://x")
    assert story.after(1) == ["call.answered", "streaming.started"]


def test_a_fork_starts_and_stops(story):
    """
    The kind of stream is told; without a fork, 90031.
    """
    call = story.answered()
    with pytest.raises(Refused) as refused:
        story.do(call, "fork_stop")
    assert code(refused) == "90031"

    assert story.do(call, "fork_start", rx="udp:1.1.1.1:1", tx="udp:1.1.1.1:2", stream_type="decrypted") == [
        "call.fork.started"
    ]
    assert story.do(call, "fork_stop") == ["call.fork.stopped"]
    assert story.events[0].payload["stream_type"] == "decrypted"


def test_a_transcription_is_heard_once(story):
    """
    It runs once at a time (90054), and can be stopped before anything was said.
    """
    call = story.answered()
    story.do(call, "transcription_start")
    with pytest.raises(Refused) as refused:
        story.do(call, "transcription_start")
    assert code(refused) == "90054"
    assert story.after(1) == ["call.transcription"]

    story.do(call, "transcription_stop")
    story.do(call, "transcription_start")
    story.do(call, "transcription_stop")
    assert story.after(1) == []


def test_a_recording_may_fail_to_be_saved(story):
    """
    Number 9910: call.recording.error comes in the place of call.recording.saved, with a documented reason.
    """
    call = story.answered("+13125559910")
    story.do(call, "record_start", **RECORD)
    story.do(call, "record_stop")
    assert story.after(1) == ["call.recording.error Internal server error"]
    assert story.events[0].payload["call_control_id"] == call.id

    story.do(call, "record_start", **RECORD)
    story.do(call, "hangup")
    assert story.after(1) == ["call.recording.error Internal server error"]


def test_an_answer_may_record_too(story):
    """
    The fields of dial, on answer, since 2026.
    """
    call = story.incoming()
    story.do(call, "answer", record="record-from-answer", record_channels="dual")
    story.do(call, "hangup")

    assert story.after(1) == ["call.recording.saved"]


def test_interim_words_come_before_the_final_ones(story):
    """
    With interim_results, a first guess that is not final.
    """
    story.do(story.answered(), "transcription_start", interim_results=True)
    story.after(2)

    assert [event.payload["transcription_data"]["is_final"] for event in story.events] == [False, True]
