"""All calls, and everything that can happen to them: commands of the API, the other end, and time.

Rule 1: time moves only in `advance`, and whoever does anything else advances first; so the order in which things happen
is the order of their moments.
Rule 2: a command that raises Refused has changed nothing.
Rule 3: what is to be told lies in `events` afterwards, in order; the shell takes it from there.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

from sandbox.core import actions, legs, machines
from sandbox.core.call import Call, State
from sandbox.core.destinations import (
    CANCELLED,
    NO_ANSWER,
    NO_CHANNEL,
    NORMAL,
    TIME_LIMIT,
    TIMEOUT,
    Destination,
    End,
    destination,
)
from sandbox.core.life import Event, Habits, Life
from sandbox.core.media import message
from sandbox.core.problems import call_ended, not_now, unknown_call
from sandbox.core.queues import Queues

_RING_SECONDS = 30
_TIME_LIMIT_SECONDS = 14_400


class Exchange:
    """The calls by their id. Ended ones are known for a while (90018), then forgotten (90015)."""

    def __init__(
        self, habits: Habits, rng: random.Random, stamp: Callable[[float], str], ended_calls_max: int = 100_000
    ) -> None:
        self.life = Life(habits, rng, stamp)
        self.calls: dict[str, Call] = {}
        self.queues: Queues = Queues(self.life)
        self._outgoing = 0
        self._ended: deque[str] = deque()
        self._ended_max = ended_calls_max

    def advance(self, now: float) -> None:
        """Let everything happen that is due by `now` (sandbox seconds)."""
        while due := self.life.timers.pop_due(now):
            # A timer set for a moment that has passed fires now: time does not run backwards.
            self.life.now = max(self.life.now, due[0])
            due[1]()
        self.life.now = max(self.life.now, now)

    def next_due(self) -> float | None:
        """When `advance` will have something to do."""
        return self.life.timers.next_due()

    def take_events(self) -> list[Event]:
        """What has happened since the last time."""
        events, self.life.events = self.life.events, []
        return events

    def find(self, call_control_id: str) -> Call:
        """A call that is or was. Raises Refused (90015)."""
        call = self.calls.get(call_control_id)
        if call is None:
            raise unknown_call()
        return call

    def dial(self, body: dict[str, Any]) -> list[Call]:
        """Start a leg for every destination; they share a session, perhaps that of the call in `link_to`."""
        linked = self.calls.get(body.get("link_to") or "")
        session_id = linked.session_id if linked else ""
        targets = body["to"] if isinstance(body["to"], list) else [body["to"]]
        calls: list[Call] = []
        for to in targets:
            call = self.leg(
                body,
                from_=body["from"],
                to=to,
                connection_id=body["connection_id"],
                session_id=session_id,
            )
            session_id = call.session_id
            call.client_state = body.get("client_state")
            call.direct(body)
            call.park_after_unbridge = body.get("park_after_unbridge") == "self"
            if body.get("supervise_call_control_id"):
                call.supervisor_role = body.get("supervisor_role", "barge")
            call.when_answered.append(_started(self.life, call, body))
            if body.get("bridge_on_answer"):
                call.when_answered.append(_bridged(self, call, linked))
            call.initiated()
            calls.append(call)
        return calls

    def leg(self, body: dict[str, Any], *, from_: str, to: str, connection_id: str, session_id: str = "") -> Call:
        """An outgoing leg that begins to ring; the caller tells that it is there."""
        call = Call(self.life, from_=from_, to=to, incoming=False, connection_id=connection_id, session_id=session_id)
        call.custom_headers = body.get("custom_headers") or []
        self._outgoing += 1
        call.when_ended.append(self._channel_freed)
        self._add(call)
        unanswered = TIMEOUT if body.get("retry_on_timeout", True) else NO_ANSWER
        call.wake(float(body.get("timeout_secs", _RING_SECONDS)), lambda: call.end(unanswered))
        other = self._other_end(to)
        limit = float(body.get("time_limit_secs", _TIME_LIMIT_SECONDS))
        call.when_answered.append(lambda: self._answered(call, other, limit, body))
        if other.seconds is not None:
            end = other.end
            call.wake(other.seconds, (lambda: call.end(end)) if end else call.answer)
        return call

    def _other_end(self, to: str) -> Destination:
        most = self.life.habits.channels_max
        if most is not None and self._outgoing > most:
            return Destination(0.0, NO_CHANNEL)
        return destination(to, self.life.habits.answer_seconds)

    def _channel_freed(self) -> None:
        self._outgoing -= 1

    def incoming(self, *, from_: str, to: str, connection_id: str, webhook_url: str | None = None) -> Call:
        """Somebody calls us: the leg is parked until it is answered or rejected."""
        call = Call(self.life, from_=from_, to=to, incoming=True, connection_id=connection_id)
        call.webhook_url = webhook_url
        self._add(call)
        call.when_answered.append(lambda: call.wake(_TIME_LIMIT_SECONDS, lambda: call.end(TIME_LIMIT)))
        call.initiated()
        return call

    def command(self, call: Call, action: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Do what a command says, and return what its answer tells beside its result. Raises Refused."""
        if call.state is State.ENDED:
            raise call_ended()
        return actions.perform(self, call, action, body)

    def far_answer(self, call: Call) -> None:
        """The other end picks up a ringing call. Raises Refused when it does not ring out."""
        if call.state is not State.RINGING:
            raise not_now("Only a ringing outgoing call can be answered by the other end.")
        call.answer()

    def far_end(self, call: Call, end: End | None = None) -> None:
        """The other end hangs up (or ends it in another way). Raises Refused (90018)."""
        if call.state is State.ENDED:
            raise call_ended()
        if end is None and call.state is State.PARKED:
            end = CANCELLED
        call.end(end or End(NORMAL, "caller" if call.incoming else "callee", "200"))

    def far_digits(self, call: Call, digits: str) -> None:
        """The other end presses keys. Raises Refused when nobody listens."""
        if call.state is not State.ANSWERED:
            raise call_ended() if call.state is State.ENDED else not_now("Digits need an answered call.")
        for digit in digits:
            self.life.tell(call, "call.dtmf.received", digit=digit)
            if call.gathering:
                call.gathering.digit(digit)

    def _add(self, call: Call) -> None:
        self.calls[call.id] = call
        call.when_ending.append(lambda: self.queues.leave(call, "hangup"))
        call.when_ended.append(lambda: self._over(call))

    def _over(self, call: Call) -> None:
        peer, call.peer = call.peer, None
        if peer is not None:
            peer.peer = None
            if not peer.park_after_unbridge:
                peer.end(End(NORMAL, "unknown", "200"))
        self._ended.append(call.id)
        while len(self._ended) > self._ended_max:
            del self.calls[self._ended.popleft()]

    def _answered(self, call: Call, other: Destination, limit: float, body: dict[str, Any]) -> None:
        call.wake(limit, lambda: call.end(TIME_LIMIT))
        if other.hangs_up_after is not None:
            call.wake(other.hangs_up_after, lambda: self.far_end(call))
        wanted = body.get("answering_machine_detection") or "disabled"
        if wanted != "disabled":
            machines.detect(self.life, call, wanted, other.answerer)


def _bridged(exchange: Exchange, call: Call, linked: Call | None) -> Callable[[], None]:
    """What a dial asked to be bridged with on its answer, if that is still there to hear it."""

    def answered() -> None:
        if linked is not None and linked.state is State.ANSWERED:
            legs.join(exchange, call, linked)

    return answered


def _started(life: Life, call: Call, body: dict[str, Any]) -> Callable[[], None]:
    """What a dial asked to run from the answer on."""

    def start() -> None:
        call.taps.begin(body)
        if heard := message(life.habits, body):
            call.player.add(heard)

    return start
