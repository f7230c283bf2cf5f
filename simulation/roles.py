"""The roles, put together from the product's own parts as `cordboard.roles` does, but without sockets."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final, Protocol

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.applications import Starlette

from cordboard.clock import Clock
from cordboard.control import Control
from cordboard.log.port import Log
from cordboard.roles.brain import accounts_of, limits_of
from cordboard.roles.hands import rates_of
from cordboard.roles.topics import topics_of
from cordboard.settings import Account, Settings
from cordboard.tail import Tail
from cordboard.topics import Topics
from cordboard.work import Lane
from dispatcher.acceptance.execute import Executor
from dispatcher.acceptance.intake import Intake
from dispatcher.acceptance.judging import Judge
from dispatcher.acceptance.stopping import Stopping
from dispatcher.acceptance.waiting import Waiters
from dispatcher.accounts import Accounts
from dispatcher.batch import Practice
from dispatcher.dispatcher import Dispatcher
from dispatcher.finding import group_of
from dispatcher.ingress import Ingress, IngressMetrics
from dispatcher.observing import ignore
from dispatcher.owner import Owner
from dispatcher.reading import Interpreter
from dispatcher.rendering import Renderer
from dispatcher.rpc.answering import Answering
from dispatcher.rpc.asking import Asking
from dispatcher.rpc.events import ignore as unseen
from dispatcher.rpc.peers import Peers, Ways
from dispatcher.rpc.service import Service
from dispatcher.rpc.watch import Watching
from simulation.habits import ACCOUNT, Habits
from simulation.telnyx import BASE_URL
from workers.pace import AccountPace
from workers.pool import Pool
from workers.settings import PoolSettings
from workers.telnyx import Telnyx as Client

if TYPE_CHECKING:
    from simulation.spooling import SimulatedSpool

SETTINGS: Final = Settings(
    accounts={
        ACCOUNT: Account(
            api_key=SecretStr("key"),
            webhook_public_key="O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=",  # Of the private key that is all zeros.
            base_url=BASE_URL,
            public_url="http://ingress",
            dial_url_secret=SecretStr("a-secret-for-simulated-dials"),
        )
    }
)
ACCOUNTS: Final[Accounts] = accounts_of(SETTINGS)
TOPICS: Final[Topics] = topics_of(SETTINGS)
WORK_TOPICS: Final = frozenset(TOPICS.work(ACCOUNT, lane) for lane in Lane)
DRAIN_SECONDS: Final = 3.0
QUESTIONS_MAX: Final = 1_000

_ingress_metrics = IngressMetrics(CollectorRegistry())  # Nobody looks at them; making them takes a while.


class Brain:
    """A dispatcher with its door: `service` is what gRPC would call, `answering` what the other brains ask."""

    def __init__(self, log: Log, clock: Clock, rng: Random, name: str, ways: Ways, habits: Habits) -> None:
        self._name = name
        practice = Practice(
            interpreter=Interpreter(TOPICS, ACCOUNTS),
            renderer=Renderer(TOPICS, ACCOUNTS),
            inputs=TOPICS.inputs,
            limits=habits.limits(limits_of(SETTINGS)),
            home=log.partition_for,
            observe=ignore,
            orders=lambda: self._control.orders,
            rooms=habits.rooms,
        )
        self._dispatcher = Dispatcher(log, TOPICS, lambda number: Owner(log, number, practice, clock))
        self._control = Control(log, TOPICS.control, lambda _: self._dispatcher.look_again(), restates=True)
        self._stopping = Stopping()
        self._waiters = Waiters()
        self._tail = Tail(log, TOPICS.results, self._waiters.hear)
        intake = Intake(log, TOPICS, ACCOUNTS, clock)
        self.answering = Answering(self._dispatcher, group_of(TOPICS), QUESTIONS_MAX)
        peers = Peers(log, TOPICS, self._dispatcher, ways, unseen)
        executor = Executor(intake, self._waiters, Judge(TOPICS, ACCOUNTS, peers))
        asking = Asking(
            TOPICS, intake, peers, self._waiters, rng, lambda who: self._control.order_ms(who, clock.now_ms())
        )
        self.service: Any = Service(intake, executor, asking, Watching(log, TOPICS, self._stopping), self._stopping)

    async def start(self) -> None:
        """Take a seat, then open the door."""
        await self._control.start()
        await self._dispatcher.start(self._name)
        await self._tail.start()

    async def stop(self) -> None:
        """Close the door, settle what is in hand, give up the seat."""
        self._stopping.begin()
        self._waiters.give_up()
        await self._tail.stop()
        await self._dispatcher.stop()
        await self._control.stop()


class Hands:
    """A worker."""

    def __init__(self, log: Log, clock: Clock, rng: Random, client: Client) -> None:
        self._control = Control(log, TOPICS.control)
        pace = AccountPace(
            rates_of(SETTINGS.accounts[ACCOUNT], SETTINGS.worker), lambda: self._control.is_paused(ACCOUNT)
        )
        settings = PoolSettings(name=ACCOUNT)
        self._pool = Pool(settings, log=log, topics=TOPICS, client=client, clock=clock, rng=rng, pace=pace)

    async def start(self) -> None:
        """Begin to take work."""
        await self._control.start()
        await self._pool.start()

    async def stop(self) -> None:
        """Drain."""
        await self._pool.drain(DRAIN_SECONDS)
        await self._control.stop()


class Ear:
    """An ingress, perhaps with a spool: `app` is what the HTTP server would call."""

    def __init__(self, log: Log, clock: Clock, spool: SimulatedSpool | None) -> None:
        self._spool = spool
        self.app: Starlette = Ingress(SETTINGS, log, TOPICS.webhooks, clock, _ingress_metrics, spool).app()

    async def start(self) -> None:
        """Look what is in the spool."""
        if self._spool is not None:
            await self._spool.begin()

    async def stop(self) -> None:
        """Let go of the spool."""
        if self._spool is not None:
            await self._spool.close()


class Role(Protocol):
    """A part of a process."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End as one should."""
