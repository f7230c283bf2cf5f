"""Collecting digits: enough, too few, wrong, none, and being stopped."""

from typing import Any

import pytest


def press(story: Any, call: Any, digits: str) -> list[str]:
    story.exchange.far_digits(call, digits)
    return [told for told in story.told() if told != "call.dtmf.received"]


def test_the_terminating_digit_ends_a_gather(story):
    """
    # by default, and it is not among the digits.
    """
    call = story.answered()
    story.do(call, "gather")

    assert press(story, call, "42#") == ["call.gather.ended valid"]
    assert story.events[-1].payload["digits"] == "42"
    assert story.after(100) == []


def test_every_digit_is_told(story):
    """
    call.dtmf.received comes for each, gather or not.
    """
    call = story.answered()
    story.exchange.far_digits(call, "12")

    assert story.told() == ["call.dtmf.received", "call.dtmf.received"]
    assert [event.payload["digit"] for event in story.events] == ["1", "2"]


def test_the_greatest_number_of_digits_ends_a_gather(story):
    """
    No terminating digit is needed then.
    """
    call = story.answered()
    story.do(call, "gather", maximum_digits=2)

    assert press(story, call, "12") == ["call.gather.ended valid"]


@pytest.mark.parametrize(("digits", "told"), [("", "timeout"), ("1", "timeout"), ("12", "valid")])
def test_silence_ends_a_gather(story, digits, told):
    """
    Five seconds without a digit: valid when there are enough, else a timeout.
    """
    call = story.answered()
    story.do(call, "gather", minimum_digits=2)
    press(story, call, digits)

    assert story.after(4.9) == []
    assert story.after(0.1) == [f"call.gather.ended {told}"]


def test_the_whole_has_a_limit(story):
    """
    timeout_millis ends a gather however busily keys are pressed.
    """
    call = story.answered()
    story.do(call, "gather", timeout_millis=8_000, minimum_digits=9)
    story.after(4)
    press(story, call, "1")
    assert story.after(3.9) == []
    assert story.after(0.1) == ["call.gather.ended timeout"]


def test_a_key_that_is_not_valid_spoils_the_input(story):
    """
    With one try the gather ends invalid, and says what was pressed.
    """
    call = story.answered()
    story.do(call, "gather", valid_digits="12")

    assert press(story, call, "19") == ["call.gather.ended invalid"]
    assert story.events[-1].payload["digits"] == "19"


def test_too_few_digits_are_invalid(story):
    """
    The terminating digit came too soon.
    """
    call = story.answered()
    story.do(call, "gather", minimum_digits=3)

    assert press(story, call, "1#") == ["call.gather.ended invalid"]


def test_gather_stop_cancels(story):
    """
    What was pressed so far is told; without a gather nothing happens.
    """
    call = story.answered()
    assert story.do(call, "gather_stop") == []

    story.do(call, "gather")
    press(story, call, "7")
    assert story.do(call, "gather_stop") == ["call.gather.ended cancelled"]
    assert story.events[0].payload["digits"] == "7"


def test_a_newer_gather_takes_over(story):
    """
    Two at once: the first ends cancelled.
    """
    call = story.answered()
    story.do(call, "gather")

    assert story.do(call, "gather") == ["call.gather.ended cancelled"]


AUDIO = {"media_name": "ask-2s", "invalid_media_name": "again-1s", "maximum_tries": 2, "timeout_millis": 4_000}


class TestPrompts:
    def test_a_spoken_prompt_tells_no_speak_events(self, story):
        """
        Telnyx documents none for gather_using_speak.
        """
        call = story.answered()

        assert story.do(call, "gather_using_speak", payload="x" * 15, voice="female") == []
        assert story.after(5) == []
        assert press(story, call, "1#") == ["call.gather.ended valid"]

    def test_a_key_ends_the_prompt(self, story):
        """
        The caller need not hear it out.
        """
        call = story.answered()
        assert story.do(call, "gather_using_audio", **AUDIO) == ["call.playback.started"]

        assert press(story, call, "1") == ["call.playback.ended cancelled"]
        assert story.after(5) == ["call.gather.ended valid"]

    def test_silence_makes_the_prompt_be_heard_again(self, story):
        """
        As often as maximum_tries says, each after timeout_millis of silence.
        """
        call = story.answered()
        story.do(call, "gather_using_audio", **AUDIO)

        assert story.after(2) == ["call.playback.ended completed"]
        assert story.after(4) == ["call.playback.started"]
        assert story.after(2) == ["call.playback.ended completed"]
        assert story.after(4) == ["call.gather.ended timeout"]

    def test_wrong_digits_are_answered_by_the_other_prompt(self, story):
        """
        Until the tries are used up.
        """
        call = story.answered()
        story.do(call, "gather_using_audio", minimum_digits=2, **AUDIO)

        assert press(story, call, "1#") == ["call.playback.ended cancelled", "call.playback.started"]
        assert story.events[-1].payload["media_name"] == "again-1s"
        assert press(story, call, "2#") == ["call.playback.ended cancelled", "call.gather.ended invalid"]

    def test_a_stopped_prompt_still_asks(self, story):
        """
        playback_stop silences the prompt; the gather goes on listening.
        """
        call = story.answered()
        story.do(call, "gather_using_audio", maximum_tries=1, media_name="ask-9s", timeout_millis=4_000)

        assert story.do(call, "playback_stop") == ["call.playback.ended cancelled"]
        assert story.after(4) == ["call.gather.ended timeout"]
