"""Scripts: whole calls as services lead them, from the first ring to the hangup, with what may come in between.

A script is a few acts, drawn from a seed: talk, ask for digits, play and stop, record, transfer. In a third of the
calls something races them: the other end hangs up, or we do, at once or twice.
"""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any, Final

from cordboard.v1 import (
    PLACEMENT_NOW,
    STATE_SUCCEEDED,
    Command,
    StartAfter,
)
from sandbox.core.problems import Refused
from sandbox.server import Server
from tests.e2e.listening import Listening
from tests.e2e.sender import Sender

_US: Final = "+13125550100"
ANSWERS: Final = "+13125559908"
REFUSES: Final = "+13125559901"
_ANSWERS_SOON: Final = "+13125559801"
_HANGS_UP: Final = "+13125559907"
_RACES: Final = 0.35
_RACE_SECONDS_MAX: Final = 1.5
_AFTER_COMPLETED: Final = StartAfter.Value("START_AFTER_PREVIOUS_COMPLETED")
_URL: Final = "https://example.test/tone-500ms.wav"
_LONG_URL: Final = "https://example.test/tone-60s.wav"
_STREAM_URL: Final = "wss://example.test/stream"

_SPEAK: Final[dict[str, Any]] = {"speak": {"payload": "Good morning", "voice": "female"}}
_GATHER: Final[dict[str, Any]] = {"gather": {"maximum_digits": 2, "timeout_millis": 4_000}}


class Script:
    """One call. `number` marks its commands; `transfers` says where each of its transfers went, by command.

    `racing` are the commands that were sent beside others: nobody knows which of them was accepted first.
    """

    def __init__(self, number: int, sender: Sender, heard: Listening, sandbox: Server, rng: Random) -> None:
        self._number = number
        self._sender = sender
        self._heard = heard
        self._sandbox = sandbox
        self._rng = rng
        self._made = 0
        self.call = ""
        self.transfers: dict[str, str] = {}
        self.racing: set[str] = set()
        acts = (
            self._talk,
            self._ask,
            self._ask_by_speech,
            self._ask_in_vain,
            self._play_and_stop,
            self._play_for_ever,
            self._record,
            self._tap,
            self._transfer,
            self._queue,
            self._small,
        )
        self._acts: list[Callable[[], Awaitable[object]]] = rng.sample(acts, rng.randint(1, 4))

    async def run(self, webhook_url: str) -> None:
        """Live, and end; returns when everything that was sent was taken."""
        incoming = self._rng.random() < 0.3
        self.call = await (self._pick_up(webhook_url) if incoming else self._dial())
        if not self.call:
            return
        async with asyncio.TaskGroup() as group:
            if self._rng.random() < _RACES:
                group.create_task(self._race(self._rng.choice((self._they_hang_up, self._we_hang_up, self._twice))))
            for act in self._acts:
                await act()
        await self._sender.submit([self._command(hangup={})])
        await self._heard.until_ended(self.call)

    async def _dial(self) -> str:
        to = self._rng.choice((ANSWERS, ANSWERS, ANSWERS, _ANSWERS_SOON, _HANGS_UP, REFUSES))
        dial = self._command(dial={"to": to, "from_number": _US, "connection_id": "1"})
        result = await self._sender.execute([dial])
        if result.state != STATE_SUCCEEDED:
            return ""
        if self._rng.random() < 0.8:  # The others do not wait until it is answered, and learn that they should have.
            await self._heard.until_completed(dial.command_id)
        return result.dialed[0].call_control_id

    async def _pick_up(self, webhook_url: str) -> str:
        made = self._sandbox.station.tell(
            lambda exchange: exchange.incoming(from_=_US, to=ANSWERS, connection_id="1", webhook_url=webhook_url)
        )
        self.call = made.id
        await self._heard.until_initiated(made.id)
        if self._rng.random() < 0.1:
            await self._sender.submit([self._command(reject={"cause": "USER_BUSY"})])
        else:
            await self._sender.submit([self._command(answer={})])
        return self.call

    async def _talk(self) -> None:
        await self._sender.submit([self._command(**_SPEAK), self._command(playback_start={"audio_url": _URL})])

    async def _ask(self) -> None:
        """Ask, and listen when all was said; the other end presses keys."""
        gather = self._command(**_GATHER, start_after=_AFTER_COMPLETED)
        await self._sender.submit([self._command(**_SPEAK)])
        await self._sender.execute([gather])
        self._far(lambda exchange, call: exchange.far_digits(call, "12"))
        await self._heard.until_completed(gather.command_id)

    async def _ask_by_speech(self) -> None:
        command = self._command(gather_using_speak={"payload": "Your number, please", "voice": "female"})
        await self._sender.execute([command])
        self._far(lambda exchange, call: exchange.far_digits(call, "7#"))
        await self._heard.until_completed(command.command_id)

    async def _ask_in_vain(self) -> None:
        await self._sender.submit([self._command(**_GATHER), self._command(gather_stop={})])

    async def _play_and_stop(self) -> None:
        await self._sender.execute([self._command(playback_start={"audio_url": _LONG_URL})])
        await self._sender.submit([self._command(playback_stop={})])

    async def _play_for_ever(self) -> None:
        played = self._command(playback_start={"audio_url": _LONG_URL, "loop_text": "infinity"})
        await self._sender.execute([played])
        await self._heard.until_completed(played.command_id)
        await self._sender.submit([self._command(playback_stop={"stop": "all"}), self._command(**_SPEAK)])

    async def _record(self) -> None:
        start = self._command(record_start={"format": "mp3", "channels": "single"})
        await self._sender.submit([start, self._command(**_SPEAK)])
        if self._rng.random() < 0.7:
            await self._sender.submit([self._command(record_pause={}), self._command(record_resume={})])
            await self._sender.submit([self._command(record_stop={})])

    async def _tap(self) -> None:
        stream = self._command(streaming_start={"stream_url": _STREAM_URL})
        fork = self._command(fork_start={"rx": "udp:192.0.2.1:9000", "tx": "udp:192.0.2.1:9001"})
        words = self._command(transcription_start={"language": "en"})
        await self._sender.submit([stream, fork, words])
        await self._sender.submit(
            [self._command(streaming_stop={}), self._command(fork_stop={}), self._command(transcription_stop={})]
        )

    async def _transfer(self) -> None:
        to = self._rng.choice((ANSWERS, REFUSES))
        transfer = self._command(transfer={"to": to})
        self.transfers[transfer.command_id] = to
        result = await self._sender.execute([transfer])
        if result.state == STATE_SUCCEEDED:
            await self._heard.until_completed(transfer.command_id)

    async def _queue(self) -> None:
        await self._sender.submit([self._command(enqueue={"queue_name": "support"}), self._command(leave_queue={})])

    async def _small(self) -> None:
        await self._sender.submit([self._command(send_dtmf={"digits": "12#"}), self._command(client_state_update={})])

    async def _race(self, deed: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(self._rng.uniform(0.0, _RACE_SECONDS_MAX))
        await deed()

    async def _they_hang_up(self) -> None:
        self._far(lambda exchange, call: exchange.far_end(call))

    async def _we_hang_up(self) -> None:
        await self._sender.submit([self._command(hangup={}, placement=PLACEMENT_NOW)])

    async def _twice(self) -> None:
        both = [self._command(hangup={}, placement=PLACEMENT_NOW), self._command(hangup={})]
        self.racing |= {one.command_id for one in both}
        await asyncio.gather(*(self._sender.submit([one]) for one in both))

    def _far(self, deed: Callable[[Any, Any], object]) -> None:
        with suppress(Refused):  # The call has ended, or nobody listens: they would have noticed, too.
            self._sandbox.station.tell(lambda exchange: deed(exchange, exchange.find(self.call)))

    def _command(self, **fields: Any) -> Command:
        self._made += 1
        return Command(
            command_id=str(uuid.UUID(int=self._rng.getrandbits(128), version=4)),
            call_control_id="" if "dial" in fields else self.call,
            client_state=base64.b64encode(f"{self._number}/{self._made}".encode()).decode(),
            **fields,
        )
