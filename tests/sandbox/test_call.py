"""A call's life, from dialling or ringing to its end."""

import pytest

from sandbox.core.call import TRANSITIONS, State, Turn
from sandbox.core.problems import Refused


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.problems[0].code


def test_every_state_says_where_each_turn_leads():
    """
    What has ended stays ended, and nothing is answered twice.
    """
    assert set(TRANSITIONS) == set(State)
    assert TRANSITIONS[State.ENDED] == {}
    assert Turn.ANSWER not in TRANSITIONS[State.ANSWERED]
    assert all(TRANSITIONS[state][Turn.END] is State.ENDED for state in State if state is not State.ENDED)


class TestDial:
    def test_a_call_rings_for_a_second_and_is_answered(self, story):
        """
        The usual number picks up after the usual time.
        """
        call = story.dial()

        assert story.after(0.9) == []
        assert story.after(0.1) == ["call.answered"]
        assert call.state is State.ANSWERED

    @pytest.mark.parametrize(
        ("suffix", "seconds", "told", "source"),
        [
            ("9901", 0.5, "call.hangup user_busy", "callee"),
            ("9902", 30, "call.hangup timeout", "caller"),
            ("9903", 0.5, "call.hangup call_rejected", "callee"),
            ("9904", 0.5, "call.hangup not_found", "unknown"),
            ("9905", 30, "call.hangup timeout", "caller"),
            ("9909", 0.5, "call.hangup unspecified", "unknown"),
        ],
    )
    def test_the_number_decides_how_a_call_fails(self, story, suffix, seconds, told, source):
        """
        The last four digits choose what the other end does.
        """
        story.dial(f"+1312555{suffix}")

        assert story.after(seconds - 0.01) == []
        assert story.after(0.01) == [told]
        assert story.events[0].payload["hangup_source"] == source

    def test_the_number_can_say_when_it_answers(self, story):
        """
        98NN picks up after NN seconds, 9908 at once.
        """
        story.dial("+13125559808")
        assert story.after(7.9) == []
        assert story.after(0.1) == ["call.answered"]

        story.dial("+13125559908")
        assert story.after(0) == ["call.answered"]

    def test_a_callee_may_hang_up_by_itself(self, story):
        """
        9907 answers and leaves two seconds later.
        """
        story.answered("+13125559907")

        assert story.after(2) == ["call.hangup normal_clearing"]
        assert story.events[0].payload["hangup_source"] == "callee"

    def test_a_machine_is_detected_with_its_greeting_and_beep(self, story):
        """
        Answering machine detection tells what answered, and when the beep came.
        """
        story.answered("sip:bot9906@example.com", answering_machine_detection="premium")

        assert story.after(1) == ["call.machine.premium.detection.ended"]
        assert story.events[0].payload["result"] == "machine"
        assert story.after(3) == ["call.machine.premium.greeting.ended"]
        assert story.events[0].payload["result"] == "beep_detected"

    def test_a_list_of_destinations_makes_legs_of_one_session(self, story):
        """
        Each entry of `to` is a leg of its own; the session is shared.
        """
        first, second = story.exchange.dial({"to": ["+13125550001", "+13125550002"], "from": "+1", "connection_id": ""})

        assert story.told() == ["call.initiated", "call.initiated"]
        assert first.session_id == second.session_id
        assert first.id != second.id
        assert first.leg_id != second.leg_id

    def test_channels_can_run_out(self, story):
        """
        A dial beyond channels_max is accepted and hung up at once; an ended call makes room again.
        """
        story.exchange.life.habits.channels_max = 1
        first = story.answered()
        story.dial()
        assert story.after(0) == ["call.hangup call_rejected"]
        assert story.events[0].payload["sip_hangup_cause"] == "403"

        story.do(first, "hangup")
        story.answered()

    def test_timeout_and_time_limit_are_the_commands(self, story):
        """
        timeout_secs bounds the ringing, time_limit_secs the talk.
        """
        story.dial("+13125559902", timeout_secs=5)
        assert story.after(5) == ["call.hangup timeout"]

        story.answered(time_limit_secs=30)
        assert story.after(29.9) == []
        assert story.after(0.1) == ["call.hangup time_limit"]

    def test_ids_have_telnyx_shape_and_repeat_with_the_seed(self, story):
        """
        v3: and 54 characters, and the same seed makes the same ids.
        """
        call = story.dial()

        assert call.id.startswith("v3:")
        assert len(call.id) == 57
        assert call.id == type(story)().dial().id

    def test_a_call_may_join_the_session_of_another(self, story):
        """
        link_to shares its call_session_id; a call that is not known shares nothing, and is no error.
        """
        first, second = story.dial(), story.dial(link_to="v3:nobody")
        assert first.session_id != second.session_id

        assert story.dial(link_to=first.id).session_id == first.session_id

    def test_a_message_may_be_played_on_answer(self, story):
        """
        What is said next waits for it; Telnyx documents no events of its own for it.
        """
        call = story.answered(media_name="welcome-4s")

        assert story.do(call, "speak", payload="hello", voice="female") == []
        assert story.after(4) == ["call.speak.started"]


class TestIncoming:
    def test_an_incoming_call_waits_until_it_is_answered(self, story):
        """
        Nobody picks up by itself; `answer` does.
        """
        call = story.incoming()

        assert story.after(100) == []
        assert story.do(call, "answer") == ["call.answered"]
        assert story.do(call, "answer") == []

    @pytest.mark.parametrize(("cause", "told"), [("CALL_REJECTED", "call_rejected"), ("USER_BUSY", "user_busy")])
    def test_an_incoming_call_can_be_rejected(self, story, cause, told):
        """
        The cause is told to both sides.
        """
        assert story.do(story.incoming(), "reject", cause=cause) == [f"call.hangup {told}"]

    def test_the_caller_may_give_up(self, story):
        """
        A caller that leaves before the answer has cancelled.
        """
        call = story.incoming()
        story.exchange.far_end(call)

        assert story.told() == ["call.hangup originator_cancel"]

    def test_only_a_waiting_call_is_rejected(self, story):
        """
        An answered or outgoing call is refused with the sandbox's own code, as Telnyx documents none.
        """
        call = story.incoming()
        story.do(call, "answer")

        for wrong in (call, story.dial()):
            with pytest.raises(Refused) as refused:
                story.do(wrong, "reject", cause="USER_BUSY")
            assert code(refused) == "99901"


class TestEnd:
    def test_hangup_ends_everything_that_is_open_first(self, story):
        """
        Playback, gather, taps and queue end before call.hangup; the recording is saved a little later.
        """
        call = story.answered()
        for action, body in {
            "playback_start": {"media_name": "m-60s", "loop": "infinity"},
            "gather": {},
            "record_start": {"format": "mp3", "channels": "dual"},
            "streaming_start": {"stream_url": "wss://x"},
            "fork_start": {"target": "udp:1.2.3.4:5"},
            "enqueue": {"queue_name": "q"},
        }.items():
            story.do(call, action, **body)

        assert story.do(call, "hangup") == [
            "call.playback.ended call_hangup",
            "call.gather.ended call_hangup",
            "streaming.stopped",
            "call.fork.stopped",
            "call.dequeued hangup",
            "call.hangup normal_clearing",
        ]
        assert story.after(1) == ["call.recording.saved"]
        assert story.after(100_000) == []

    def test_hanging_up_while_it_rings_cancels(self, story):
        """
        The cause of a call that nobody answered is not normal clearing.
        """
        assert story.do(story.dial(), "hangup") == ["call.hangup originator_cancel"]

    def test_the_other_end_hangs_up(self, story):
        """
        The source tells who left.
        """
        call = story.answered()
        story.exchange.far_end(call)

        assert story.told() == ["call.hangup normal_clearing"]
        assert story.events[0].payload["hangup_source"] == "callee"

    def test_an_ended_call_refuses_everything(self, story):
        """
        90018 for any command, also for hangup.
        """
        call = story.answered()
        story.do(call, "hangup")

        for action, body in {"hangup": {}, "speak": {"payload": "x", "voice": "female"}, "answer": {}}.items():
            with pytest.raises(Refused) as refused:
                story.do(call, action, **body)
            assert (refused.value.status, code(refused)) == (422, "90018")

    def test_ended_calls_are_forgotten_in_time(self, story):
        """
        Memory is bounded: the oldest ended call is unknown (90015) when too many have ended since.
        """
        story = type(story)(ended_calls_max=1)
        first, second = story.answered(), story.answered()
        for call in (first, second):
            story.do(call, "hangup")

        assert story.exchange.find(second.id) is second
        with pytest.raises(Refused) as refused:
            story.exchange.find(first.id)
        assert code(refused) == "90015"


class TestClientState:
    def test_the_last_state_set_is_echoed_from_then_on(self, story):
        """
        client_state belongs to the call, whichever command sets it, and events of that command carry it already.
        """
        call = story.answered(client_state="YQ==")
        assert story.events[0].payload["client_state"] == "YQ=="

        story.do(call, "speak", payload="x", voice="female", client_state="Yg==")
        assert story.events[0].payload["client_state"] == "Yg=="

        story.do(call, "client_state_update", client_state="Yw==")
        story.after(1)
        assert story.events[0].payload["client_state"] == "Yw=="

    def test_a_refused_command_leaves_it_alone(self, story):
        """
        What is refused has no effect, not even this one.
        """
        call = story.answered(client_state="YQ==")
        with pytest.raises(Refused):
            story.do(call, "fork_stop", client_state="Yg==")

        assert call.client_state == "YQ=="
