"""Commands that concern a second leg: bridge, transfer, refer, and queues."""

import pytest

from sandbox.core.problems import Refused


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.problems[0].code


class TestBridge:
    def test_both_legs_are_told(self, story):
        """
        call.bridged comes once for each.
        """
        a, b = story.answered(), story.answered()

        assert story.do(a, "bridge", call_control_id=b.id) == ["call.bridged", "call.bridged"]
        assert [event.call_control_id for event in story.events] == [a.id, b.id]

    def test_legs_hang_up_together(self, story):
        """
        When one leaves, the other ends.
        """
        a, b = story.answered(), story.answered()
        story.do(a, "bridge", call_control_id=b.id)
        story.exchange.far_end(b)

        assert story.told() == ["call.hangup normal_clearing", "call.hangup normal_clearing"]

    def test_a_leg_may_stay(self, story):
        """
        park_after_unbridge keeps the commanding leg alive.
        """
        a, b = story.answered(), story.answered()
        story.do(a, "bridge", call_control_id=b.id, park_after_unbridge="self")
        story.exchange.far_end(b)

        assert story.told() == ["call.hangup normal_clearing"]
        assert story.do(a, "speak", payload="still here", voice="female") == ["call.speak.started"]

    def test_the_other_leg_must_be_there(self, story):
        """
        90015, 90018 and 90034 may mean the other leg.
        """
        a, ended, ringing = story.answered(), story.answered(), story.dial("+13125559905")
        story.do(ended, "hangup")

        for other, expected in (("v3:nobody", "90015"), (ended.id, "90018"), (ringing.id, "90034"), (a.id, "99901")):
            with pytest.raises(Refused) as refused:
                story.do(a, "bridge", call_control_id=other)
            assert code(refused) == expected

    def test_a_bridge_takes_the_first_of_a_queue(self, story):
        """
        Who waited longest leaves the queue, bridged.
        """
        agent, first, second = story.answered(), story.answered(), story.answered()
        story.do(first, "enqueue", queue_name="support")
        story.do(second, "enqueue", queue_name="support")

        assert story.do(agent, "bridge", queue="support") == ["call.dequeued bridged", "call.bridged", "call.bridged"]
        assert story.events[0].call_control_id == first.id
        assert second.queue == "support"

    def test_an_empty_queue_has_nobody(self, story):
        """
        The sandbox's own code: Telnyx documents none.
        """
        with pytest.raises(Refused) as refused:
            story.do(story.answered(), "bridge", queue="support")
        assert code(refused) == "99901"

    def test_a_video_room_is_accepted(self, story):
        """
        There is no second leg to tell.
        """
        room = "12345678-1234-1234-1234-123456789012"
        assert story.do(story.answered(), "bridge", video_room_id=room) == ["call.bridged"]


class TestTransfer:
    def test_the_second_leg_rings_and_is_bridged(self, story):
        """
        It has its own ids and state, and the session of the first.
        """
        a = story.answered()

        assert story.do(a, "transfer", to="+13125550300", target_leg_client_state="Yg==") == ["call.initiated"]
        payload = story.events[0].payload
        assert payload["call_control_id"] != a.id
        assert (payload["call_session_id"], payload["client_state"]) == (a.session_id, "Yg==")
        assert story.after(1) == ["call.answered", "call.bridged", "call.bridged"]

    def test_a_failed_transfer_leaves_the_first_leg_alive(self, story):
        """
        Only leg B hangs up.
        """
        a = story.answered()
        story.do(a, "transfer", to="+13125559901")

        assert story.after(1) == ["call.hangup user_busy"]
        assert story.events[0].call_control_id != a.id
        assert story.do(a, "send_dtmf", digits="1") == []

    def test_the_first_leg_may_leave_before_the_answer(self, story):
        """
        Then leg B stops ringing.
        """
        a = story.answered()
        story.do(a, "transfer", to="+13125559905")
        story.exchange.far_end(a)

        assert story.told() == ["call.hangup normal_clearing", "call.hangup originator_cancel"]

    def test_of_several_destinations_the_first_answer_counts(self, story):
        """
        The others stop ringing.
        """
        a = story.answered()
        story.do(a, "transfer", to=["+13125559905", "+13125559908"])

        assert story.after(0) == [
            "call.answered",
            "call.hangup originator_cancel",
            "call.bridged",
            "call.bridged",
        ]

    def test_the_caller_is_the_number_that_was_called(self, story):
        """
        Without `from` the new leg shows the number that the first one called.
        """
        a = story.answered()
        story.do(a, "transfer", to="+13125550300")
        assert story.events[0].payload["from"] == a.to

        story.do(a, "transfer", to="+13125550300", **{"from": "+13125550999"})
        assert story.events[0].payload["from"] == "+13125550999"

    def test_a_message_is_heard_before_the_legs_hear_each_other(self, story):
        """
        audio_url and media_name are played to the new leg when it answers.
        """
        a = story.answered()
        story.do(a, "transfer", to="+13125559908", media_name="who-4s")

        assert story.after(0) == ["call.answered"]
        assert story.after(3.9) == []
        assert story.after(0.1) == ["call.bridged", "call.bridged"]

    def test_a_leg_that_leaves_during_the_message_is_not_bridged(self, story):
        """
        Neither of the two.
        """
        a = story.answered()
        story.do(a, "transfer", to="+13125559908", media_name="who-4s")
        story.after(1)
        story.exchange.far_end(a)

        assert story.after(10) == ["call.hangup normal_clearing", "call.hangup normal_clearing"]


class TestRefer:
    def test_a_refer_is_completed(self, story):
        """
        The other end called elsewhere.
        """
        assert story.do(story.answered(), "refer", sip_address="sip:a@example.com") == ["call.refer.started"]
        assert story.after(1) == ["call.refer.completed"]
        assert story.events[0].payload["sip_notify_response"] == 200

    def test_a_refer_may_fail(self, story):
        """
        With the answer that the new destination gave.
        """
        story.do(story.answered(), "refer", sip_address="sip:9901@example.com")
        assert story.after(1) == ["call.refer.failed"]
        assert story.events[0].payload["sip_notify_response"] == 486

    def test_a_call_that_rings_may_be_referred(self, story):
        """
        The other end need not have answered; what became of it is told while the call rings on.
        """
        call = story.dial("+13125559905")
        story.told()
        assert story.do(call, "refer", sip_address="sip:a@example.com") == ["call.refer.started"]
        assert story.after(1) == ["call.refer.completed"]


class TestQueues:
    def test_a_call_waits_and_leaves(self, story):
        """
        Its position is told on entering and leaving.
        """
        call = story.answered()
        assert story.do(call, "enqueue", queue_name="q") == ["call.enqueued"]
        assert story.events[0].payload["current_position"] == 1
        assert story.do(call, "leave_queue") == ["call.dequeued leave"]
        assert story.do(call, "leave_queue") == []

    def test_patience_ends(self, story):
        """
        max_wait_time_secs takes a call out again.
        """
        story.do(story.answered(), "enqueue", queue_name="q", max_wait_time_secs=20)
        assert story.after(20) == ["call.dequeued timeout"]

    def test_a_queue_can_be_full_and_holds_a_call_once(self, story):
        """
        90036 and 90038.
        """
        first, second = story.answered(), story.answered()
        story.do(first, "enqueue", queue_name="q", max_size=1)

        for call, expected in ((first, "90038"), (second, "90036")):
            with pytest.raises(Refused) as refused:
                story.do(call, "enqueue", queue_name="q", max_size=1)
            assert code(refused) == expected
        assert first.queue == "q"

    def test_a_queue_keeps_the_size_that_it_was_made_with(self, story):
        """
        max_size counts for the first one in a queue; an emptied queue is a new one.
        """
        first, second = story.answered(), story.answered()
        story.do(first, "enqueue", queue_name="q", max_size=1)
        with pytest.raises(Refused) as refused:
            story.do(second, "enqueue", queue_name="q", max_size=9)
        assert code(refused) == "90036"

        story.do(first, "leave_queue")
        story.do(second, "enqueue", queue_name="q", max_size=9)
        assert story.do(first, "enqueue", queue_name="q") == ["call.enqueued"]
