"""The official SDKs' calls of the 28 commands, made against one Telnyx or another, and what came of each.

Each command gets a call of its own, in a state in which Telnyx takes the command. A world is a place where calls can be
had and commands be sent: the sandbox itself, or Cordboard with a sandbox behind it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.server import Server
from sandbox.truth import Effect
from tests.contract.samples import CALL, MINIMAL, OTHER_CALL, STATE, Sample
from tests.promises.stage import ANOTHER, ANSWERS_AT_ONCE, OWN_NUMBER

# What must have been sent to the call before, so that there is something to end, or to leave.
BEFORE: Final[Mapping[str, str]] = {
    "fork_stop": "fork_start",
    "gather_stop": "gather",
    "leave_queue": "enqueue",
    "playback_stop": "playback_start",
    "record_pause": "record_start",
    "record_resume": "record_start",
    "record_stop": "record_start",
    "streaming_stop": "streaming_start",
    "transcription_stop": "transcription_start",
}
# What Telnyx's document does not ask for, and Telnyx itself does.
ASKED_FOR: Final[Mapping[str, dict[str, Any]]] = {
    "playback_start": {"audio_url": "https://a.example/long-60s.mp3"},
}
RINGING: Final = frozenset({"answer", "reject"})
# Its answer names a call that is another one in each world, at another time.
OWN_TO_EACH: Final = frozenset({"call_control_id", "call_leg_id", "call_session_id", "start_time", "call_duration"})
BODIES: Final = {sample.name: sample for sample in MINIMAL}

Send = Callable[[Sample, str, dict[str, Any]], Awaitable[Any]]
"""Sends a sample's command for a call with this body, by an SDK; gives the answer's data, or the error's."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a command: what the caller was told, and what Telnyx was asked and did."""

    answer: Any
    requests: list[Any]


class World:
    """A place where commands are sent: `base_url` is what the SDK is told, `sandbox` where their effects are seen."""

    def __init__(self, base_url: str, sandbox: Server) -> None:
        self.base_url = base_url
        self.sandbox = sandbox

    def call(self, *, answered: bool = True) -> str:
        """Somebody calls."""
        tell = self.sandbox.station.tell
        call: str = tell(lambda exchange: exchange.incoming(from_=ANOTHER, to=OWN_NUMBER, connection_id="c")).id
        if answered:
            tell(lambda exchange: exchange.find(call).answer())
        return call

    async def run(self, send: Send) -> dict[str, Came]:
        """All 28, one after another; what came of each by its name."""
        return {sample.name: await self._one(sample, send) for sample in MINIMAL}

    async def _one(self, sample: Sample, send: Send) -> Came:
        call, other = self.call(answered=sample.name not in RINGING), self.call()
        if before := BEFORE.get(sample.name):
            await send(BODIES[before], call, self._body(BODIES[before], other))
        seen = len(self._effects())
        answer = await send(sample, call, self._body(sample, other))
        asked = [_same_everywhere(one, {call: "CALL", other: "OTHER"}) for one in self._effects()[seen:]]
        return Came(_named_alike(answer), asked)

    def _effects(self) -> list[Effect]:
        return [one for one in self.sandbox.station.truth.effects if one.action != "retrieve"]

    def _body(self, sample: Sample, other: str) -> dict[str, Any]:
        body = {**sample.body, **ASKED_FOR.get(sample.name, {}), "client_state": STATE}
        if sample.name in {"dial", "transfer"}:
            body |= {"to": ANSWERS_AT_ONCE}
        return {name: other if value in (CALL, OTHER_CALL) else value for name, value in body.items()}


def _same_everywhere(effect: Effect, calls: Mapping[str, str]) -> Any:
    """A request without what is of one world only: names of calls, ids, and where its webhooks go."""
    body = {name: value for name, value in effect.body.items() if name not in {"command_id", "webhook_url"}}
    text = json.dumps([effect.method, effect.path, body, effect.happened, effect.status, effect.refused])
    for call, name in calls.items():
        text = text.replace(call, name)
    return json.loads(text)


def _named_alike(answer: Any) -> Any:
    if not isinstance(answer, dict):
        return answer
    return {name: "named" if name in OWN_TO_EACH else value for name, value in answer.items()}
