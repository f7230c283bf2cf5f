"""Which roles a simulated process has, by its name, put together for one life of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from cordboard.log.port import Log
from simulation.chance import stream
from simulation.clock import ProcessClock
from simulation.customer import PAUSE_MS_MAX, TIMEOUT_MS, URL
from simulation.habits import ACCOUNT
from simulation.loop import Life
from simulation.peers import PeerRoads
from simulation.roles import DRAIN_SECONDS, TOPICS, Brain, Ear, Hands, Role
from simulation.spooling import SimulatedSpool
from simulation.telnyx import BASE_URL
from workers.core.forwarding import Patience
from workers.forwarding import Endpoint, Forwarder, ForwardSettings
from workers.forwarding.events import BrokeOff, Event
from workers.telnyx import Telnyx as TelnyxClient

if TYPE_CHECKING:
    from simulation.world import World

_FORWARDING: Final = ForwardSettings(account=ACCOUNT, patience=Patience(pause_ms_max=PAUSE_MS_MAX))


class Forwarding:
    """What a worker does beside its lanes."""

    def __init__(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder

    async def start(self) -> None:
        """Begin to forward."""
        await self._forwarder.start()

    async def stop(self) -> None:
        """Let end what is on its way."""
        await self._forwarder.drain(DRAIN_SECONDS)


def roles_of(world: World, life: Life, name: str, log: Log, clock: ProcessClock) -> Sequence[Role]:
    """The roles of one life."""
    seed, role = world.plan.seed, name.rstrip("0123456789")
    rng = stream(seed, "process", life.name)
    roles: list[Role] = []
    if role in ("ear", "all"):
        disk = world.disks[name]
        spool = SimulatedSpool(disk, log, clock, stream(seed, "spool", life.name)) if world.habits.spools else None
        roles.append(Ear(log, clock, spool))
    if role in ("brain", "all"):
        roads = PeerRoads(world.processes, stream(seed, "peers", life.name))
        roles.append(Brain(log, clock, rng, name, roads, world.habits))
    if role in ("hand", "all"):
        road = world.questions.transport(life, world.telnyx.transport(life, clock))
        roles.append(Hands(log, clock, rng, TelnyxClient(BASE_URL, lambda: "key", transport=road)))
    if role in ("hand", "all") and world.habits.forwards:
        roles.append(_forwarding(world, life, log, clock))
    return roles


def _forwarding(world: World, life: Life, log: Log, clock: ProcessClock) -> Forwarding:
    def observe(event: Event) -> None:
        if isinstance(event, BrokeOff):
            world.loop.broken.append(f"forwarding broke off: {event.error!r}")

    forwarder = Forwarder(
        _FORWARDING,
        log=log,
        topics=TOPICS,
        endpoint=Endpoint(URL, timeout_ms=TIMEOUT_MS, transport=world.customer.transport(life)),
        clock=clock,
        rng=stream(world.plan.seed, "forwarding", life.name),
        observe=observe,
    )
    return Forwarding(forwarder)
