"""The commands that Telnyx has added since 2023: their bodies, and what they do here, by hand from its documentation.

All need an answered call. Where Telnyx documents no code for a refusal, it is the sandbox's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.core.call import Call
from sandbox.core.checks import Check, array, choice, flag, number, record, text, whole
from sandbox.core.fields import ANYTHING, SUPERVISOR
from sandbox.core.problems import Problem, missing, not_now, out_of_range
from sandbox.core.schema import Schema, schema

if TYPE_CHECKING:
    from sandbox.core.exchange import Exchange

Body = dict[str, Any]
Perform = Callable[["Exchange", Call, Body], Body | None]  # Returns what the answer tells beside its result.

# Telnyx takes no command_id for them: every one counts.
WITHOUT_ID: Final = frozenset({"siprec_start", "switch_supervisor_role"})

_INTERRUPTIBLE: Final = choice("none", "any", "speech", "dtmf")
_PARTICIPANT: Final = record({"id": text(), "role": choice("user")}, "id", "role")
_MESSAGES: Final = array(ANYTHING)
_VOICE: Final[Mapping[str, Check]] = {"voice": text(), "voice_settings": ANYTHING}
_TALK: Final[Mapping[str, Check]] = {
    **_VOICE,
    "assistant": ANYTHING,
    "greeting": text(),
    "interruption_settings": ANYTHING,
    "transcription": ANYTHING,
}


def _session_timeout(value: object, pointer: str) -> Problem | None:
    """Seconds, at least 90; 0 turns it off."""
    too_short = isinstance(value, int) and 0 < value < 90
    return out_of_range(pointer, "The value must be 0, or at least 90.") if too_short else whole(0)(value, pointer)


def _charged(body: Body) -> Problem | None:
    """A charge needs an amount."""
    return missing("/amount") if body.get("transaction_type") == "charge" and not body.get("amount") else None


SCHEMAS: Final[Mapping[str, Schema]] = {
    "ai_assistant_start": schema(
        message_history=_MESSAGES,
        participants=array(_PARTICIPANT),
        send_message_history_updates=flag,
        shared=(_TALK,),
    ),
    "ai_assistant_join": schema("conversation_id", "participant", conversation_id=text(), participant=_PARTICIPANT),
    "ai_assistant_add_messages": schema(messages=_MESSAGES, trigger_response=flag),
    "ai_assistant_stop": schema(),
    "conversation_relay_start": schema(
        url=text(),
        conversation_relay_url=text(),
        conversation_relay_dtmf_detection=flag,
        conversation_relay_settings=ANYTHING,
        custom_parameters=ANYTHING,
        dtmf_detection=flag,
        interruptible=_INTERRUPTIBLE,
        interruptible_greeting=_INTERRUPTIBLE,
        language=text(),
        languages=array(ANYTHING),
        provider=text(),
        structured_provider=ANYTHING,
        transcription_engine=text(),
        transcription_engine_config=ANYTHING,
        tts_provider=text(),
        shared=(_TALK,),
    ),
    "conversation_relay_stop": schema(),
    "gather_using_ai": schema(
        "parameters",
        parameters=ANYTHING,
        gather_ended_speech=text(3000),
        language=text(),
        message_history=_MESSAGES,
        send_message_history_updates=flag,
        send_partial_results=flag,
        user_response_timeout_ms=whole(0),
        shared=(_TALK,),
    ),
    "pay": schema(
        rules=(_charged,),
        amount=number(0),
        connector_name=text(),
        currency=choice("USD", "usd"),
        description=text(),
        inter_digit_timeout_millis=whole(0),
        language=text(),
        max_attempts=whole(1),
        metadata=ANYTHING,
        min_postal_code_length=whole(0),
        parameters=ANYTHING,
        payment_method=choice("credit-card", "ach-debit"),
        payment_token=text(),
        prompts=ANYTHING,
        service_level=text(),
        timeout_millis=whole(0),
        transaction_type=choice("charge", "tokenize"),
        valid_card_types=array(text()),
        voice=text(),
    ),
    "send_sip_info": schema("body", "content_type", body=text(), content_type=text()),
    "siprec_start": schema(
        connector_name=text(),
        include_metadata_custom_headers=flag,
        secure=flag,
        session_timeout_secs=_session_timeout,
        sip_transport=choice("udp", "tcp", "tls"),
        siprec_track=choice("inbound_track", "outbound_track", "both_tracks"),
    ),
    "siprec_stop": schema(),
    "suppression_start": schema(
        direction=choice("inbound", "outbound", "both"),
        noise_suppression_engine=text(),
        noise_suppression_engine_config=ANYTHING,
    ),
    "suppression_stop": schema(),
    "switch_supervisor_role": schema("role", role=SUPERVISOR),
}


def _join(_: Exchange, call: Call, body: Body) -> Body:
    return {"conversation_id": call.sessions.conversing(body["conversation_id"])}


def _add_messages(_: Exchange, call: Call, __: Body) -> None:
    call.sessions.conversing()


def _send_sip_info(exchange: Exchange, call: Call, body: Body) -> None:
    """The other leg hears of it, where there is one of ours."""
    if call.peer is not None:
        told = {"body": body["body"], "content_type": body["content_type"]}
        exchange.life.tell(call.peer, "call.sip_info.received", **told)


def _suppress(_: Exchange, call: Call, body: Body) -> None:
    call.sessions.suppressed = body.get("direction", "inbound")


def _stop_suppressing(_: Exchange, call: Call, __: Body) -> None:
    call.sessions.suppressed = None


def _switch_role(_: Exchange, call: Call, body: Body) -> None:
    if call.supervisor_role is None:
        raise not_now("Only a leg that supervises another has a role.")
    call.supervisor_role = body["role"]


PERFORM: Final[Mapping[str, Perform]] = {
    "ai_assistant_start": lambda _, call, body: {"conversation_id": call.sessions.converse(body)},
    "ai_assistant_join": _join,
    "ai_assistant_add_messages": _add_messages,
    "ai_assistant_stop": lambda _, call, __: call.sessions.end_conversation(),
    "conversation_relay_start": lambda _, call, body: {
        "conversation_relay_id": call.sessions.converse(body, relay=True)
    },
    "conversation_relay_stop": lambda _, call, __: call.sessions.end_conversation(relay=True),
    "gather_using_ai": lambda _, call, body: {"conversation_id": call.sessions.gather(body)},
    "pay": lambda _, call, body: call.sessions.pay(body),
    "send_sip_info": _send_sip_info,
    "siprec_start": lambda _, call, body: call.sessions.siprec(body),
    "siprec_stop": lambda _, call, __: call.sessions.stop_siprec(),
    "suppression_start": _suppress,
    "suppression_stop": _stop_suppressing,
    "switch_supervisor_role": _switch_role,
}
