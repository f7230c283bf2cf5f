"""What is heard takes time, waits its turn, and can be stopped."""

import pytest

from sandbox.core.problems import Refused

SPEECH = {"payload": "x" * 30, "voice": "female"}  # Two seconds.


def test_speech_takes_as_long_as_its_text(story):
    """
    Thirty characters are two seconds.
    """
    call = story.answered()

    assert story.do(call, "speak", **SPEECH) == ["call.speak.started"]
    assert story.after(1.9) == []
    assert story.after(0.1) == ["call.speak.ended completed"]


def test_markup_is_not_spoken(story):
    """
    SSML tags take no time.
    """
    call = story.answered()
    story.do(call, "speak", payload=f"<speak><p>{'x' * 15}</p></speak>", voice="female", payload_type="ssml")

    assert story.after(1) == ["call.speak.ended completed"]


@pytest.mark.parametrize(("name", "seconds"), [("intro-12s.mp3", 12), ("tone-250ms.wav", 0.25), ("song", 3)])
def test_a_file_is_as_long_as_its_name_says(story, name, seconds):
    """
    A number and a unit in the name are the length; any other file has the usual one.
    """
    call = story.answered()
    story.do(call, "playback_start", audio_url=f"https://example.com/{name}")

    assert story.after(seconds - 0.01) == []
    assert story.after(0.02) == ["call.playback.ended completed"]


def test_what_comes_later_waits(story):
    """
    Speech and playbacks follow one another in the order of their commands.
    """
    call = story.answered()
    story.do(call, "speak", **SPEECH)

    assert story.do(call, "playback_start", media_name="a-1s") == []
    assert story.do(call, "speak", **SPEECH) == []
    assert story.after(2) == ["call.speak.ended completed", "call.playback.started"]
    assert story.after(3) == ["call.playback.ended completed", "call.speak.started", "call.speak.ended completed"]


def test_a_loop_is_heard_so_many_times(story):
    """
    A number multiplies the length; infinity has none.
    """
    call = story.answered()
    story.do(call, "playback_start", media_name="a-2s", loop=3)
    assert story.after(5.9) == []
    assert story.after(0.1) == ["call.playback.ended completed"]

    story.do(call, "playback_start", media_name="a-2s", loop="infinity")
    assert story.after(10_000) == []


def test_a_missing_file_is_told(story):
    """
    What is not found is never started, and the next one is heard.
    """
    call = story.answered()
    story.do(call, "playback_start", media_name="missing")
    story.do(call, "speak", **SPEECH)

    assert story.after(0) == ["call.playback.ended file_not_found", "call.speak.started"]


def test_stopping_the_current_one_lets_the_next_be_heard(story):
    """
    `current` ends one, `all` ends it and forgets the rest.
    """
    call = story.answered()
    for _ in range(3):
        story.do(call, "playback_start", media_name="a-9s")

    ended, started = "call.playback.ended cancelled", "call.playback.started"
    assert story.do(call, "playback_stop", stop="current") == [ended, started]
    assert story.do(call, "playback_stop") == [ended]
    assert story.after(100) == []


def test_a_new_speech_can_stop_what_is_heard(story):
    """
    `stop` on speak clears the way for it.
    """
    call = story.answered()
    for _ in range(2):
        story.do(call, "playback_start", media_name="a", loop="infinity")

    assert story.do(call, "speak", stop="all", **SPEECH) == ["call.playback.ended cancelled", "call.speak.started"]


def test_stopping_silence_is_fine(story):
    """
    No documented code speaks against it.
    """
    assert story.do(story.answered(), "playback_stop") == []


def test_an_overlay_is_heard_above_a_playback(story):
    """
    It needs one, does not wait for it, and can be stopped alone.
    """
    call = story.answered()
    with pytest.raises(Refused):
        story.do(call, "playback_start", media_name="b", overlay=True)

    story.do(call, "playback_start", media_name="a-9s")
    assert story.do(call, "playback_start", media_name="b-5s", overlay=True) == ["call.playback.started"]
    assert story.do(call, "playback_stop", overlay=True) == ["call.playback.ended cancelled"]
    assert story.events[0].payload["overlay"] is True
    assert story.after(9) == ["call.playback.ended completed"]


def test_events_know_the_command_that_caused_them(story):
    """
    Also of what waited, of a prompt that is heard again, and of what another command stops. Telnyx tells nobody.
    """
    call = story.answered()
    story.do(call, "speak", command_id="a", **SPEECH)
    story.do(call, "playback_start", command_id="b", audio_url="https://example.com/b-5s.mp3")

    assert story.after(2) == ["call.speak.ended completed", "call.playback.started"]
    assert [event.cause for event in story.events] == ["a", "b"]
    assert story.do(call, "playback_stop", command_id="c") == ["call.playback.ended cancelled"]
    assert [event.cause for event in story.events] == ["b"]
    story.do(
        call,
        "gather_using_audio",
        command_id="d",
        audio_url="https://example.com/d-1s.mp3",
        timeout_millis=1_000,
        maximum_tries=2,
    )
    assert len(story.after(4)) == 4  # The prompt's end, the prompt again, and the gather's end.
    assert {event.cause for event in story.events} == {"d"}
    assert all("cause" not in event.payload for event in story.events)
