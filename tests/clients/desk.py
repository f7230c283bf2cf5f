"""Cordboard on a real Kafka, all roles in this process, the sandbox for Telnyx; commands come by the topics alone."""

from __future__ import annotations

import base64
import random
from contextlib import AsyncExitStack
from typing import Any, Self
from uuid import uuid4

from aiokafka.partitioner import murmur2
from prometheus_client import CollectorRegistry

from cordboard.client import Client
from cordboard.clock import SystemClock
from cordboard.roles.desk import Desk
from cordboard.settings import Account, Dispatcher, Grpc, Ingress, Kafka, Log, Operations, Rest, Settings
from cordboard.topics import Topics
from cordboard.v1 import Command, CommandResult, Reason, State
from sandbox.server import Server
from sandbox.settings import Settings as SandboxSettings
from sandbox.truth import Effect
from tests.clients.foreign import Ear, Heard, Sender, until

ACCOUNT = "main"
PARTITIONS = 4
LINE = 256  # Commands that one call's line holds here.
OWN_NUMBER, ANOTHER = "+15550100000", "+15550100001"


class KafkaDesk:
    """`async with KafkaDesk(servers, prefix)`: everything runs, and a foreign consumer hears what is said."""

    def __init__(self, servers: str, prefix: str) -> None:
        self.servers, self.prefix = servers, prefix
        self.topics = Topics(prefix)
        self.registry = CollectorRegistry()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        enter = self._stack.enter_async_context
        self.sandbox = await enter(Server(SandboxSettings(port=0, speed=20.0)))
        desk = Desk(self._settings(), SystemClock(), random.Random(7), self.registry, telnyx_is_local=True)
        self.desk = await enter(desk)
        ingress = desk.ingress.url if desk.ingress else ""
        self.sandbox.settings.webhook_url = f"{ingress}/webhooks/telnyx/{ACCOUNT}"
        self.client = await enter(Client(f"127.0.0.1:{desk.grpc_port}"))
        said = {self.topics.results: PARTITIONS, self.topics.events: PARTITIONS, self.topics.dead_letters: 1}
        self.ear = self._stack.enter_context(Ear(self.servers, said))

    def _settings(self) -> Settings:
        account = Account(
            api_key="key",
            base_url=self.sandbox.base_url,
            webhook_public_key=self.sandbox.public_key,
            dial_url_secret="a-secret-of-this-desk",
        )
        return Settings(
            accounts={ACCOUNT: account},
            log=Log(kind="kafka", topic_prefix=self.prefix, partitions=PARTITIONS),
            kafka=Kafka(bootstrap_servers=self.servers),
            dispatcher=Dispatcher(line_commands_max=LINE),
            grpc=Grpc(port=0, drain_seconds=0.1),
            ingress=Ingress(port=0),
            rest=Rest(port=0),
            operations=Operations(port=0),
        )

    def sender(self, **settings: Any) -> Sender:
        """Another client's producer."""
        return Sender(self.servers, **settings)

    def call(self) -> str:
        """A call that was answered, and of which Cordboard need not know yet."""
        tell = self.sandbox.station.tell
        call = tell(lambda exchange: exchange.incoming(from_=ANOTHER, to=OWN_NUMBER, connection_id="c")).id
        tell(lambda exchange: exchange.find(call).answer())
        return str(call)

    def effects(self, call: str) -> list[Effect]:
        """What happened to a call, in truth, and in order."""
        known = [one for one in self.sandbox.station.truth.effects if one.call_control_id == call and one.happened]
        return [one for one in known if one.action != "retrieve"]

    def results(self, command_id: str, kind: str = "result") -> list[CommandResult]:
        """What the foreign consumer heard about a command."""
        return [result_of(one) for one in self.said(command_id) if one.header("ce_type").split(".")[-2] == kind]

    def said(self, command_id: str) -> list[Heard]:
        """The records of the results topic about a command."""
        return [one for one in self.ear.about(command_id) if one.topic == self.topics.results]

    async def ended(self, *command_ids: str) -> list[str]:
        """Wait for the results of commands; in words, in their order."""
        for name in command_ids:
            await until(lambda name=name: self.results(name), f"the result of {name}")
        return [words(self.results(one)[0]) for one in command_ids]

    async def refused(self, command_id: str) -> CommandResult:
        """Wait for a refusal."""
        await until(lambda: self.results(command_id, "refused"), f"a refusal of {command_id}")
        return self.results(command_id, "refused")[0]

    def refusals(self) -> list[CommandResult]:
        """All that were refused, also those without an id."""
        said = self.ear.of(self.topics.results)
        return [result_of(one) for one in said if one.header("ce_type").endswith(".refused.v1")]

    def place_of(self, call: str) -> int:
        """The partition where a call is decided about, by Java's own rule."""
        return int(murmur2(call.encode()) & 0x7FFFFFFF) % PARTITIONS

    async def letter(self, mark: str) -> Heard:
        """Wait for the dead letter whose header `mark` is this."""

        def found() -> list[Heard]:
            return [one for one in self.ear.of(self.topics.dead_letters) if one.header("mark") == mark]

        await until(found, f"a dead letter {mark}")
        return found()[0]

    def routed(self, topic: str = "") -> float:
        """How many records of a topic, the commands unless another is named, were routed on."""
        labels = {"topic": topic or self.topics.commands, "kind": "rerouted"}
        return self.registry.get_sample_value("cordboard_inputs_total", labels) or 0.0


def result_of(heard: Heard) -> CommandResult:
    """A record's value as a result."""
    return CommandResult.FromString(heard.value or b"")


def words(result: CommandResult) -> str:
    """A result's state and reason, as in "REJECTED INVALID_COMMAND"."""
    reason = Reason.Name(result.reason).removeprefix("REASON_")
    return State.Name(result.state).removeprefix("STATE_") + ("" if reason == "UNSPECIFIED" else f" {reason}")


def note(call: str, command_id: str = "", **more: Any) -> Command:
    """A command that tells Telnyx something about a call, and by its state which command it was."""
    made = Command(command_id=command_id or str(uuid4()), call_control_id=call, **more)
    made.client_state = base64.b64encode(made.command_id.encode()).decode()
    made.client_state_update.SetInParent()
    return made
