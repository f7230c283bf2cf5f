"""The load: services that dial, answer, speak and hang up, a new call every so often, each in its own way.

How many commands a call gets is the traffic's: a few each, or as in life, where few calls get most of them (Zipf).
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import httpx
from google.protobuf.timestamp_pb2 import Timestamp

from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.v1 import PLACEMENT_LAST, PLACEMENT_NOW, STATE_SUCCEEDED, Command
from tests.e2e.observer import Heard, until
from tests.e2e.sender import Journal, Sender, Straight

_US: Final = "+13125550100"
_ANSWERED_AT_ONCE: Final = "+13125559908"
_HUNG_UP_SOON: Final = "+13125559907"
_SHORT_LIFE_MS: Final = 8_000
_EVENT_SECONDS: Final = 60.0
_ROUND_MAX: Final = 9  # Commands that are sent together, at most.
ZIPF_CALLS: Final = 1_000
_HEAD: Final = 300

_ACTIONS: Final[tuple[dict[str, Any], ...]] = (
    {"speak": {"payload": "Good morning", "voice": "female"}},
    {"playback_start": {"audio_url": "https://example.test/tone-500ms.wav"}},
    {"playback_stop": {}, "placement": PLACEMENT_LAST},  # Its own default would let it pass the line.
    {"send_dtmf": {"digits": "12#"}},
    {"client_state_update": {}},
    {"gather": {"maximum_digits": 1, "timeout_millis": 2000}},
)


Sizes = Callable[[Random], Iterator[int]]


def few(rng: Random) -> Iterator[int]:
    """A few commands for each call, its dial and its end not counted."""
    while True:
        yield rng.randint(3, _ROUND_MAX)


def zipf(rng: Random) -> Iterator[int]:
    """A thousand calls, the most commanded of which gets `_HEAD` commands, the second half of that, the third a third.

    They come in any order; then the next thousand.
    """
    while True:
        ranks = list(range(1, ZIPF_CALLS + 1))
        rng.shuffle(ranks)
        for rank in ranks:
            yield max(1, round(_HEAD / rank))


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many calls begin in a second, and how many commands each of them gets, call after call."""

    calls_per_second: float
    sizes: Sizes


class Caller:
    """One call, from its dial or its ringing to its end. `number` makes its ids and marks its own."""

    def __init__(
        self, number: int, sender: Sender, journal: Journal, heard: Heard, sandbox: httpx.AsyncClient, rng: Random
    ) -> None:
        self._number = number
        self._sender = sender
        self._journal = journal
        self._heard = heard
        self._sandbox = sandbox
        self._rng = rng
        self._made = 0

    async def run(self, size: int, webhook_url: str) -> None:
        """Live, for so many commands. Returns when everything that was sent is known to be taken."""
        incoming = self._rng.random() < 0.25
        call = await (self._pick_up(webhook_url) if incoming else self._dial())
        if call is None:
            return
        commands = [self._command(call, **self._rng.choice(_ACTIONS)) for _ in range(size)]
        if incoming:
            commands.insert(0, self._command(call, answer={}))
        if size <= _ROUND_MAX:
            await self._send_few(commands)
        else:
            await self._send_many(commands)
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
        heard = await until(lambda: call in self._heard.initiated, _EVENT_SECONDS)
        return call if heard else None

    async def _send_few(self, commands: list[Command]) -> None:
        """One service, one way; some number their commands, some say until when they make sense."""
        numbered = self._rng.random() < 0.3
        if numbered:
            for sequence, command in enumerate(commands, 1):
                command.sequence = sequence
        way = self._rng.choice(self._sender.ways_in_turn if numbered else self._sender.ways)
        if way == self._sender.submit and self._rng.random() < 0.3:
            for command in commands:
                command.expire_time.CopyFrom(_soon())
        await way(commands)
        # What came straight may still be on its way to its call's partition, and then be the second under its id.
        if way != self._sender.produce and self._rng.random() < 0.2:
            await self._reuse(self._rng.choice(commands))

    async def _send_many(self, commands: list[Command]) -> None:
        """Two services at once, each in rounds, by any way; the order between them is whatever the log makes it."""
        await asyncio.gather(self._send_rounds(commands[::2]), self._send_rounds(commands[1::2]))

    async def _send_rounds(self, commands: list[Command]) -> None:
        while commands:
            count = self._rng.randint(1, _ROUND_MAX)
            await self._rng.choice(self._sender.ways)(commands[:count])
            commands = commands[count:]

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
            await self._rng.choice(self._sender.ways)([self._command(call, hangup={}, placement=PLACEMENT_NOW)])
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

    def __init__(
        self,
        traffic: Traffic,
        client: Client,
        heard: Heard,
        sandbox: httpx.AsyncClient,
        webhook_url: str,
        straight: Straight | None = None,
    ) -> None:
        self.journal = Journal()
        self.callers = 0
        self._traffic = traffic
        self._client = client
        self._heard = heard
        self._sandbox = sandbox
        self._webhook_url = webhook_url
        self._straight = straight

    async def run(self, rng: Random, stopping: asyncio.Event) -> None:
        """Go on until told to stop, then let every caller come to its end."""
        sizes = self._traffic.sizes(rng)
        async with asyncio.TaskGroup() as group:
            while not stopping.is_set():
                self.callers += 1
                group.create_task(self._caller(Random(rng.getrandbits(64))).run(next(sizes), self._webhook_url))
                try:
                    async with asyncio.timeout(rng.expovariate(self._traffic.calls_per_second)):
                        await stopping.wait()
                except TimeoutError:
                    pass

    def _caller(self, rng: Random) -> Caller:
        sender = Sender(self._client, self.journal, rng, self._straight)
        return Caller(self.callers, sender, self.journal, self._heard, self._sandbox, rng)
