"""The load: services that dial, answer, speak and hang up, a new call every so often, each in its own way."""

from __future__ import annotations

import asyncio
import base64
import uuid
from random import Random
from typing import Any, Final

import httpx
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.v1 import PLACEMENT_LAST, PLACEMENT_NOW, STATE_SUCCEEDED, Command
from tests.e2e.observer import Observer, until
from tests.e2e.sender import Journal, Sender

_US: Final = "+13125550100"
_ANSWERED_AT_ONCE: Final = "+13125559908"
_HUNG_UP_SOON: Final = "+13125559907"
_SHORT_LIFE_MS: Final = 8_000
_EVENT_SECONDS: Final = 60.0

_ACTIONS: Final[tuple[dict[str, Any], ...]] = (
    {"speak": {"payload": "Good morning", "voice": "female"}},
    {"playback_start": {"audio_url": "https://example.test/tone-500ms.wav"}},
    {"playback_stop": {}, "placement": PLACEMENT_LAST},  # Its own default would let it pass the line.
    {"send_dtmf": {"digits": "12#"}},
    {"client_state_update": {}},
    {"gather": {"maximum_digits": 1, "timeout_millis": 2000}},
)


class Caller:
    """One call, from its dial or its ringing to its end. `number` makes its ids and marks its own."""

    def __init__(
        self, number: int, client: Client, journal: Journal, observer: Observer, sandbox: httpx.AsyncClient, rng: Random
    ) -> None:
        self._number = number
        self._journal = journal
        self._observer = observer
        self._sandbox = sandbox
        self._rng = rng
        self._sender = Sender(client, journal, rng)
        self._client = client
        self._made = 0

    async def run(self, webhook_url: str) -> None:
        """Live. Returns when everything that was sent is known to be taken."""
        incoming = self._rng.random() < 0.25
        call = await (self._pick_up(webhook_url) if incoming else self._dial())
        if call is None:
            return
        commands = [self._command(call, **self._rng.choice(_ACTIONS)) for _ in range(self._rng.randint(3, 9))]
        if incoming:
            commands.insert(0, self._command(call, answer={}))
        if self._rng.random() < 0.3:
            for sequence, command in enumerate(commands, 1):
                command.sequence = sequence
        await self._send(commands)
        await self._end(call)

    async def _dial(self) -> str | None:
        """The call that a dial made; None where nobody can say which one that is."""
        to = _HUNG_UP_SOON if self._rng.random() < 0.1 else _ANSWERED_AT_ONCE
        dial = {"to": to, "from_number": _US, "connection_id": "1"}
        result = await self._sender.execute([self._command("", dial=dial)])
        return result.call_control_id if result.state == STATE_SUCCEEDED else None

    async def _pick_up(self, webhook_url: str) -> str | None:
        """A call that came in, once its service has heard of it; None where its webhook was given up by the sandbox."""
        ringing = {"from": _ANSWERED_AT_ONCE, "to": _US, "webhook_url": webhook_url}
        call: str = (await self._sandbox.post("/sandbox/calls", json=ringing)).json()["call_control_id"]
        heard = await until(lambda: call in self._observer.initiated, _EVENT_SECONDS)
        return call if heard else None

    async def _send(self, commands: list[Command]) -> None:
        ways = (self._sender.submit, self._sender.submit_stream, self._sender.execute, self._sender.execute_stream)
        way = self._rng.choice(ways)
        if way == self._sender.submit and self._rng.random() < 0.3:
            for command in commands:
                command.expire_time.CopyFrom(_soon())
        await way(commands)
        if self._rng.random() < 0.2:
            await self._reuse(self._rng.choice(commands))

    async def _reuse(self, command: Command) -> None:
        """Send something else under an id that is taken: it must not happen."""
        if command.command_id not in self._journal.acknowledged:
            return
        other = Command(
            command_id=command.command_id, call_control_id=command.call_control_id, client_state=self._mark()
        )
        other.speak.payload, other.speak.voice = "This must never be heard", "male"
        await self._sender.slip_in(other)

    async def _end(self, call: str) -> None:
        how = self._rng.random()
        if how < 0.5:
            await self._sender.submit([self._command(call, hangup={})])
        elif how < 0.65:
            await self._sender.submit([self._command(call, hangup={}, placement=PLACEMENT_NOW)])
        elif how < 0.85:
            await self._sandbox.post(f"/sandbox/calls/{call}/hangup")

    def _command(self, call: str, **fields: Any) -> Command:
        action = {name: value for name, value in fields.items() if isinstance(value, dict)}
        plain = {name: value for name, value in fields.items() if name not in action}
        return Command(
            command_id=str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            call_control_id=call,
            client_state=self._mark(),
            **action,
            **plain,
        )

    def _mark(self) -> str:
        self._made += 1
        return base64.b64encode(f"{self._number}/{self._made}".encode()).decode()


def _soon() -> Timestamp:
    return Timestamp(seconds=(SystemClock().now_ms() + _SHORT_LIFE_MS) // 1000)


class Load:
    """New callers, so many a second, whether the earlier ones have come to an end or not. `run` it in a task."""

    def __init__(self, client: Client, observer: Observer, sandbox: httpx.AsyncClient, webhook_url: str) -> None:
        self.journal = Journal()
        self.callers = 0
        self._client = client
        self._observer = observer
        self._sandbox = sandbox
        self._webhook_url = webhook_url

    async def run(self, rng: Random, per_second: float, stopping: asyncio.Event) -> None:
        """Go on until told to stop, then let every caller come to its end."""
        async with asyncio.TaskGroup() as group:
            while not stopping.is_set():
                self.callers += 1
                caller = Caller(
                    self.callers,
                    self._client,
                    self.journal,
                    self._observer,
                    self._sandbox,
                    Random(rng.getrandbits(64)),
                )
                group.create_task(caller.run(self._webhook_url))
                try:
                    async with asyncio.timeout(rng.expovariate(per_second)):
                        await stopping.wait()
                except TimeoutError:
                    pass
