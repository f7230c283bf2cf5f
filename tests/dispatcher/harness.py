"""A dispatcher on a log, a stand-in for workers and for services, and eyes on every topic."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from cordboard.cloudevents import header
from cordboard.log.cruelty import Cruelty, gentle
from cordboard.log.memory import MemoryLog
from cordboard.log.memory_broker import MemoryBroker
from cordboard.log.port import Headers, Log, NewRecord, Record, TopicPartition
from cordboard.orders import NO_ORDERS, Orders
from cordboard.topics import Topics
from cordboard.v1 import actions_call_pb2, command_pb2, result_pb2
from cordboard.work import Lane, Outcome, Verdict, Work, decode_work, encode
from dispatcher.accounts import Accounts
from dispatcher.batch import Practice
from dispatcher.core.limits import DEFAULT_LIMITS, Limits
from dispatcher.dispatcher import Dispatcher
from dispatcher.observing import Observed
from dispatcher.owner import Owner
from dispatcher.reading import Interpreter
from dispatcher.rendering import Renderer

PARTITIONS = 2
TOPICS = Topics("t")
ACCOUNTS = Accounts(addresses={"main": None, "other": None}, default="main")


class HandClock:
    """A clock that goes only when it is moved."""

    def __init__(self) -> None:
        self.time_ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.time_ms


def make_broker(clock: HandClock) -> MemoryBroker:
    """The storage of an in-memory log with all topics."""
    return MemoryBroker(TOPICS.specs(["main", "other"], PARTITIONS), PARTITIONS, clock, TOPICS.inputs)


class Stage:
    """One dispatcher process on a log, and what a test does and sees around it."""

    def __init__(
        self,
        log: Log,
        clock: HandClock,
        *,
        limits: Limits = DEFAULT_LIMITS,
        orders: Callable[[], Orders] = lambda: NO_ORDERS,
        rooms: dict[str, int] | None = None,
        accounts: Accounts = ACCOUNTS,
    ) -> None:
        self.log = log
        self.clock = clock
        self.seen: list[Observed] = []
        practice = Practice(
            interpreter=Interpreter(TOPICS, accounts),
            renderer=Renderer(TOPICS, accounts),
            inputs=TOPICS.inputs,
            limits=limits,
            home=log.partition_for,
            observe=self.seen.append,
            orders=orders,
            rooms=rooms or {},
        )
        self.dispatcher = Dispatcher(log, TOPICS, lambda number: Owner(log, number, practice, clock))

    async def submit(self, command: command_pb2.Command, headers: Headers = (), **where: int) -> None:
        """Append a command as a door would."""
        key = command.call_control_id or f"dial:main/{command.command_id}"
        await self.log.append([NewRecord(TOPICS.commands, key.encode(), command.SerializeToString(), headers, **where)])

    async def report(self, work: Work, verdict: Verdict = Verdict.DONE, **facts: object) -> None:
        """Append an outcome as a worker would."""
        status = 200 if verdict is Verdict.DONE else 0
        told = {"http_status": status, "sent_ms": self.clock.now_ms(), "tries": 1, **facts}
        outcome = Outcome(key=work.key, command_id=work.command_id, attempt=work.attempt, verdict=verdict, **told)  # type: ignore[arg-type]  # facts are the test's
        await self.log.append([NewRecord(TOPICS.outcomes, work.key.encode(), encode(outcome))])

    async def all_of(self, topic: str) -> list[Record]:
        """Everything on a topic so far, partition by partition."""
        found: list[Record] = []
        for number in range(self.log.partitions(topic)):
            at = TopicPartition(topic, number)
            reader = self.log.reader({at: await self.log.start(at)})
            while records := await reader.read(0):
                found += records
            await reader.close()
        return found

    async def works(self, lane: Lane = Lane.ACTION) -> list[Work]:
        """The requests released to a lane."""
        return [decode_work(record.value) for record in await self.all_of(TOPICS.work("main", lane))]

    async def results(self) -> list[result_pb2.CommandResult]:
        """The results of any kind."""
        records = await self.all_of(TOPICS.results)
        told = [record for record in records if ".result." in header(record.headers, "ce_type")]
        return [result_pb2.CommandResult.FromString(record.value) for record in told]

    async def until(self, done: Callable[[], object]) -> None:
        """Let the processes work until a condition holds."""
        async with asyncio.timeout(20):
            while not done():  # noqa: ASYNC110  # what is waited for is a sum of things, none of which has an event
                await asyncio.sleep(0.002)

    async def applied(self) -> None:
        """Return when every partition has applied all that was accepted."""
        for number in range(PARTITIONS):
            key = next(key for key in map(str, range(100)) if self._partition(key) == number)
            await self.dispatcher.find(key)

    def _partition(self, key: str) -> int:
        return self.log.partition_for(TOPICS.commands, key.encode())


@asynccontextmanager
async def staged(log: Log, clock: HandClock, **options: object) -> AsyncIterator[Stage]:
    """A running dispatcher."""
    stage = Stage(log, clock, **options)  # type: ignore[arg-type]  # options are Stage's
    await stage.dispatcher.start()
    try:
        await stage.dispatcher.settled()
        yield stage
    finally:
        await stage.dispatcher.stop()


def connect(broker: MemoryBroker, cruelty: Cruelty = gentle) -> MemoryLog:
    """A process's connection."""
    return MemoryLog(broker, cruelty)


def speak(command_id: str, call: str = "A", **options: Any) -> command_pb2.Command:
    """A command that any call takes."""
    command = command_pb2.Command(command_id=command_id, call_control_id=call, **options)
    command.speak.payload, command.speak.voice = "hello", "female"
    return command


def hangup(command_id: str, call: str = "A") -> command_pb2.Command:
    """The end of a call."""
    return command_pb2.Command(command_id=command_id, call_control_id=call, hangup=actions_call_pb2.Hangup())


def dial(command_id: str) -> command_pb2.Command:
    """A call to be made."""
    command = command_pb2.Command(command_id=command_id)
    command.dial.to, command.dial.from_number, command.dial.connection_id = "+15550100001", "+15550100000", "c"
    return command
