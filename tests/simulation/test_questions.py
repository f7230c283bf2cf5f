"""Questions put to any dispatcher of a history while it happens: what was accepted is never said to be unknown."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from cordboard.client import Client
from cordboard.cloudevents import header
from cordboard.log.port import TopicPartition
from cordboard.v1 import command_pb2
from cordboard.v1 import dispatcher_service_pb2 as service
from dispatcher.acceptance.refusals import Refused
from dispatcher.rendering import COMMAND_TYPE
from dispatcher.rpc.events import Event, Forwarded
from simulation import roles
from simulation.breakage import WHOLE
from simulation.chance import stream
from simulation.doors import Context, served
from simulation.history import History
from simulation.loop import VirtualLoop, virtual_time
from simulation.process import Process
from simulation.roles import TOPICS
from simulation.scenes import plan_of
from simulation.script import Plan
from simulation.senders import Broken, Senders
from simulation.world import World

SECONDS = 12.0
HISTORIES = 30


class QuestionedWorld(World):
    """A history in which somebody asks about commands that are in the log, at whichever dispatcher."""

    def __init__(self, plan: Plan, loop: VirtualLoop) -> None:
        super().__init__(plan, loop, WHOLE)
        self.answers: list[tuple[str, str]] = []
        self._questions = stream(plan.seed, "questions")

    def _senders(self, client: Client) -> Senders:
        self._desk.start(self._ask_on())
        return super()._senders(client)

    async def _ask_on(self) -> None:
        while True:
            await asyncio.sleep(self._questions.uniform(0.1, 1.0))
            commands, doors = list(self._accepted()), [one for one in self.processes if one.brain]
            if commands and doors:
                command = self._questions.choice(commands)
                answer = await self._ask(self._questions.choice(doors), command)
                self.answers.append((command.command_id, answer))

    def _accepted(self) -> Iterator[command_pb2.Command]:
        """The commands in the log, as far as they are where their calls are decided about."""
        for topic in (TOPICS.commands, TOPICS.now):
            for number in range(self.plan.partitions):
                for record in self.broker.partitions[TopicPartition(topic, number)].records:
                    is_home = self._home.partition_for(topic, record.key or b"") == number
                    if is_home and header(record.headers, "ce_type") == COMMAND_TYPE:
                        yield command_pb2.Command.FromString(record.value)

    async def _ask(self, process: Process, command: command_pb2.Command) -> str:
        brain, life = process.brain, process.life
        if brain is None or life is None:
            return "nobody"
        request = service.GetCommandRequest(
            command_id=command.command_id, call_control_id=command.call_control_id, account=command.account
        )
        try:
            await served(life, lambda: brain.service.GetCommand(request, Context(SECONDS, _nobody)), SECONDS)
        except Refused as refused:
            return refused.name
        except (Broken, TimeoutError):
            return "broken"
        return "found"

    async def run(self) -> History:
        self._home = self.log(self._desk, "questions")
        history = await super().run()
        remembered = {one.command_id for one in history.results if one.kind == "result"}
        lost = [(name, answer) for name, answer in self.answers if answer == "COMMAND_NOT_FOUND" and name in remembered]
        assert not lost
        for command in list(self._accepted())[:40]:
            if command.command_id in remembered:
                answers = [await self._ask(process, command) for process in self.processes if process.brain]
                assert set(answers) == {"found"}
        return history


def _nobody(message: object) -> None:
    """An answer is no stream."""


def _happen(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Counter[str], Counter[str]]:
    forwarded: Counter[str] = Counter()

    def note(event: Event) -> None:
        assert isinstance(event, Forwarded)
        forwarded[event.outcome] += 1

    monkeypatch.setattr(roles, "unseen", note)
    with virtual_time() as loop:
        asyncio.set_event_loop(loop)
        answers = loop.run_until_complete(_asked(seed, loop))
    return answers, forwarded


async def _asked(seed: int, loop: VirtualLoop) -> Counter[str]:
    world = QuestionedWorld(plan_of(seed, "kafka"), loop)
    try:
        await world.run()
    finally:
        world.bury()
    return Counter(answer for _, answer in world.answers)


def test_no_dispatcher_says_that_it_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """
    Through crashes, freezes and rebalances: an answer is right or says that it is none; in the end all know all.
    """
    answers: Counter[str] = Counter()
    forwarded: Counter[str] = Counter()
    for seed in range(HISTORIES):
        asked, put = _happen(seed, monkeypatch)
        answers += asked
        forwarded += put

    assert answers["found"] > 1_000
    assert {"OWNER_UNREACHABLE", "RESTORING"} <= answers.keys()
    assert {"found", "not_owned", "restoring", "unreachable"} <= forwarded.keys()
    record_property("summary", f"questions answered: {dict(answers)}; put to peers: {dict(forwarded)}")
