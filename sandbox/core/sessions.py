"""What Telnyx has added to a leg since 2023: conversations with machines, SIPREC, noise suppression, payments.

A leg converses with one assistant or relay at a time. What the caller would say is made up here: the words that come,
and when, are the sandbox's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sandbox.core.life import Life
from sandbox.core.problems import documented, not_now
from sandbox.core.timers import Timer

if TYPE_CHECKING:
    from sandbox.core.call import Call

Body = dict[str, Any]

_SECONDS: Final = 1.0  # Between one step of a conversation or payment and the next.
_HEARD: Final = "from the sandbox"


class Sessions:
    """The sessions of one leg; each kind runs once at a time, and ends with the leg."""

    def __init__(self, life: Life, call: Call) -> None:
        self._life = life
        self._call = call
        self._conversation: str | None = None
        self._relay = False
        self._gathering: Body | None = None
        self._paying: Body | None = None
        self._timers: list[Timer] = []
        self._siprec = False
        self._since = 0.0
        self.suppressed: str | None = None  # The direction whose noise is suppressed.

    def converse(self, body: Body, *, relay: bool = False) -> str:
        """Begin a conversation, and return its id. Raises Refused (90061) when one runs."""
        if self._conversation is not None:
            raise documented("90061", "AI Assistant is already in progress")
        self._conversation, self._relay, self._since = self._life.ids.uuid(), relay, self._life.now
        return self._conversation

    def conversing(self, conversation_id: str | None = None) -> str:
        """The conversation that runs, or that of this id. Raises Refused where there is none."""
        running = None if self._relay else self._conversation
        if running is None or conversation_id not in (None, running):
            raise not_now("No such conversation with an AI assistant is in progress.")
        return running

    def end_conversation(self, *, relay: bool = False) -> None:
        """End the conversation of this kind, if one runs; insights into one with an assistant follow a little later."""
        if self._conversation is None or self._relay is not relay:
            return
        if self._gathering is not None:
            self._gathered("invalid")
            return
        self._over()
        if not relay:
            insights = {"insight_group_id": self._life.ids.uuid(), "results": []}
            self._life.after(_SECONDS, lambda: self._tell("call.conversation_insights.generated", insights))

    def gather(self, body: Body) -> str:
        """Ask for what the parameters describe; the answers come one second later, and the end a second after that."""
        conversation = self.converse(body)
        self._gathering = body
        self._wake(_SECONDS, self._partly)
        self._wake(2 * _SECONDS, lambda: self._gathered("valid"))
        return conversation

    def _partly(self) -> None:
        body, heard = self._gathering or {}, {"message_history": [{"role": "user", "content": _HEARD}]}
        if body.get("send_partial_results"):
            self._tell("call.ai_gather.partial_results", {**heard, "partial_results": self._results()}, parties=True)
        if body.get("send_message_history_updates"):
            self._tell("call.ai_gather.message_history_updated", heard, parties=True)

    def _gathered(self, status: str) -> None:
        result = self._results() if status == "valid" else {}
        told = {"message_history": [{"role": "user", "content": _HEARD}], "result": result, "status": status}
        self._gathering = None
        self._forget_timers()
        self._tell("call.ai_gather.ended", told, parties=True)
        self._over()

    def _results(self) -> Body:
        asked = (self._gathering or {}).get("parameters") or {}
        return dict.fromkeys(asked.get("properties") or {}, _HEARD)

    def _over(self) -> None:
        told = {"conversation_id": self._conversation, "duration_sec": int(self._life.now - self._since)}
        self._conversation = None
        self._tell("call.conversation.ended", told, parties=True)

    def pay(self, body: Body) -> None:
        """Collect a card number, and take the payment. Raises Refused where one is being taken."""
        if self._paying is not None:
            raise not_now("A payment is in progress.")
        self._paying = {"payment_method": body.get("payment_method", "credit-card")}
        step = {**self._paying, "payment_step": "payment-processing", "payment_status": "processing", "attempt": 1}
        self._wake(_SECONDS, lambda: self._tell("call.payment.progress", step, parties=True))
        self._wake(2 * _SECONDS, lambda: self._paid("success"))

    def _paid(self, result: str) -> None:
        paying, self._paying = self._paying, None
        if paying is not None:
            self._tell("call.payment.completed", {**paying, "result": result}, parties=True)

    def siprec(self, body: Body) -> None:
        """Begin a SIPREC session; one that runs is stopped first, and a connector with `refused` in its name fails."""
        self.stop_siprec()
        if "refused" in (body.get("connector_name") or ""):
            self._tell("siprec.failed", {"failure_cause": "21"})
            return
        self._siprec = True
        self._tell("siprec.started", {})

    def stop_siprec(self) -> None:
        """End the SIPREC session, if there is one."""
        if self._siprec:
            self._siprec = False
            self._tell("siprec.stopped", {"hangup_cause": "16"})

    def hang_up(self) -> None:
        """The leg ends: everything stops."""
        self.end_conversation(relay=self._relay)
        self._paid("cancelled")
        self.stop_siprec()
        self._forget_timers()

    def _wake(self, seconds: float, fire: Callable[[], None]) -> None:
        self._timers.append(self._life.after(seconds, fire))

    def _forget_timers(self) -> None:
        for timer in self._timers:
            self._life.timers.cancel(timer)
        self._timers.clear()

    def _tell(self, event_type: str, fields: Body, *, parties: bool = False) -> None:
        self._life.tell(self._call, event_type, parties=parties, **fields)
