"""The services that use Cordboard: they submit by the real client through the real door's code, ask again, and watch.

A sender keeps its side of the contract: the same id for the same command until it has a definite answer.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import grpc.aio

from cordboard.client import Client, CommandRefused
from cordboard.cloudevents import CloudEvent, to_headers
from cordboard.identity import page_key, telnyx_command_id
from cordboard.log.port import LogError, NewRecord
from cordboard.v1 import command_pb2, result_pb2
from dispatcher.rendering import COMMAND_TYPE, PROTOBUF_TYPE
from simulation.asking import altered, command_of
from simulation.clock import TrueClock
from simulation.habits import ACCOUNT
from simulation.roles import TOPICS
from simulation.script import CallPlan, Step

_TRIES_MAX: Final = 12
_SOURCE: Final = "service"
_FOR_GOOD: Final = frozenset({"INVALID_COMMAND", "UNKNOWN_ACCOUNT", "COMMAND_TOO_LARGE"})


class Broken(Exception):
    """No answer, or none that says anything: the connection broke, or the deadline passed."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a sender was told of one try: `accepted`, `result`, `open`, `refused`, `broken`, `cancelled`, `view`."""

    at: float
    command_id: str
    content: str  # "first" or "other".
    what: str
    state: str = ""
    reason: str = ""


class Senders:
    """All of them. `log` writes to the commands topic as a service on Kafka would; None where there is no such way."""

    def __init__(
        self,
        client: Client,
        log: Any,
        true: TrueClock,
        rng: Random,
        incoming: Callable[[], str],
        made_by: Callable[[str], str],
        say: Callable[[str, str], None],
    ) -> None:
        self._client = client
        self._log = log
        self._true = true
        self._rng = rng
        self._incoming = incoming
        self._made_by = made_by
        self._say = say
        self.told: list[Told] = []
        self.calls: dict[str, str] = {}  # By the plan's names.
        self._legs: dict[str, str] = {}  # By dial: the call that its result names.
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, calls: tuple[CallPlan, ...]) -> None:
        """Play all scripts to their ends."""
        await asyncio.gather(*(self._play(plan) for plan in calls))
        while self._tasks:
            await self._tasks.pop()

    async def _play(self, plan: CallPlan) -> None:
        await asyncio.sleep(plan.at)
        call = await self._begin(plan)
        if not call:
            return
        self.calls[plan.name] = call
        previous = ""
        for index, step in enumerate(plan.steps):
            await asyncio.sleep(step.pause)
            command = self._command(plan, f"{plan.name}-{index}", call, step, previous, index + 1)
            previous = command.command_id
            work = asyncio.create_task(self._see_through(command, step))
            if step.waits:
                await work
            else:
                self._tasks.append(work)

    def _command(
        self, plan: CallPlan, command_id: str, call: str, step: Step, previous: str, number: int
    ) -> command_pb2.Command:
        command = command_of(step.action, command_id, call, step.to)
        known = defaultdict(lambda: "v3:nobody", self.calls)
        command.source, command.group = _SOURCE, plan.name
        for name, value in step.says:
            said = value.format(id=command_id, calls=known) if isinstance(value, str) else value
            setattr(getattr(command, step.action), name, said)
        if step.expires is not None:
            command.expire_time.FromMilliseconds(self._true.now_ms() + round(step.expires * 1000))
        if step.placement:
            command.placement = step.placement  # type: ignore[assignment] # A number of the enum.
        if step.after_completed:
            command.start_after = command_pb2.START_AFTER_PREVIOUS_COMPLETED
        if step.requires_previous and previous:
            command.requires_command_id = previous
        if plan.numbered:
            command.sequence = step.sequence or number
        return command

    async def _begin(self, plan: CallPlan) -> str:
        """The call's id; for a dial, what its result says, or else what anybody would see in time."""
        if not plan.dialled:
            call = self._incoming()
            self._say("world", f"{plan.name} comes in: {call[:12]}")
            return call
        dial = command_of("dial", f"{plan.name}-dial", "", plan.to)
        dial.source, dial.group = _SOURCE, plan.name
        await self._see_through(dial, Step("dial", 0.0, way="execute"))
        for _ in range(20):
            told = self._legs.get(dial.command_id)
            if call := told or self._made_by(telnyx_command_id(ACCOUNT, dial.command_id)):
                self._say("world", f"{plan.name} was dialled: {call[:12]}")
                return call
            await asyncio.sleep(1.0)
        return ""

    async def _see_through(self, command: command_pb2.Command, step: Step) -> None:
        later = [
            self._later(step.again, command, "first"),
            self._later(step.other, altered(command), "other"),
            self._cancel_later(step, command),
        ]
        extra = [asyncio.create_task(one) for one in later]
        self._tasks += extra
        await self._send(command, step.way, "first", believes=step.believes)

    async def _later(self, pause: float | None, command: command_pb2.Command, content: str) -> None:
        if pause is not None:
            await asyncio.sleep(pause)
            await self._send(command, "submit", content)

    async def _cancel_later(self, step: Step, command: command_pb2.Command) -> None:
        if step.cancel is None or not command.call_control_id:
            return
        await asyncio.sleep(step.cancel)
        named = [command.command_id] if step.takes_back == "command" else []
        group = command.group if step.takes_back == "group" else ""
        try:
            answer = await self._client.cancel(command.call_control_id, named, group=group, timeout=20.0)
        except (CommandRefused, grpc.aio.AioRpcError):
            return
        for command_id in answer.report.cancelled_command_ids:
            self._hear(command_id, "first", "cancelled")

    async def _send(self, command: command_pb2.Command, way: str, content: str, *, believes: bool = False) -> None:
        """Try until there is a definite answer, as a sender should; what hears nothing for ever is given up."""
        for _ in range(_TRIES_MAX):
            try:
                if way in ("log", "stray") and self._log is not None:
                    await self._write(command, stray=way == "stray")
                    self._hear(command.command_id, content, "accepted")
                elif way == "execute":
                    await self._execute(command, content)
                else:
                    await self._client.submit(command, timeout=10.0)
                    self._hear(command.command_id, content, "accepted")
                return
            except CommandRefused as refused:
                self._hear(command.command_id, content, "refused", reason=refused.reason)
                if refused.reason in _FOR_GOOD or (believes and not refused.acceptance_unknown):
                    return
            except grpc.aio.AioRpcError as error:
                self._hear(command.command_id, content, "broken", reason=error.details() or "")
            except LogError as error:
                self._hear(command.command_id, content, "broken", reason=str(error))
            await asyncio.sleep(self._rng.uniform(0.2, 2.0))

    async def _write(self, command: command_pb2.Command, *, stray: bool) -> None:
        """Write to the commands topic; a stray one hashes the key otherwise than we do."""
        event = CloudEvent(id=command.command_id, source="/somebody", type=COMMAND_TYPE, content_type=PROTOBUF_TYPE)
        topic = TOPICS.now if command.placement == 3 else TOPICS.commands
        partition = self._rng.randrange(self._log.partitions(topic)) if stray else None
        key = page_key(command, ACCOUNT).encode()
        await self._log.append([NewRecord(topic, key, command.SerializeToString(), to_headers(event), partition)])

    async def _execute(self, command: command_pb2.Command, content: str) -> None:
        answer = await self._client.execute(command, timeout=self._rng.choice((5.0, 100.0)))
        if not answer.HasField("result"):
            self._hear(command.command_id, content, "open")
            return
        if answer.result.dialed:
            self._legs[command.command_id] = answer.result.dialed[0].call_control_id
        state = result_pb2.State.Name(answer.result.state).removeprefix("STATE_")
        reason = result_pb2.Reason.Name(answer.result.reason).removeprefix("REASON_")
        self._hear(command.command_id, content, "result", state, reason)

    def _hear(self, command_id: str, content: str, what: str, state: str = "", reason: str = "") -> None:
        now = asyncio.get_running_loop().time()
        self.told.append(Told(now, command_id, content, what, state, reason))
        self._say("sender", f"{command_id} ({content}): {what} {state} {reason}".rstrip())


class Watcher:
    """A service that watches everything, and goes on from its last cursor wherever a door is open."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.seen: list[Any] = []
        self.since: float | None = None  # From when on it must see everything.

    async def run(self) -> None:
        """Watch for ever; it is the client's affair to find another door when one is gone."""
        async with self._client.watch() as watch:
            await watch.positioned()
            self.since = asyncio.get_running_loop().time()
            async for response in watch:
                self.seen.append(response)
