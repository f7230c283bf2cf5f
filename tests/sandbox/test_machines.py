"""Answering machine detection: what is told in each mode of whoever answers."""

import pytest

AMD = "answering_machine_detection"
# What answers, by the number's end.
ENDS = {
    "human": "0200",
    "machine": "9906",
    "silent machine": "9911",
    "fax": "9912",
    "silence": "9913",
    "business": "9914",
}


def heard(story, who: str, mode: str, seconds: float = 60) -> list[tuple[str, str]]:
    """The events and results of a call with detection, without its beginning."""
    story.dial("+1312555" + ENDS[who], **{AMD: mode})
    story.after(seconds)
    return [
        (event.event_type.removeprefix("call.machine."), event.payload["result"])
        for event in story.events
        if event.event_type.startswith("call.machine.")
    ]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("disabled", []),
        ("detect", [("detection.ended", "machine")]),
        ("detect_beep", [("detection.ended", "machine"), ("greeting.ended", "beep_detected")]),
        ("detect_words", [("detection.ended", "machine"), ("greeting.ended", "beep_detected")]),
        ("greeting_end", [("detection.ended", "machine"), ("greeting.ended", "ended")]),
        (
            "premium",
            [("premium.detection.ended", "machine"), ("premium.greeting.ended", "beep_detected")],
        ),
    ],
)
def test_a_machine_with_a_beep(story, mode, told):
    """
    All modes but `detect` tell where its greeting ended.
    """
    assert heard(story, "machine", mode) == told


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("detect", []),
        ("detect_beep", []),
        ("detect_words", [("greeting.ended", "not_sure")]),
        ("greeting_end", [("greeting.ended", "ended")]),
    ],
)
def test_a_machine_without_a_beep(story, mode, told):
    """
    Nobody hears of a beep; after 30 s detect_words gives up, and greeting_end takes the silence for the end.
    """
    assert heard(story, "silent machine", mode)[1:] == told


def test_words_are_waited_for_half_a_minute(story):
    """
    From the detection on.
    """
    assert heard(story, "silent machine", "detect_words", 31.5) == [("detection.ended", "machine")]
    story.after(1)
    assert [event.payload["result"] for event in story.events] == ["not_sure"]


@pytest.mark.parametrize(
    ("who", "standard", "premium"),
    [
        ("human", "human", "human_residence"),
        ("business", "human", "human_business"),
        ("silent machine", "machine", "machine"),
        ("fax", "not_sure", "fax_detected"),
        ("silence", "not_sure", "silence"),
    ],
)
def test_whoever_answers_has_a_word_in_each_list(story, who, standard, premium):
    """
    The premium detection tells them apart better.
    """
    assert heard(story, who, "detect") == [("detection.ended", standard)]
    assert heard(story, who, "premium") == [("premium.detection.ended", premium)]


def test_a_transfer_may_ask_for_it_too(story):
    """
    The events are those of the second leg.
    """
    a = story.answered()
    story.do(a, "transfer", to="+13125559906", **{AMD: "detect_beep"})
    story.after(10)

    told = [event for event in story.events if event.event_type.startswith("call.machine.")]
    assert len(told) == 2
    assert all(event.call_control_id != a.id for event in told)


def test_a_call_that_ends_is_not_listened_to(story):
    """
    Nothing of the machine is told after call.hangup.
    """
    call = story.answered("+13125559906", **{AMD: "premium"})
    story.do(call, "hangup")

    assert story.after(60) == []
