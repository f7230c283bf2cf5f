"""The whole brain behind a real gRPC door on the embedded log, with a stand-in for the workers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc.aio
import orjson
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from prometheus_client import CollectorRegistry

from cordboard.clock import SystemClock
from cordboard.control import Control
from cordboard.log.embedded import EmbeddedLog
from cordboard.log.port import Log, LogError, NewRecord, Record, TopicPartition
from cordboard.orders import NO_ORDERS
from cordboard.settings import Grpc
from cordboard.topics import Topics
from cordboard.v1 import actions_call_pb2, command_pb2
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from cordboard.webhook import parse
from cordboard.work import Lane, Outcome, Verdict, Work, decode_work, encode
from dispatcher.accounts import Accounts
from dispatcher.batch import Practice
from dispatcher.core.limits import DEFAULT_LIMITS
from dispatcher.dispatcher import Dispatcher
from dispatcher.ingress.records import Delivery, records_of
from dispatcher.observing import ignore
from dispatcher.owner import Owner
from dispatcher.reading import Interpreter
from dispatcher.rendering import Renderer
from dispatcher.rpc import GrpcServer

PARTITIONS = 2
TOPICS = Topics("t")
CLOCK = SystemClock()
ACCOUNTS = Accounts(addresses={"main": None, "other": None}, default="main")
NO_DEFAULT = Accounts(addresses={"main": None, "other": None})
SETTINGS = Grpc(port=0, concurrent_max=200)
DIALED = b'{"data":{"call_control_id":"new-call","call_leg_id":"leg","call_session_id":"session"}}'

Respond = Callable[[Work], Outcome | None]


def outcome_of(work: Work, verdict: Verdict = Verdict.DONE, **facts: Any) -> Outcome:
    """What a worker would report."""
    told: dict[str, Any] = {"http_status": 200 if verdict is Verdict.DONE else 0, "sent_ms": CLOCK.now_ms(), "tries": 1}
    if work.action == "dial" and verdict is Verdict.DONE:
        told["response"] = DIALED
    return Outcome(key=work.key, command_id=work.command_id, attempt=work.attempt, verdict=verdict, **{**told, **facts})


class Hands:
    """A worker of all lanes: keeps what it was given; answers at once by `respond`, None leaves the work open."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.works: list[Work] = []
        self.respond: Respond = outcome_of

    async def run(self) -> None:
        """Work until cancelled."""
        topics = [TOPICS.work(account, lane) for account in ("main", "other") for lane in Lane]
        places = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        reader = self._log.reader({at: await self._log.start(at) for at in places})
        while True:
            for record in await reader.read():
                await self._take(decode_work(record.value))

    async def _take(self, work: Work) -> None:
        self.works.append(work)
        outcome = self.respond(work)
        if outcome is not None:
            await self.report(outcome)

    async def report(self, outcome: Outcome) -> None:
        """Say what became of a work."""
        await self._log.append([NewRecord(TOPICS.outcomes, outcome.key.encode(), encode(outcome))])


class Desk:
    """What a test holds: the log, the dispatcher, the hands, the door, and a client's stub."""

    def __init__(self, log: EmbeddedLog, dispatcher: Dispatcher, hands: Hands, server: GrpcServer, port: int) -> None:
        self.log = log
        self.dispatcher = dispatcher
        self.hands = hands
        self.server = server
        self.target = f"127.0.0.1:{port}"
        self.channel = grpc.aio.insecure_channel(self.target)
        self.stub: Any = stubs.DispatcherServiceStub(self.channel)

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

    async def commands(self) -> list[str]:
        """The ids on the topics of commands: placement NOW first."""
        records = [*await self.all_of(TOPICS.now), *await self.all_of(TOPICS.commands)]
        return [command_pb2.Command.FromString(record.value).command_id for record in records]


async def open_log(path: Path) -> EmbeddedLog:
    """A log with every topic."""
    specs = TOPICS.specs(["main", "other"], PARTITIONS)
    return await EmbeddedLog.open(path / "log.sqlite3", specs, PARTITIONS, CLOCK, TOPICS.inputs)


def make_dispatcher(log: Log, accounts: Accounts = ACCOUNTS, control: Control | None = None) -> Dispatcher:
    """A dispatcher that is not started yet."""
    practice = Practice(
        interpreter=Interpreter(TOPICS, accounts),
        renderer=Renderer(TOPICS, ACCOUNTS),
        inputs=TOPICS.inputs,
        limits=DEFAULT_LIMITS,
        home=log.partition_for,
        observe=ignore,
        orders=lambda: NO_ORDERS if control is None else control.orders,
    )
    dispatcher = Dispatcher(log, TOPICS, lambda number: Owner(log, number, practice, CLOCK))
    if control is not None:
        control.listen(lambda _: dispatcher.look_again())
    return dispatcher


async def _now(account: str) -> int:
    return CLOCK.now_ms()


def make_door(
    log: Log, dispatcher: Any, accounts: Accounts = ACCOUNTS, settings: Grpc = SETTINGS, **more: Any
) -> GrpcServer:
    """A door that is not open yet."""
    more.setdefault("registry", CollectorRegistry())
    more.setdefault("order_ms", _now)
    return GrpcServer(settings, log, TOPICS, dispatcher, accounts, CLOCK, rng=random.Random(7), **more)


@asynccontextmanager
async def desk_at(
    path: Path,
    accounts: Accounts = ACCOUNTS,
    settings: Grpc = SETTINGS,
    wrap: Callable[[Log], Any] = lambda log: log,
    **more: Any,
) -> AsyncIterator[Desk]:
    """Everything running. `wrap` may put something between the door and the log."""
    log = await open_log(path)
    control = Control(log, TOPICS.control)
    dispatcher = make_dispatcher(log, accounts, control)
    await control.start()
    await dispatcher.start()
    await dispatcher.settled()
    more.setdefault("order_ms", lambda account: control.order_ms(account, CLOCK.now_ms()))
    server = make_door(wrap(log), dispatcher, accounts, settings, **more)
    desk = Desk(log, dispatcher, Hands(log), server, await server.start())
    working = asyncio.create_task(desk.hands.run())
    try:
        yield desk
    finally:
        await desk.channel.close()
        await server.stop(0.1)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await dispatcher.stop()
        await control.stop()
        await log.close()


async def until(holds: Callable[[], object]) -> None:
    """Return when a condition holds."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # what is waited for is a sum of things, none of which has an event
            await asyncio.sleep(0.002)


def speak(command_id: str, call: str = "A", payload: str = "hello", **options: Any) -> command_pb2.Command:
    """A command that any call takes."""
    command = command_pb2.Command(command_id=command_id, call_control_id=call, **options)
    command.speak.payload, command.speak.voice = payload, "female"
    return command


def hangup(command_id: str, call: str = "A", **options: Any) -> command_pb2.Command:
    """The end of a call."""
    return command_pb2.Command(command_id=command_id, call_control_id=call, hangup=actions_call_pb2.Hangup(), **options)


def dial(command_id: str, **options: Any) -> command_pb2.Command:
    """A call to be made."""
    command = command_pb2.Command(command_id=command_id, **options)
    command.dial.to, command.dial.from_number, command.dial.connection_id = "+15550100001", "+15550100000", "c"
    return command


def webhook(event_type: str, call: str, *, account: str = "main", event_id: str = "", **payload: str) -> NewRecord:
    """A verified webhook as the ingress writes it."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {
        "id": event_id or f"{event_type}/{call}",
        "event_type": event_type,
        "occurred_at": time,
        "payload": {"call_control_id": call, "call_leg_id": f"leg-{call}", **payload},
    }
    body = orjson.dumps({"data": data})
    delivery = Delivery(account=account, body=body, signature="sig", timestamp="1")
    return records_of(parse(body), delivery, TOPICS.webhooks)[0]


class Details:
    """The google.rpc details of an error: one of each kind at most."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]  # it reads what both kinds of error have
        self.code = error.code()
        self.info = error_details_pb2.ErrorInfo()
        self.bad_request = error_details_pb2.BadRequest()
        self.retry = error_details_pb2.RetryInfo()
        kinds = [detail.TypeName() for detail in status.details] if status else []
        assert len(kinds) == len(set(kinds)), "a kind of detail came twice"
        self.has_retry = "google.rpc.RetryInfo" in kinds
        for detail in status.details if status else ():
            for known in (self.info, self.bad_request, self.retry):
                detail.Unpack(known)

    @property
    def fields(self) -> list[str]:
        """The fields that are wrong."""
        return sorted(violation.field for violation in self.bad_request.field_violations)


async def error_of(call: Any) -> Details:
    """The error with which a call ends."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return Details(error)
    raise AssertionError("the call succeeded")


class BrokenLog:
    """A log between the door and the real one, whose appends fail as told."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.failure: LogError | None = None
        self.appended: list[list[NewRecord]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, records: list[NewRecord]) -> Any:
        """Fail, or append and keep what was appended together."""
        if self.failure is not None:
            raise self.failure
        self.appended.append(list(records))
        return await self._log.append(records)
