"""Commands that concern a second leg: bridge, transfer, refer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.core.call import Call, State
from sandbox.core.destinations import CANCELLED, NORMAL, End, destination
from sandbox.core.media import message
from sandbox.core.problems import call_ended, not_answered, not_now, unknown_call

if TYPE_CHECKING:
    from sandbox.core.exchange import Exchange

Body = dict[str, Any]


def bridge(exchange: Exchange, call: Call, body: Body) -> None:
    """Connect a call with another, with the first of a queue, or with a video room (then it hears nobody)."""
    if body.get("video_room_id"):
        exchange.life.tell(call, "call.bridged", state="bridged")
        return
    other = exchange.queues.first(body["queue"]) if body.get("queue") else _other(exchange, body["call_control_id"])
    if other is call:
        raise not_now("A call cannot be bridged with itself.")
    if body.get("prevent_double_bridge") and other.peer is not None:
        raise not_now("The other call is bridged already.")
    exchange.queues.leave(other, "bridged")
    exchange.queues.leave(call, "bridged")
    call.park_after_unbridge = body.get("park_after_unbridge") == "self"
    join(exchange, call, other)


def _other(exchange: Exchange, call_control_id: str) -> Call:
    other = exchange.calls.get(call_control_id)
    if other is None:
        raise unknown_call()
    if other.state is State.ENDED:
        raise call_ended("/call_control_id")
    if other.state is not State.ANSWERED:
        raise not_answered()
    return other


def join(exchange: Exchange, call: Call, other: Call) -> None:
    """Let two legs hear each other; whoever they heard before is left alone, alive."""
    for leg in (call, other):
        if leg.peer:
            leg.peer.peer = None
    call.peer, other.peer = other, call
    for leg in (call, other):
        exchange.life.tell(leg, "call.bridged", state="bridged")


def transfer(exchange: Exchange, call: Call, body: Body) -> None:
    """Ring a second leg and bridge it when it is answered; if it is not, the first one lives on.

    With a list of destinations all of them ring, and the first to answer gets the call. A message is heard by the new
    leg before the two hear each other.
    """
    targets = body["to"] if isinstance(body["to"], list) else [body["to"]]
    legs = [
        exchange.leg(
            body,
            from_=body.get("from") or call.to,
            to=to,
            connection_id=call.connection_id,
            session_id=call.session_id,
        )
        for to in targets
    ]
    waiting = list(legs)  # Who has not been bridged with the call.
    for leg in legs:
        leg.client_state = body.get("target_leg_client_state")
        leg.direct_as(call)
        leg.direct(body)
        leg.when_answered.append(_connect(exchange, call, leg, waiting, body))
        leg.initiated()
    call.park_after_unbridge = body.get("park_after_unbridge") == "self"
    call.when_ended.append(lambda: _abandon(waiting))


def _connect(exchange: Exchange, call: Call, leg: Call, waiting: list[Call], body: Body) -> Callable[[], None]:
    def connected() -> None:
        waiting.remove(leg)
        join(exchange, call, leg)

    def answered() -> None:
        for other in waiting:
            if other is not leg and other.state is State.RINGING:
                other.end(CANCELLED)
        if heard := message(exchange.life.habits, body):
            heard.then = connected
            leg.player.add(heard)
        else:
            connected()

    return answered


def _abandon(waiting: list[Call]) -> None:
    for leg in waiting:
        leg.end(CANCELLED if leg.state is State.RINGING else End(NORMAL, "unknown", "200"))


def refer(exchange: Exchange, call: Call, body: Body) -> None:
    """Ask the other end to call elsewhere; an address whose number fails makes the refer fail."""
    life = exchange.life
    life.tell(call, "call.refer.started", sip_notify_response=100)
    target = destination(body["sip_address"].split(":", 1)[1], life.habits.answer_seconds)
    if target.end is not None:
        code = int(target.end.sip_cause)
        call.wake(target.seconds or 0.0, lambda: life.tell(call, "call.refer.failed", sip_notify_response=code))
    else:
        seconds = life.habits.answer_seconds if target.seconds is None else target.seconds
        call.wake(seconds, lambda: life.tell(call, "call.refer.completed", sip_notify_response=200))
