"""The catalogue holds what the design says of each action, read from the contract and nowhere else."""

from __future__ import annotations

import pytest

from cordboard import v1
from cordboard.catalogue import CATALOGUE, action_of, clears, completion_ms, goes_on, is_endless
from cordboard.work import Lane, Repeat
from tests.contract.samples import MINIMAL, Sample

ORDER = [
    "answer",
    "bridge",
    "dial",
    "enqueue",
    "fork_start",
    "fork_stop",
    "gather",
    "gather_stop",
    "gather_using_audio",
    "gather_using_speak",
    "hangup",
    "playback_start",
    "playback_stop",
    "record_pause",
    "record_resume",
    "record_start",
    "record_stop",
    "refer",
    "reject",
    "send_dtmf",
    "speak",
    "streaming_start",
    "streaming_stop",
    "transcription_start",
    "transcription_stop",
    "transfer",
    "client_state_update",
    "leave_queue",
]
URGENT = {"hangup", "reject", "answer", "record_pause", "gather_stop", "playback_stop"}
ALWAYS = {"hangup", "reject", "client_state_update", "record_pause", "record_resume", "leave_queue"}
AT_ACCEPTANCE = {
    "record_start",
    "record_pause",
    "record_resume",
    "send_dtmf",
    "transcription_start",
    "transcription_stop",
    "client_state_update",
    "custom",
}
COMPLETED_BY = {
    "answer": {"call.answered"},
    "bridge": {"call.bridged"},
    "dial": {"call.answered"},
    "enqueue": {"call.enqueued"},
    "fork_start": {"call.fork.started"},
    "fork_stop": {"call.fork.stopped"},
    "gather": {"call.gather.ended"},
    "gather_stop": {"call.gather.ended"},
    "gather_using_audio": {"call.gather.ended"},
    "gather_using_speak": {"call.gather.ended"},
    "hangup": {"call.hangup"},
    "leave_queue": {"call.dequeued"},
    "playback_start": {"call.playback.ended"},
    "playback_stop": {"call.playback.ended", "call.speak.ended"},
    "record_stop": {"call.recording.saved"},
    "refer": {"call.refer.completed"},
    "reject": {"call.hangup"},
    "speak": {"call.speak.ended"},
    "streaming_start": {"streaming.started"},
    "streaming_stop": {"streaming.stopped"},
    "transfer": {"call.bridged"},
}
STARTED_BY = {
    "answer": {"streaming.started"},
    "dial": {"call.initiated"},
    "playback_start": {"call.playback.started"},
    "refer": {"call.refer.started"},
    "speak": {"call.speak.started"},
}
UNTIL = {
    "answer": {"streaming.stopped", "streaming.failed"},
    "enqueue": {"call.dequeued"},
    "fork_start": {"call.fork.stopped"},
    "record_start": {"call.recording.saved", "call.recording.error"},
    "transcription_start": set(),
    "transfer": set(),
    "streaming_start": {"streaming.stopped", "streaming.failed"},
}
DIGITS = {"call.dtmf.received"}
MACHINES = {f"call.machine.{kind}.ended" for kind in ("detection", "greeting", "premium.detection", "premium.greeting")}
PROGRESS = {
    "dial": MACHINES | {"streaming.started", "streaming.stopped", "streaming.failed"},
    "gather": DIGITS,
    "gather_using_audio": DIGITS | {"call.playback.started", "call.playback.ended"},
    "gather_using_speak": DIGITS,
    "transcription_start": {"call.transcription"},
}
FAILED_BY = {
    "dial": {"call.hangup"},
    "refer": {"call.refer.failed"},
    "streaming_start": {"streaming.failed"},
    "record_stop": {"call.recording.error"},
}


def test_the_actions_have_the_numbers_that_were_frozen() -> None:
    """
    20 to 47 in the order of the design; custom is 99.
    """
    numbers = dict(zip(ORDER, range(20, 48), strict=True)) | {"custom": 99}

    assert {action.name: action.number for action in CATALOGUE.values()} == numbers


def test_lanes_are_the_designs() -> None:
    """
    What must not wait is urgent, dials have a lane of their own.
    """
    lanes = {name: Lane.URGENT if name in URGENT else Lane.ACTION for name in CATALOGUE} | {"dial": Lane.DIAL}

    assert {name: action.lane for name, action in CATALOGUE.items()} == lanes


def test_classes_of_repeatability_are_the_designs() -> None:
    """
    Rule 9: what may be repeated at any time, a dial only if nothing was sent, the rest inside Telnyx's window.
    """
    always = ALWAYS | {name for name in CATALOGUE if name.endswith("_stop")}
    repeats = {name: Repeat.ALWAYS if name in always else Repeat.WINDOW for name in CATALOGUE}

    assert {name: action.repeat for name, action in CATALOGUE.items()} == repeats | {"dial": Repeat.UNSENT}


def test_placements_and_expiries_are_the_designs() -> None:
    """
    Stops go to the head of the line; 30 seconds, a dial 60, hangup and reject never.
    """
    heads = {name for name, action in CATALOGUE.items() if action.placement == v1.PLACEMENT_NEXT}
    expiries = {name: action.expire_seconds for name, action in CATALOGUE.items() if action.expire_seconds != 30}

    assert heads == {"gather_stop", "playback_stop"}
    assert expiries == {"dial": 60, "hangup": None, "reject": None}


def test_completions_are_the_designs() -> None:
    """
    The table "completed means in effect", action by action.
    """
    completions = {name: action.completion for name, action in CATALOGUE.items()}

    assert {name for name, one in completions.items() if one.at_acceptance} == AT_ACCEPTANCE
    assert {name: set(one.completed_by) for name, one in completions.items() if one.completed_by} == COMPLETED_BY
    assert {name: set(one.failed_by) for name, one in completions.items() if one.failed_by} == FAILED_BY
    assert {name for name, one in completions.items() if one.failed_by_new_leg} == {"transfer"}
    assert {name: one.progress_of_new_leg for name, one in completions.items() if one.progress_of_new_leg} == {
        "transfer": MACHINES
    }
    assert {name for name, one in completions.items() if one.joins_field} == {"dial"}
    assert {name for name, one in completions.items() if one.ends_call} == {"hangup", "reject"}
    assert {name for name, one in completions.items() if one.failed_statuses} == {"playback_start"}
    assert {name for name, one in completions.items() if one.outlives_call} == {"record_stop"}


def test_events_are_those_that_an_action_causes() -> None:
    """
    What says that it has begun, what ends what goes on, what accompanies it; and which actions end what others began.
    """
    completions = {name: action.completion for name, action in CATALOGUE.items()}
    stops = {name for name in CATALOGUE if name.endswith("_stop")} | {"leave_queue"}

    assert {name: set(one.started_by) for name, one in completions.items() if one.started_by} == STARTED_BY
    assert {name: set(one.progress) for name, one in completions.items() if one.progress} == PROGRESS
    assert {name: set(one.goes_on.until) for name, one in completions.items() if one.goes_on} == UNTIL
    assert {name for name, one in completions.items() if one.ends_another} == stops
    assert {name for name, one in completions.items() if one.ends_one} == {"record_stop"}
    assert {name for name, one in completions.items() if one.endless} == {"playback_start", "speak"}


def test_what_goes_on_and_what_clears_is_asked_for() -> None:
    """
    An answer goes on where it starts a stream; a playback_stop clears unless it stops only what is heard.
    """
    assert goes_on(v1.Command(answer=v1.Answer(stream_url="wss://x")))
    assert not goes_on(v1.Command(answer=v1.Answer()))
    assert goes_on(v1.Command(fork_start=v1.ForkStart()))
    assert clears(v1.Command(playback_stop=v1.PlaybackStop()))
    assert not clears(v1.Command(playback_stop=v1.PlaybackStop(stop="current")))
    assert clears(v1.Command(speak=v1.Speak(stop="all")))
    assert not clears(v1.Command(speak=v1.Speak()))
    assert not clears(v1.Command(hangup=v1.Hangup()))
    assert clears(v1.Command(transcription_stop=v1.TranscriptionStop()))


def test_an_endless_loop_is_in_effect_once_it_has_started() -> None:
    """
    An infinite playback never ends by itself; its start is what completes it, also where the loop stands in `extra`.
    """
    endless = CATALOGUE["playback_start"].completion.endless
    speak = v1.Command(speak=v1.Speak(payload="Hi", voice="male"), extra={"loop": "infinity"})

    assert endless is not None
    assert CATALOGUE["playback_start"].completion.started_by == {"call.playback.started"}
    assert is_endless(v1.Command(playback_start=v1.PlaybackStart(loop_text="infinity")))
    assert is_endless(speak)
    assert is_endless(v1.Command(speak=v1.Speak(payload="Hi", voice="male", loop_text="infinity")))
    assert not is_endless(v1.Command(speak=v1.Speak(payload="Hi", voice="male", loop=3)))
    assert not is_endless(v1.Command(playback_start=v1.PlaybackStart(loop=3)))
    assert not is_endless(v1.Command(playback_start=v1.PlaybackStart(loop_text="3")))
    assert not is_endless(v1.Command(hangup=v1.Hangup()))


@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        (v1.Command(dial=v1.Dial()), 30 + 30),
        (v1.Command(dial=v1.Dial(timeout_secs=600)), 600 + 30),
        (v1.Command(dial=v1.Dial(), extra={"timeout_secs": 45}), 45 + 30),
        (v1.Command(dial=v1.Dial(), extra={"timeout_secs": "soon"}), 30 + 30),
        (v1.Command(gather=v1.Gather()), 60 + 30),
        (v1.Command(gather=v1.Gather(timeout_millis=0)), 30),
        (v1.Command(gather=v1.Gather(timeout_millis=-1)), 30),
        (v1.Command(gather_using_audio=v1.GatherUsingAudio(timeout_millis=10_000)), 300 + 3 * 10 + 30),
        (v1.Command(gather_using_audio=v1.GatherUsingAudio(maximum_tries=2**31 - 1)), 24 * 3600),
        (v1.Command(answer=v1.Answer()), 30),
        (v1.Command(speak=v1.Speak(payload="Hi", voice="male")), 600 + 30),
        (v1.Command(speak=v1.Speak(payload="Hi", voice="male", loop=4)), 4 * 600 + 30),
        (v1.Command(speak=v1.Speak(payload="Hi", voice="male", loop_text="4")), 4 * 600 + 30),
        (v1.Command(playback_start=v1.PlaybackStart(loop=2)), 2 * 3600 + 30),
        (v1.Command(playback_start=v1.PlaybackStart(loop_text="infinity")), 3600 + 30),
        (v1.Command(gather=v1.Gather(), completion_timeout={"seconds": 5}), 5),
    ],
)
def test_a_completion_is_waited_for_as_long_as_the_command_may_take(command: v1.Command, seconds: int) -> None:
    """
    Its own fields in time, or their defaults, as often as they may run, and 30 seconds; the sender's word goes before.
    """
    assert completion_ms(command) == seconds * 1000


@pytest.mark.parametrize("sample", MINIMAL, ids=[sample.name for sample in MINIMAL])
def test_every_action_is_found_and_waited_for(sample: Sample) -> None:
    """
    No action is without an entry, nor without a bound on the wait for its completion.
    """
    command = sample.command()

    assert action_of(command).name == sample.name
    assert completion_ms(command) >= 30_000


@pytest.mark.parametrize(
    ("custom", "takes_command_id", "repeat"),
    [
        (v1.Custom(name="pay"), True, Repeat.WINDOW),
        (v1.Custom(name="siprec_start"), False, Repeat.UNSENT),
        (v1.Custom(name="switch_supervisor_role"), False, Repeat.UNSENT),
        (v1.Custom(name="switch_supervisor_role", repeat=v1.REPEAT_CLASS_ALWAYS), False, Repeat.ALWAYS),
        (v1.Custom(name="newest", without_command_id=True), False, Repeat.UNSENT),
        (v1.Custom(name="siprec_stop", repeat=v1.REPEAT_CLASS_ALWAYS), True, Repeat.ALWAYS),
        (v1.Custom(name="pay", repeat=v1.REPEAT_CLASS_UNSENT), True, Repeat.UNSENT),
    ],
)
def test_what_telnyx_cannot_know_again_is_not_sent_twice(
    custom: v1.Custom, takes_command_id: bool, repeat: Repeat
) -> None:
    """
    A custom action without command_id is tried again only where nothing was sent, unless a second one does no harm.
    """
    action = action_of(v1.Command(call_control_id="a", custom=custom))

    assert (action.takes_command_id, action.repeat) == (takes_command_id, repeat)
    assert action.lane is Lane.ACTION
