"""One history: everything put together, the safety phase with its faults, the calm after it, and what came of it all.

When the faults are over every process is started again, and everything must come to its end within the promised time.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

from cordboard.client import Client
from cordboard.log.cruelty import Step as WriteStep
from cordboard.log.port import Log
from simulation.beliefs import Belief, beliefs_of, undiscovered
from simulation.breakage import WHOLE, Breakage, Broken
from simulation.broker import JournalBroker
from simulation.chance import stream
from simulation.clock import ProcessClock, TrueClock
from simulation.customer import Customer
from simulation.doors import Doors
from simulation.echoes import Echoes
from simulation.embedded import EmbeddedLikeLog
from simulation.facts import history_of
from simulation.faults import (
    BadHook,
    BadRoad,
    BadWire,
    BadWrite,
    CutOff,
    Echo,
    Fault,
    Freeze,
    Jump,
    Kill,
    Outage,
    Restart,
    Sluggish,
    Spell,
    Timed,
    WriteFate,
)
from simulation.groups import ServedGroup
from simulation.habits import ACCOUNT, habits_of
from simulation.history import Ended, History
from simulation.kafka import KafkaLikeLog
from simulation.loop import Life, VirtualLoop, bury, virtual_time
from simulation.operators import Operator, orders_of
from simulation.process import Process
from simulation.questions import Questions
from simulation.roles import TOPICS, Role
from simulation.script import Plan
from simulation.senders import Senders, Watcher
from simulation.spooling import Disk
from simulation.staff import roles_of
from simulation.stub import DoorStub
from simulation.tally import Tally
from simulation.telnyx import Telnyx

CALM_SECONDS_MAX: Final = 150.0  # More than any promise gives itself.
_RECOVERY_SECONDS: Final = 16.0  # Until the groups know who is left, and the owners have read their pages.
_WRITE_SECONDS: Final = 8.0  # Until a bad write is made up for.
LAST_WORDS_SECONDS: Final = 4.0  # For what must not come any more.


class World:
    """The parts of one history while it happens."""

    def __init__(self, plan: Plan, loop: VirtualLoop, broken: Broken) -> None:
        self.plan = plan
        self.loop = loop
        self.story: list[tuple[float, str, str]] = []
        self.struck: Counter[Fault] = Counter()
        self.bad_writes: list[tuple[str, float, float]] = []
        self._broken = broken
        self._calm = False
        self.habits = habits_of(plan.seed)
        self.true = TrueClock(loop)
        self.keeper = Life(loop, "world")
        self._broker_life = Life(loop, "log")
        self._desk = Life(loop, "senders")
        errors = dict(zip(plan.processes, plan.errors_ms, strict=False))
        clocks = {name: ProcessClock(self.true, errors.get(name, 0)) for name in plan.processes}
        rng = stream(plan.seed, "log")
        kept = clocks["all"] if plan.kind == "embedded" else self.true
        self.broker = JournalBroker(
            TOPICS, [ACCOUNT], plan.partitions, kept, lambda: int(rng.random() < 0.1), broken, loop.time
        )
        self.echoes = Echoes(plan.faults, self.broker, self._broker_life, loop, self._hear_echo)
        self._groups: dict[tuple[str, str], ServedGroup] = {}
        self._writes: dict[str, int] = defaultdict(int)
        self._bad_writes = {(bad.process, bad.nth): bad for bad in plan.faults if isinstance(bad, BadWrite)}
        self.customer = Customer(Life(loop, "customer"), stream(plan.seed, "customer"), plan.span)
        self.disks: dict[str, Disk] = defaultdict(Disk)
        self.processes = [
            Process(name, loop, self.keeper, clocks[name], self._booting(name, clocks[name]), self.say)
            for name in plan.processes
        ]
        self.doors = Doors(
            self.processes, stream(plan.seed, "doors"), [bad for bad in plan.faults if isinstance(bad, BadWire)]
        )
        bad = [one for one in plan.faults if isinstance(one, BadRoad | BadHook)]
        self.telnyx_life = Life(loop, "telnyx")
        post = self.habits.heard(self.doors.post)
        self.telnyx = Telnyx(self.telnyx_life, self.true, stream(plan.seed, "telnyx"), bad, post, self.say)
        self.questions = Questions(self.telnyx, stream(plan.seed, "questions"))
        self.telnyx.on_send.append(self._request_left)
        self._outages = {fault.nth: fault for fault in plan.faults if isinstance(fault, Outage)}

    def say(self, who: str, what: str) -> None:
        """A line of the story."""
        self.story.append((self.loop.time(), who, what))

    def log(self, life: Life, name: str) -> Log:
        """A connection of one life to the log."""
        rng = stream(self.plan.seed, "log", life.name)

        def fates(step: WriteStep) -> WriteFate:
            return self._fate(name, step)

        if self.plan.kind == "embedded":
            return EmbeddedLikeLog(self.broker, life, self._broker_life, fates, rng, self._broken)
        return KafkaLikeLog(self.broker, life, self._broker_life, self._group, fates, rng, self._broken)

    def _group(self, name: str, topic: str) -> ServedGroup:
        found = self._groups.get((name, topic))
        if found is None:
            rng = stream(self.plan.seed, "group", name)
            unfenced = Breakage.COMMITS_UNFENCED in self._broken
            found = ServedGroup(self._broker_life, name, self.broker.counts[topic], rng, unfenced=unfenced)
            self._groups[name, topic] = found
        return found

    def _fate(self, name: str, step: WriteStep) -> WriteFate:
        nth = self._writes[name]
        self._writes[name] += 1
        bad = self._bad_writes.get((name, nth))
        if bad is None or self._calm:
            return WriteFate.GO
        self.struck[bad] += 1
        self.bad_writes.append((name, self.loop.time(), self.loop.time() + _WRITE_SECONDS))
        self.say(name, f"its write ({step}) {bad.fate.value}")
        return bad.fate

    def _hear_echo(self, echo: Echo) -> None:
        self.struck[echo] += 1
        self.say("log", f"work that was written {echo.seconds:.1f} s ago is written again")

    def _booting(self, name: str, clock: ProcessClock):  # type: ignore[no-untyped-def] # A closure of Process's type.
        def boot(life: Life) -> tuple[Log, Sequence[Role]]:
            log = self.log(life, name)
            return log, roles_of(self, life, name, log, clock)

        return boot

    async def run(self) -> History:
        """Let it happen."""
        plan = self.plan
        for process in self.processes:
            process.start()
        for fault in (*plan.faults, *self.habits.faults):
            self._schedule(fault)
        client = self._client()
        senders, watcher = self._senders(client), Watcher(client)
        desk = self._desk
        watching = desk.start(watcher.run())
        sending = desk.start(self._all_asked(senders, client))
        await asyncio.sleep(plan.span)
        self.be_calm()
        ended_at = await self._until_over(sending)
        await asyncio.sleep(LAST_WORDS_SECONDS)
        history = history_of(self, senders, watcher, Ended(plan.span, ended_at, self.loop.time()))
        for task in (watching, sending):
            if task.done():
                task.result()  # A simulation that breaks must not look like one that is over.
        return history

    def _client(self) -> Client:
        stub: Any = DoorStub(self.doors)  # gRPC's stub is a class that nothing else can be.
        return Client("", stub=stub)

    def _senders(self, client: Client) -> Senders:
        log = self.log(self._desk, "senders") if self.plan.kind == "kafka" else None
        rng = stream(self.plan.seed, "senders")
        return Senders(client, log, self.true, rng, self.telnyx.incoming, self._made_by, self.say)

    async def _all_asked(self, senders: Senders, client: Client) -> None:
        rng, calls = stream(self.plan.seed, "orders"), self.plan.calls
        orders = orders_of(rng, self.plan.span, [call.name for call in calls]) if self.habits.is_operated else []
        await asyncio.gather(senders.run(calls), Operator(client, rng, orders, self.say).run())

    def _made_by(self, command_id: str) -> str:
        made = (one.call for one in self.telnyx.requests if one.command_id == command_id and one.happened)
        return next(made, "")

    def be_calm(self) -> None:
        """The faults are over."""
        self.say("world", "the faults are over")
        self._calm = self.doors.calm = self.customer.calm = True
        self.telnyx.be_calm()
        for process in self.processes:
            process.calm()

    async def _until_over(self, sending: asyncio.Task[None]) -> float:
        """Wait until nothing is owed to anybody any more, or until it should have been long ago."""
        end, tally = self.loop.time() + CALM_SECONDS_MAX, Tally(self.broker, self.telnyx)
        await asyncio.sleep(_RECOVERY_SECONDS)
        while self.loop.time() < end:
            if sending.done() and not self.echoes.under_way and self._is_over(tally):
                break
            await asyncio.sleep(1.0)
        return self.loop.time()

    def beliefs(self) -> dict[str, Belief]:
        """What the pages say of the calls."""
        return beliefs_of(self.broker, self.plan.partitions)

    def _is_over(self, tally: Tally) -> bool:
        is_forwarded = not self.habits.forwards or self.customer.has(tally.handed_on)
        return tally.is_over() and is_forwarded and self._knows_all_ends()

    def _knows_all_ends(self) -> bool:
        calls = self.telnyx.station.exchange.calls.values()
        ends = {call.id: call.ended_at for call in calls}
        return not self.habits.asks_soon or not undiscovered(self.beliefs(), ends)

    def _schedule(self, fault: Fault) -> None:
        if isinstance(fault, Timed):
            self.loop.call_at(fault.at, self._strike, fault, context=self.keeper.context)

    def _strike(self, fault: Timed) -> None:
        if self._calm:
            return
        self.struck[fault] += 1
        if isinstance(fault, Spell):
            self.telnyx.cast(fault)
            return
        process = next(one for one in self.processes if one.name == fault.process)
        match fault:
            case Kill(callbacks=callbacks, down=down):
                process.kill(callbacks, down)
            case Freeze(seconds=seconds):
                process.freeze(seconds)
            case Restart(down=down):
                process.restart(down)
            case CutOff(seconds=seconds):
                process.cut_off(seconds)
            case Sluggish(seconds=seconds):
                process.be_sluggish(seconds)
            case Jump(error_ms=error_ms):
                self.say(process.name, f"its clock is {error_ms} ms off from now on")
                process.clock.error_ms = error_ms

    def _request_left(self, number: int) -> None:
        outage = self._outages.get(number)
        if outage is not None and not self._calm:
            self.struck[outage] += 1
            # Not before the worker's step is over: a request leaves in the same step as its last check.
            self.loop.call_later(0.001, self._all_away, outage, context=self.keeper.context)

    def _all_away(self, outage: Outage) -> None:
        for process in self.processes:
            match outage.how:
                case _ if not process.name.startswith("hand"):
                    pass
                case "dead":
                    process.kill(0, outage.seconds)
                case "frozen":
                    process.freeze(outage.seconds)
                case "cut off":
                    process.cut_off(outage.seconds)

    def bury(self) -> None:
        """Unwind everything that still stands."""
        lives = [self.keeper, self._broker_life, self.telnyx_life, self._desk]
        bury([task for life in lives for task in life.tasks])
        for process in self.processes:
            bury(process.everything())


def happen(plan: Plan, broken: Broken = WHOLE) -> History:
    """One history from its plan: always the same one."""
    with virtual_time() as loop:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(_happen(plan, loop, broken))


async def _happen(plan: Plan, loop: VirtualLoop, broken: Broken) -> History:
    world = World(plan, loop, broken)
    try:
        return await world.run()
    finally:
        world.bury()
