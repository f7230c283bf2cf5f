"""What Telnyx has added since 2023, as the sandbox plays it: newer commands, and what newer fields of old ones do."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.core import newer
from sandbox.core.bodies import SCHEMAS
from sandbox.core.problems import Refused
from tests.sandbox.conftest import ALICE
from tests.sandbox.test_bodies import VALID

PARAMETERS = {"type": "object", "properties": {"name": {"type": "string"}}}
LEAST: dict[str, dict[str, Any]] = {
    "ai_assistant_add_messages": {},
    "ai_assistant_join": {"conversation_id": "x", "participant": {"id": "v3:other", "role": "user"}},
    "ai_assistant_start": {},
    "ai_assistant_stop": {},
    "conversation_relay_start": {},
    "conversation_relay_stop": {},
    "gather_using_ai": {"parameters": PARAMETERS},
    "pay": {},
    "send_sip_info": {"body": "x", "content_type": "text/plain"},
    "siprec_start": {},
    "siprec_stop": {},
    "suppression_start": {},
    "suppression_stop": {},
    "switch_supervisor_role": {"role": "whisper"},
}
FILE = "x" * 41
URLS = {"call.answered": []}


def problems(action: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        (SCHEMAS if action in SCHEMAS else newer.SCHEMAS)[action].check(body)
    except Refused as refused:
        return [(problem.code, problem.pointer) for problem in refused.problems]
    return []


def code(refused: pytest.ExceptionInfo[Refused]) -> str:
    return refused.value.problems[0].code


def test_every_newer_command_has_a_body_and_a_deed():
    """
    None is taken that does nothing that somebody thought about.
    """
    assert set(newer.SCHEMAS) == set(newer.PERFORM) == set(LEAST)
    assert not set(newer.SCHEMAS) & set(SCHEMAS)


@pytest.mark.parametrize("action", sorted(LEAST))
def test_the_least_body_is_accepted(action):
    """
    What is required, and what nobody knows yet.
    """
    assert problems(action, {**LEAST[action], "brand_new": [1]}) == []


@pytest.mark.parametrize(
    ("action", "name"), [(action, name) for action, schema in newer.SCHEMAS.items() for name in schema.required]
)
def test_what_is_required_is_missed(action, name):
    """
    10004, with a pointer.
    """
    assert ("10004", f"/{name}") in problems(action, {k: v for k, v in LEAST[action].items() if k != name})


@pytest.mark.parametrize(
    ("action", "body", "found"),
    [
        ("answer", {"deepfake_detection": {}}, ("10004", "/deepfake_detection/enabled")),
        ("answer", {"deepfake_detection": {"enabled": True, "timeout": 4}}, ("10033", "/deepfake_detection/timeout")),
        ("answer", {"transcription_config": {"transcription_tracks": "x"}}, ("10032", None)),
        ("answer", {"assistant": "x"}, ("10015", "/assistant")),
        ("answer", {"record_trim": "all"}, ("10032", "/record_trim")),
        ("answer", {"record_channels": "dual"}, ("10004", "/record")),
        ("answer", {"webhook_urls": URLS}, ("10004", "/webhook_urls/call.answered")),
        ("bridge", {"mute_dtmf": "all"}, ("10032", "/mute_dtmf")),
        ("bridge", {"record_custom_file_name": FILE}, ("10033", "/record_custom_file_name")),
        ("bridge", {"record_format": "wav"}, ("10004", "/record")),
        ("dial", {"bridge_on_answer": True}, ("10004", "/link_to")),
        ("dial", {"park_after_unbridge": "self"}, ("10004", "/link_to")),
        ("dial", {"stream_auth_token": "x" * 4001}, ("10033", "/stream_auth_token")),
        ("dial", {"stream_bidirectional_sampling_rate": 11025}, ("10032", "/stream_bidirectional_sampling_rate")),
        ("dial", {"stream_bidirectional_sampling_rate": "8000"}, ("10015", "/stream_bidirectional_sampling_rate")),
        ("dial", {"send_digits_on_answer": "x"}, ("10015", "/send_digits_on_answer")),
        ("dial", {"send_digits_on_answer": "1" * 65}, ("10033", "/send_digits_on_answer")),
        ("dial", {"supervisor_role": "none"}, ("10032", "/supervisor_role")),
        ("dial", {"conference_config": {"beep_enabled": "x"}}, ("10032", "/conference_config/beep_enabled")),
        ("dial", {"diversion": "5550001"}, ("10016", "/diversion")),
        ("gather", {"gather_id": ""}, ("10033", "/gather_id")),
        ("hangup", {"reason": 'a "b"'}, ("10033", "/reason")),
        ("hangup", {"reason": 7}, ("10015", "/reason")),
        ("playback_start", {"audio_type": "ogg"}, ("10032", "/audio_type")),
        ("record_start", {"recording_track": "left"}, ("10032", "/recording_track")),
        ("record_stop", {"recording_id": "x"}, ("10015", "/recording_id")),
        ("speak", {"loop": "often"}, ("10032", "/loop")),
        ("speak", {"target_legs": "none"}, ("10032", "/target_legs")),
        ("streaming_stop", {"stream_id": "x"}, ("10015", "/stream_id")),
        ("transfer", {"sip_transport_protocol": "tls"}, ("10032", "/sip_transport_protocol")),
        ("pay", {"transaction_type": "charge"}, ("10004", "/amount")),
        ("siprec_start", {"session_timeout_secs": 89}, ("10033", "/session_timeout_secs")),
        ("siprec_start", {"sip_transport": "sctp"}, ("10032", "/sip_transport")),
        ("suppression_start", {"direction": "up"}, ("10032", "/direction")),
        ("switch_supervisor_role", {"role": "none"}, ("10032", "/role")),
        ("conversation_relay_start", {"interruptible": "never"}, ("10032", "/interruptible")),
        ("gather_using_ai", {"gather_ended_speech": "x" * 3001}, ("10033", "/gather_ended_speech")),
        ("ai_assistant_join", {"participant": {"id": "x", "role": "agent"}}, ("10032", "/participant/role")),
    ],
)
def test_a_wrong_value_is_refused_in_the_documented_code(action, body, found):
    """
    As of the older fields: missing, malformed, not in the list, out of range; with a pointer.
    """
    said = problems(action, {**{**VALID, **LEAST}[action], **body})

    assert found in said or (found[1] is None and found[0] in [code for code, _ in said])


@pytest.mark.parametrize("action", sorted(LEAST))
def test_newer_commands_need_an_answered_call(story, action):
    """
    90034 before the answer, 90018 after the end.
    """
    call = story.dial()
    with pytest.raises(Refused) as refused:
        story.do(call, action, **LEAST[action])
    assert code(refused) == "90034"

    story.exchange.far_answer(call)
    story.do(call, "hangup")
    with pytest.raises(Refused) as refused:
        story.do(call, action, **LEAST[action])
    assert code(refused) == "90018"


class TestConversations:
    def test_an_assistant_talks_until_it_is_stopped(self, story):
        """
        One at a time (90061); insights follow the end.
        """
        call = story.answered()
        assert story.do(call, "ai_assistant_start", greeting="Hello") == []
        for action in ("ai_assistant_start", "conversation_relay_start", "gather_using_ai"):
            with pytest.raises(Refused) as refused:
                story.do(call, action, **LEAST[action])
            assert code(refused) == "90061"

        assert story.do(call, "ai_assistant_add_messages", messages=[{"role": "user", "content": "Hi"}]) == []
        assert story.do(call, "conversation_relay_stop") == []
        assert story.do(call, "ai_assistant_stop") == ["call.conversation.ended"]
        assert story.do(call, "ai_assistant_stop") == []
        assert story.after(1) == ["call.conversation_insights.generated"]

    def test_only_its_own_conversation_is_joined(self, story):
        """
        By the id that its start answered; nobody else's, and none that is over.
        """
        call = story.answered()
        told = story.exchange.command(call, "ai_assistant_start", {})
        join = {"conversation_id": told["conversation_id"], "participant": {"id": call.id, "role": "user"}}

        assert story.exchange.command(call, "ai_assistant_join", join) == told
        with pytest.raises(Refused):
            story.do(call, "ai_assistant_join", **LEAST["ai_assistant_join"])
        story.do(call, "ai_assistant_stop")
        with pytest.raises(Refused):
            story.do(call, "ai_assistant_join", **join)

    def test_a_relay_is_no_assistant(self, story):
        """
        It is stopped by its own command, and takes no messages.
        """
        call = story.answered()
        story.do(call, "conversation_relay_start", url="wss://a.example")

        with pytest.raises(Refused):
            story.do(call, "ai_assistant_add_messages")
        assert story.do(call, "ai_assistant_stop") == []
        assert story.do(call, "conversation_relay_stop") == ["call.conversation.ended"]

    def test_a_gather_tells_of_its_progress_and_its_end(self, story):
        """
        Partial results and the history where they are asked for; then the results, and the end of the conversation.
        """
        call = story.answered()
        story.do(
            call, "gather_using_ai", parameters=PARAMETERS, send_partial_results=True, send_message_history_updates=True
        )

        assert story.after(1) == ["call.ai_gather.partial_results", "call.ai_gather.message_history_updated"]
        assert story.after(1) == ["call.ai_gather.ended valid", "call.conversation.ended"]
        assert story.events[0].payload["result"] == {"name": "from the sandbox"}

    def test_a_hangup_ends_what_runs(self, story):
        """
        Before the call's own end is told.
        """
        call = story.answered()
        story.do(call, "gather_using_ai", parameters=PARAMETERS)
        story.do(call, "siprec_start")
        story.do(call, "pay")

        assert story.do(call, "hangup") == [
            "call.ai_gather.ended invalid",
            "call.conversation.ended",
            "call.payment.completed",
            "siprec.stopped 16",
            "call.hangup normal_clearing",
        ]
        assert story.after(10) == []


class TestOtherCommands:
    def test_a_siprec_session_starts_and_stops(self, story):
        """
        Two starts are two sessions, because nothing tells them apart.
        """
        call = story.answered()

        assert story.do(call, "siprec_start", connector_name="desk") == ["siprec.started"]
        assert story.do(call, "siprec_start", connector_name="desk") == ["siprec.stopped 16", "siprec.started"]
        assert story.do(call, "siprec_stop") == ["siprec.stopped 16"]
        assert story.do(call, "siprec_stop") == []
        assert story.do(call, "siprec_start", connector_name="refused") == ["siprec.failed"]

    def test_a_payment_makes_progress_and_is_completed(self, story):
        """
        One at a time.
        """
        call = story.answered()
        story.do(call, "pay", amount=12.5, transaction_type="charge")
        with pytest.raises(Refused):
            story.do(call, "pay")

        assert story.after(1) == ["call.payment.progress"]
        assert story.after(1) == ["call.payment.completed"]
        assert story.events[0].payload["result"] == "success"

    def test_sip_info_is_heard_on_the_other_leg(self, story):
        """
        Of a bridge; alone nobody hears it.
        """
        call, other = story.answered(), story.answered()
        assert story.do(call, "send_sip_info", **LEAST["send_sip_info"]) == []
        story.do(call, "bridge", call_control_id=other.id)

        assert story.do(call, "send_sip_info", **LEAST["send_sip_info"]) == ["call.sip_info.received"]
        assert story.events[0].call_control_id == other.id

    def test_only_a_supervisor_has_a_role(self, story):
        """
        A leg that was dialled to supervise another.
        """
        call = story.answered()
        supervisor = story.answered(supervise_call_control_id=call.id)

        assert story.do(supervisor, "switch_supervisor_role", role="whisper") == []
        assert supervisor.supervisor_role == "whisper"
        with pytest.raises(Refused):
            story.do(call, "switch_supervisor_role", role="whisper")

    def test_noise_is_suppressed_until_it_is_not(self, story):
        """
        Nothing is told of it.
        """
        call = story.answered()

        assert story.do(call, "suppression_start", direction="both") == []
        assert call.sessions.suppressed == "both"
        assert story.do(call, "suppression_stop") == []
        assert call.sessions.suppressed is None


class TestNewerFields:
    def test_speech_is_repeated(self, story):
        """
        As often as `loop` says, or until it is stopped.
        """
        call = story.answered()
        story.do(call, "speak", payload="x" * 15, voice="female", loop=3)
        assert story.after(2.9) == []
        assert story.after(0.2) == ["call.speak.ended completed"]
        story.do(call, "speak", payload="x", voice="female", loop="infinity")
        assert story.after(1000) == []
        assert story.do(call, "playback_stop") == ["call.speak.ended completed"]

    def test_an_answer_may_start_a_transcription_and_look_for_a_made_voice(self, story):
        """
        transcription with its configuration, and deepfake_detection.
        """
        call = story.incoming()
        config = {"transcription_engine_config": {"interim_results": True}}
        story.do(call, "answer", transcription=True, transcription_config=config, deepfake_detection={"enabled": True})

        assert story.after(0.5) == ["call.transcription"]
        assert story.after(0.5) == ["call.deepfake_detection.result", "call.transcription"]

    def test_interim_results_are_asked_for_in_either_place(self, story):
        """
        A field of the command until 2023, one of the engine's settings since.
        """
        for asked in ({"interim_results": True}, {"transcription_engine_config": {"interim_results": True}}):
            call = story.answered()
            story.do(call, "transcription_start", **asked)
            assert story.after(2) == ["call.transcription", "call.transcription"]

    def test_a_gather_repeats_its_name(self, story):
        """
        gather_id comes back with the digits.
        """
        call = story.answered()
        story.do(call, "gather", gather_id="pin")
        story.do(call, "gather_stop")
        story.do(call, "gather")
        assert story.do(call, "gather_stop") == ["call.gather.ended cancelled"]
        assert "gather_id" not in story.events[0].payload

        story.do(call, "gather", gather_id="pin")
        story.do(call, "gather_stop")
        assert story.events[0].payload["gather_id"] == "pin"

    def test_a_dial_may_be_bridged_on_its_answer(self, story):
        """
        With the call that it is linked to.
        """
        call = story.answered()
        story.dial(link_to=call.id, bridge_on_answer=True)

        assert story.after(1) == ["call.answered", "call.bridged", "call.bridged"]

    def test_a_dial_that_is_not_tried_on_ends_otherwise(self, story):
        """
        retry_on_timeout false: no_answer, not timeout.
        """
        story.exchange.dial(
            {"to": "+13125559902", "from": ALICE, "connection_id": "1", "timeout_secs": 5, "retry_on_timeout": False}
        )
        story.told()

        assert story.after(5) == ["call.hangup no_answer"]

    def test_a_call_that_is_bridged_may_be_spared(self, story):
        """
        prevent_double_bridge refuses, and changes nothing.
        """
        call, other, third = story.answered(), story.answered(), story.answered()
        story.do(call, "bridge", call_control_id=other.id)

        with pytest.raises(Refused):
            story.do(third, "bridge", call_control_id=other.id, prevent_double_bridge=True)
        assert other.peer is call
