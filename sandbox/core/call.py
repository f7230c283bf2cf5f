"""One leg: its identity, its state, and how it begins, is answered and ends.

    RINGING ──answer──▶ ANSWERED ──▶ ENDED        RINGING: outgoing, the other end rings.
    PARKED  ──answer──▶    │                      PARKED: incoming, waits for `answer` or `reject`.
       └───────────────────┴──▶ ENDED

What runs on an answered leg (media, digits, recordings) is owned by the leg and ends before call.hangup is told.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.core.destinations import End
from sandbox.core.gather import Gathering
from sandbox.core.life import Life
from sandbox.core.media import Player
from sandbox.core.sessions import Sessions
from sandbox.core.taps import Taps
from sandbox.core.timers import Timer


class State(enum.StrEnum):
    """Where a leg is in its life."""

    RINGING = "ringing"
    PARKED = "parked"
    ANSWERED = "answered"
    ENDED = "ended"


class Turn(enum.StrEnum):
    """What moves a leg on."""

    ANSWER = "answer"
    END = "end"


TRANSITIONS: Final[Mapping[State, Mapping[Turn, State]]] = {
    State.RINGING: {Turn.ANSWER: State.ANSWERED, Turn.END: State.ENDED},
    State.PARKED: {Turn.ANSWER: State.ANSWERED, Turn.END: State.ENDED},
    State.ANSWERED: {Turn.END: State.ENDED},
    State.ENDED: {},
}


class Call:
    """A leg. Its methods assume that the caller has checked what the state allows."""

    def __init__(
        self, life: Life, *, from_: str, to: str, incoming: bool, connection_id: str = "", session_id: str = ""
    ) -> None:
        self._life = life
        self.id = life.ids.call()
        self.leg_id = life.ids.uuid()
        self.session_id = session_id or life.ids.uuid()
        self.connection_id = connection_id
        self.from_ = from_
        self.to = to
        self.incoming = incoming
        self.state = State.PARKED if incoming else State.RINGING
        self.client_state: str | None = None
        self.webhook_url: str | None = None
        self.webhook_urls: dict[str, tuple[str, ...]] = {}  # By event type, in the place of `webhook_url`.
        self.webhook_retries: dict[str, Any] = {}  # By event type: {"retries_ms": [...]}.
        self.custom_headers: list[Any] = []
        self.created_at = life.now
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.player = Player(life, self)
        self.gathering: Gathering | None = None
        self.taps = Taps(life, self)
        self.sessions = Sessions(life, self)
        self.supervisor_role: str | None = None  # Of a leg that supervises another.
        self.peer: Call | None = None
        self.park_after_unbridge = False
        self.queue: str | None = None
        self.timers: list[Timer] = []
        self.when_answered: list[Callable[[], None]] = []
        self.when_ending: list[Callable[[], None]] = []
        self.when_ended: list[Callable[[], None]] = []

    def named(self, *, parties: bool = True) -> dict[str, Any]:
        """The fields that every webhook of the leg carries; some carry no parties."""
        fields: dict[str, Any] = {
            "call_control_id": self.id,
            "connection_id": self.connection_id,
            "call_leg_id": self.leg_id,
            "call_session_id": self.session_id,
            "client_state": self.client_state,
        }
        if parties:
            fields["from"] = self.from_
            fields["to"] = self.to
        return fields

    def status(self) -> dict[str, Any]:
        """The leg as Telnyx's API shows it. Dialling is asynchronous: a fresh leg is not alive yet."""
        until = self._life.now if self.ended_at is None else self.ended_at
        shown: dict[str, Any] = {
            "record_type": "call",
            "call_control_id": self.id,
            "call_leg_id": self.leg_id,
            "call_session_id": self.session_id,
            "is_alive": self.state is State.ANSWERED,
            "call_duration": int(until - self.answered_at) if self.answered_at is not None else 0,
            "start_time": self._life.stamp(self.created_at),
        }
        if self.client_state is not None:
            shown["client_state"] = self.client_state
        if self.ended_at is not None:
            shown["end_time"] = self._life.stamp(self.ended_at)
        return shown

    def direct(self, body: dict[str, Any]) -> None:
        """Where a body says that the leg's webhooks go from now on; what it does not name stays."""
        self.webhook_url = body.get("webhook_url") or self.webhook_url
        if urls := body.get("webhook_urls"):
            self.webhook_urls = {kind: tuple([to] if isinstance(to, str) else to) for kind, to in urls.items()}
        self.webhook_retries = body.get("webhook_retries_policies") or self.webhook_retries

    def direct_as(self, other: Call) -> None:
        """Send the leg's webhooks to where another's go."""
        self.webhook_url, self.webhook_urls = other.webhook_url, other.webhook_urls
        self.webhook_retries = other.webhook_retries

    def initiated(self) -> None:
        """Tell that the leg is there."""
        self._life.tell(
            self,
            "call.initiated",
            direction="incoming" if self.incoming else "outgoing",
            state="parked" if self.incoming else "bridging",
            start_time=self._life.stamp(self.created_at),
            custom_headers=self.custom_headers,
        )

    def wake(self, seconds: float, fire: Callable[[], None]) -> None:
        """Be woken after so many seconds, unless the leg ends first."""
        self.timers.append(self._life.after(seconds, fire))

    def answer(self) -> None:
        """The leg is answered; without effect when it was, or has ended."""
        if not self._turn(Turn.ANSWER):
            return
        self._forget_timers()
        self.answered_at = self._life.now
        self._life.tell(
            self,
            "call.answered",
            state="answered",
            start_time=self._life.stamp(self.created_at),
            custom_headers=self.custom_headers,
        )
        follow, self.when_answered = self.when_answered, []
        for fire in follow:
            fire()

    def end(self, end: End) -> None:
        """The leg ends, and everything open on it before that; without effect when it has ended."""
        if not self._turn(Turn.END):
            return
        self._forget_timers()
        self.ended_at = self._life.now
        self.player.hang_up()
        if self.gathering:
            self.gathering.close("call_hangup")
        self.sessions.hang_up()
        self.taps.hang_up()
        for fire in self.when_ending:
            fire()
        self._life.tell(
            self,
            "call.hangup",
            state="hangup",
            start_time=self._life.stamp(self.created_at),
            hangup_cause=end.cause,
            hangup_source=end.source,
            sip_hangup_cause=end.sip_cause,
        )
        follow, self.when_ended = self.when_ended, []
        for fire in follow:
            fire()
        # The hooks hold other legs and bodies: what is over shall not keep them in memory.
        self.when_ending.clear()
        self.when_answered.clear()

    def _turn(self, turn: Turn) -> bool:
        state = TRANSITIONS[self.state].get(turn)
        if state is None:
            return False
        self.state = state
        return True

    def _forget_timers(self) -> None:
        for timer in self.timers:
            self._life.timers.cancel(timer)
        self.timers.clear()
