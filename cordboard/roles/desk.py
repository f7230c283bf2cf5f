"""The roles of one process, put together and taken apart in order: all of them, or one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from typing import Self

from prometheus_client import REGISTRY, CollectorRegistry

from cordboard.access import Access, AccessMetrics
from cordboard.build import BuildMetrics
from cordboard.clock import Clock
from cordboard.control import Control, ControlMetrics
from cordboard.http_server import HttpServer
from cordboard.journal import Levels
from cordboard.liveness import Post
from cordboard.log.port import Appending, Log
from cordboard.operations import STARTED, Check, Excused, failing_checks, operations_server
from cordboard.roles.brain import accounts_of, make_dispatcher, unserved
from cordboard.roles.certificates import Certificates
from cordboard.roles.hands import Workers, idle
from cordboard.roles.heartbeat import Heartbeat
from cordboard.roles.late import LateLog
from cordboard.roles.listening import address, advertised, naming
from cordboard.roles.liveness import LivenessMetrics, watch_over
from cordboard.roles.log import open_log
from cordboard.roles.recorder import Recording, archive_of, masking_of
from cordboard.roles.spooling import open_spool
from cordboard.roles.topics import topics_of
from cordboard.roles.tracing import tracing
from cordboard.settings import EVERY_DUTY, Duties, Role, Settings, in_effect
from cordboard.tracing.port import Tracer
from dispatcher.accounts import Accounts
from dispatcher.dispatcher import Dispatcher
from dispatcher.ingress import IngressMetrics, ingress_server
from dispatcher.recorder.archive import Archive
from dispatcher.rest import RestServer
from dispatcher.rpc.server import GrpcServer


class Desk:
    """What a process does, with its operations port. `async with` starts and stops it in order.

    Started: log, operations (not ready yet), recorder, ingress, dispatcher, workers, door; what the duties ask for.
    Stopped the other way round, so that whatever was accepted is either decided or still in the log, webhooks are kept
    to the last, and the log is flushed after all who write to it. Not ready, though, it is from the stop's beginning.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        rng: random.Random,
        registry: CollectorRegistry = REGISTRY,
        *,
        duties: Duties = EVERY_DUTY,
        telnyx_is_local: bool = False,
    ) -> None:
        """`telnyx_is_local`: a stand-in on this machine, which reaches accounts without a public_url at the ingress."""
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._registry = registry
        self._duties = in_effect(settings, duties)
        self._telnyx_is_local = telnyx_is_local
        BuildMetrics(registry)
        self._liveness_metrics = LivenessMetrics(registry)
        self._certificates = Certificates(settings, registry)
        self._stack = AsyncExitStack()
        self._checks: dict[str, Check] = {STARTED: lambda: "starting"}
        metrics = AccessMetrics(registry)
        self._access = Access.of(settings, clock, metrics)
        metrics.look_at(self._access)
        tls = self._certificates.operations
        self.operations = operations_server(settings.operations, self._checks, registry, Levels(), self._access, tls)
        topic = topics_of(settings).processes
        self._heartbeat = Heartbeat(self.roles, topic, self._checks, clock, rng, registry)
        self._tracer: Tracer | None = None
        self.ingress: HttpServer | None = None
        self.grpc_port = 0
        self.rest: RestServer | None = None
        # How long the whole stop may take: one role is stopped after another.
        self.stop_seconds: float = sum(getattr(settings, role).stop_seconds for role in self.roles)

    async def __aenter__(self) -> Self:
        """Start everything. Raises LogError or CannotListen with nothing left running."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop everything within the stated times."""
        self._checks[STARTED] = lambda: "stopping"
        await self._stack.aclose()

    @property
    def roles(self) -> frozenset[Role]:
        """What it does, in effect."""
        return self._duties.roles

    @property
    def places(self) -> dict[str, str]:
        """Where its ports are, by name, once started."""
        found = {"operations": self.operations.url}
        if self.ingress is not None:
            found["ingress"] = self.ingress.url
        if self.grpc_port:
            found["grpc"] = address(self._settings.grpc.host, self.grpc_port)
        if self.rest is not None:
            found["rest"] = self.rest.url
        return found

    async def _start(self) -> None:
        self._tracer = await self._stack.enter_async_context(tracing(self._settings, self._duties))
        if self.roles == {Role.INGRESS} and self._settings.ingress.spool is not None:
            await self._start_with_a_spool()
        else:
            await self._start_roles()
        del self._checks[STARTED]

    async def _start_with_a_spool(self) -> None:
        """An ingress by itself, which can do its work while the log is away, be it at the start."""
        log = await LateLog.open(self._settings, self._clock, self._registry)
        self._stack.push_async_callback(log.close)
        self._checks["log"] = Excused(log.is_there, "the spool takes webhooks meanwhile")
        self._checks["clock"] = log.clock_is_right
        await self._speak(log)
        await self._listen("operations", self.operations)
        await self._open_ingress(log)

    async def _start_roles(self) -> None:
        opened = await open_log(self._settings, self._clock, self._registry)
        log = opened.log
        self._stack.push_async_callback(log.close)
        self._checks.update(opened.checks)
        await self._speak(log)
        await self._listen("operations", self.operations)
        if Role.RECORDER in self.roles:
            await self._start_recorder(log)
        if Role.INGRESS in self.roles:
            await self._open_ingress(log)
        control = await self._hear_orders(log)
        brain = await self._start_dispatcher(log, control) if Role.DISPATCHER in self._duties.roles else None
        workers = await self._start_workers(log, control) if Role.WORKER in self._duties.roles else None
        if brain is not None:
            await self._open_doors(*brain)
        if workers is not None:
            await workers.seated()

    async def _speak(self, log: Appending) -> None:
        await self._heartbeat.start(log)
        self._stack.push_async_callback(self._heartbeat.stop)

    async def _start_recorder(self, log: Log) -> None:
        recording = Recording(self._settings, accounts_of(self._settings), log, self._clock, self._registry)
        self._stack.push_async_callback(recording.stop)
        await recording.start()
        alone = self.roles == {Role.RECORDER}
        self._checks["recorder"] = recording.check if alone else Excused(recording.check, "nothing waits for it")

    async def _open_ingress(self, log: Appending) -> None:
        topic, metrics = topics_of(self._settings).webhooks, IngressMetrics(self._registry)
        spool = await open_spool(self._settings, log, self._clock, self._registry)
        if spool is not None:
            self._stack.push_async_callback(spool.close)
            self._checks["spool"] = spool.check
        self.ingress = ingress_server(
            self._settings, log, topic, self._clock, metrics, spool, self._tracer, tls=self._certificates.ingress
        )
        await self._listen("ingress", self.ingress)

    async def _hear_orders(self, log: Log) -> Control:
        """Before anything is decided or sent: what starts has to know of pauses."""
        metrics, accounts = ControlMetrics(self._registry), frozenset(self._settings.accounts)
        control = Control(
            log,
            topics_of(self._settings).control,
            lambda orders: metrics.tell(accounts, orders),
            restates=Role.DISPATCHER in self._duties.roles,
        )
        if self._duties.roles & {Role.DISPATCHER, Role.WORKER}:
            await control.start()
            self._stack.push_async_callback(control.stop)
            self._checks["control"] = control.trouble
        return control

    async def _start_dispatcher(self, log: Log, control: Control) -> tuple[Dispatcher, GrpcServer]:
        # Where the ingress is may be a part of what the dispatcher knows of accounts.
        public_url = self.ingress.url if self.ingress is not None and self._telnyx_is_local else None
        accounts = accounts_of(self._settings, public_url)
        dispatcher = make_dispatcher(self._settings, accounts, log, self._clock, control, self._registry, self._tracer)
        archive = archive_of(self._settings, self._clock)
        if archive is not None:
            self._stack.push_async_callback(archive.close)
        door = self._make_door(log, dispatcher, accounts, archive, control)
        # The port is had before the seat, because other dispatchers are told by which address this one is reached.
        with naming("grpc", self._settings.grpc.host, self._settings.grpc.port):
            self.grpc_port = door.bind()
        self._stack.push_async_callback(door.stop, 0.0)  # For a start that breaks off; else it is stopped long before.
        self._stack.push_async_callback(dispatcher.stop)
        self._heartbeat.dispatcher, self._heartbeat.address = (
            dispatcher,
            advertised(self._settings.grpc, self.grpc_port),
        )
        await dispatcher.start(self._heartbeat.address)
        self._checks["partitions"] = lambda: unserved(dispatcher)
        await self._watch_over(Role.DISPATCHER, log, lambda: dispatcher.posts)
        return dispatcher, door

    async def _start_workers(self, log: Log, control: Control) -> Workers:
        pools = sorted(self._settings.accounts if self._duties.pools is None else self._duties.pools)
        workers = Workers(
            self._settings, pools, log, self._clock, self._rng, control.is_paused, self._registry, self._tracer
        )
        self._heartbeat.workers = workers
        await workers.start()
        self._stack.push_async_callback(workers.stop)
        self._checks["lanes"] = lambda: idle(workers)
        await self._watch_over(Role.WORKER, log, lambda: workers.posts)
        return workers

    async def _watch_over(self, role: Role, log: Log, posts: Callable[[], Iterable[Post]]) -> None:
        """Have somebody look whether what a role holds goes on; the first to stop, for a stop is no stall."""
        seconds = getattr(self._settings, role).stall_seconds
        liveness = watch_over(log, posts, seconds, self._liveness_metrics)
        self._heartbeat.looks.append(liveness)
        await liveness.start()
        self._stack.push_async_callback(liveness.stop)
        self._checks[f"{role}_progress"] = liveness.trouble

    def _make_door(
        self, log: Log, dispatcher: Dispatcher, accounts: Accounts, archive: Archive | None, control: Control
    ) -> GrpcServer:
        return GrpcServer(
            self._settings.grpc,
            log,
            topics_of(self._settings),
            dispatcher,
            accounts,
            self._clock,
            rng=self._rng,
            registry=self._registry,
            ready=self._ready,
            archive=archive,
            masking=masking_of(self._settings),
            tracer=self._tracer,
            order_ms=lambda account: control.order_ms(account, self._clock.now_ms()),
            encryption=self._certificates.grpc,
            access=self._access,
            secret=self._settings.peers.read_secret,
            own_word=self._heartbeat.word,
            orders=lambda: control.orders,
        )

    async def _open_doors(self, dispatcher: Dispatcher, door: GrpcServer) -> None:
        """The last to open and the first to close: who waits there needs all the others."""
        rest = RestServer(
            self._settings,
            door.acceptance,
            self._clock,
            rng=self._rng,
            registry=self._registry,
            tls=self._certificates.rest,
            access=self._access,
        )
        self._stack.push_async_callback(self._close_doors, door, rest)
        await door.start()
        with naming("rest", self._settings.rest.host, self._settings.rest.port):
            await rest.start()
        self.rest = rest
        self._checks["results"] = lambda: None if door.hears_results else "the results topic is not being read"
        await dispatcher.settled()

    async def _close_doors(self, door: GrpcServer, rest: RestServer) -> None:
        # Side by side: each has its own time for those who wait.
        await asyncio.gather(door.stop(self._settings.grpc.drain_seconds), rest.stop(self._settings.rest.drain_seconds))

    async def _listen(self, name: str, server: HttpServer) -> None:
        section = getattr(self._settings, name)
        with naming(name, section.host, section.port):
            await self._stack.enter_async_context(server)

    async def _ready(self) -> bool:
        return not await failing_checks(self._checks)
