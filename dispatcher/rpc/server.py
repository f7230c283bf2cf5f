"""The door as a whole: put together, opened, and closed without breaking off what is under way.

The stop, in this order: health says so; new calls and new items of streams are refused; what waits may end while the
grace lasts; then those who still wait are told that it is still open, and what remains is cut off.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final

import grpc
import grpc.aio
from prometheus_client import REGISTRY, CollectorRegistry

from cordboard.access import Access
from cordboard.clock import Clock
from cordboard.log.port import Log
from cordboard.orders import NO_ORDERS, Orders
from cordboard.settings import Grpc
from cordboard.topics import Topics
from cordboard.tracing.port import Tracer
from cordboard.v1 import dispatcher_service_pb2_grpc as stubs
from cordboard.v1 import operator_service_pb2
from cordboard.v1 import operator_service_pb2_grpc as operator_stubs
from dispatcher.acceptance import Acceptance
from dispatcher.acceptance.stopping import Stopping
from dispatcher.accounts import Accounts
from dispatcher.finding import Finder, group_of
from dispatcher.letters import Letters
from dispatcher.recorder.archive import Archive
from dispatcher.recorder.contents import Masking
from dispatcher.rpc.answering import Answering
from dispatcher.rpc.asking import Asking
from dispatcher.rpc.callers import Callers
from dispatcher.rpc.channels import Channels, Connect
from dispatcher.rpc.encryption import IN_THE_CLEAR, Encryption
from dispatcher.rpc.guard import Guard
from dispatcher.rpc.health import SERVICE, Health, Ready
from dispatcher.rpc.listeners import COUNT, Listeners
from dispatcher.rpc.lock import Lock, Secret, no_secret
from dispatcher.rpc.metrics import Metrics
from dispatcher.rpc.operating import Operating
from dispatcher.rpc.ordering import OrderTime
from dispatcher.rpc.peers import Peers
from dispatcher.rpc.recalling import Recalling
from dispatcher.rpc.reflecting import reflect
from dispatcher.rpc.service import Service
from dispatcher.rpc.surveying import OwnWord, Surveyor
from dispatcher.rpc.watch import Watching

OPERATOR: Final = operator_service_pb2.DESCRIPTOR.services_by_name["OperatorService"].full_name
LAST_WORD_SECONDS: Final = 1.0  # For answers that are ready when the grace is over.
PING_STRIKES_MAX: Final = 2  # Pings that came too soon, before the connection is ended.


async def always_ready() -> bool:
    """For a process that has nothing to wait for."""
    return True


class GrpcServer:
    """The gRPC door of one process.

    `dispatcher` knows the pages that this process owns; for all others the door asks their owners, over channels that
    `connect` opens and to whom it shows `secret`. `rng` makes the ids of cancel requests; `ready` is what health calls
    readiness. `archive` is what was recorded; `masking` how much of dead letters is shown; `order_ms` when an order for
    an account is given, `orders` those in force; `encryption` is the port's, and that of questions to peers; `access`
    says who asks. `own_word` is what this process says of itself.
    """

    def __init__(  # noqa: PLR0913 - the joints of the process meet here
        self,
        settings: Grpc,
        log: Log,
        topics: Topics,
        dispatcher: Finder,
        accounts: Accounts,
        clock: Clock,
        *,
        rng: random.Random | None = None,
        registry: CollectorRegistry = REGISTRY,
        ready: Ready = always_ready,
        connect: Connect | None = None,
        archive: Archive | None = None,
        masking: Masking | None = None,
        tracer: Tracer | None = None,
        order_ms: OrderTime,
        orders: Callable[[], Orders] = lambda: NO_ORDERS,
        encryption: Encryption = IN_THE_CLEAR,
        access: Access | None = None,
        secret: Secret = no_secret,
        own_word: OwnWord | None = None,
    ) -> None:
        metrics = Metrics(registry)
        self._settings = settings
        self._stopping = Stopping()
        self._health = Health(ready)
        known = access or Access(clock, {})
        self._callers = Callers(known)
        self._guard = Guard(
            (SERVICE, OPERATOR), settings.concurrent_max, self._stopping, metrics, self._callers, tracer
        )
        # Where identities are, pages are told to those alone that are known for dispatchers.
        lock = Lock(secret, clock, lambda: encryption.tells_peers or not known.asks)
        self._answering = Answering(dispatcher, group_of(topics), settings.concurrent_max, encryption.is_peer, lock)
        self._channels = Channels(connect or encryption.connect(settings), encryption.shown, secret)
        peers = Peers(log, topics, dispatcher, self._channels, metrics)
        self.acceptance = Acceptance(log, topics, accounts, clock, peers, tracer, orders)
        intake, waiters = self.acceptance.intake, self.acceptance.waiters
        metrics.count_waiting(lambda: len(waiters))
        recalling = Recalling(archive)
        surveyor = Surveyor(log, topics, accounts.addresses, clock, own_word=own_word, paused=lambda: orders().paused)
        self._operating: Any = Operating(recalling, Letters(log, topics), masking or Masking(), surveyor)
        self._service: Any = Service(  # The generated code asks for its own class; it needs only the methods.
            intake,
            self.acceptance.executor,
            Asking(
                topics,
                intake,
                peers,
                waiters,
                rng or random.SystemRandom(),
                order_ms,
                recalling,
            ),
            Watching(log, topics, self._stopping),
            self._stopping,
        )
        self._listeners = Listeners(self._make_server, encryption.credentials)
        self._port = 0

    def bind(self) -> int:
        """Take the port and return its number; nobody is answered yet. Raises OSError when it cannot be had."""
        self._port = self._listeners.bind(self._settings.host, self._settings.port)
        return self._port

    def _make_server(self, option: tuple[str, int]) -> grpc.aio.Server:
        server = grpc.aio.server(interceptors=[self._guard], options=[*_options(self._settings), option])
        stubs.add_DispatcherServiceServicer_to_server(self._service, server)
        operator_stubs.add_OperatorServiceServicer_to_server(self._operating, server)
        self._health.add_to(server)
        server.add_generic_rpc_handlers((self._answering.handler(),))
        if self._settings.reflection:
            reflect(server, (SERVICE, OPERATOR, "grpc.health.v1.Health"), self._callers)
        return server

    async def start(self) -> int:
        """Open the door, on the port that was taken or is taken now; returns it. Raises LogError, and as `bind` does.

        To be stopped also where it raised.
        """
        if not self._port:
            self.bind()
        await self.acceptance.start()  # Before anybody can wait.
        await self._health.start()
        await self._listeners.start()
        return self._port

    async def stop(self, grace_seconds: float) -> None:
        """Close the door; what waits has so long to end by itself."""
        if not self._port:
            return
        self._port = 0
        await self._health.stop()
        self._stopping.begin()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._guard.idle.wait()
        except TimeoutError:
            self.acceptance.waiters.give_up()
        await self._listeners.stop(LAST_WORD_SECONDS)
        await self.acceptance.stop()
        await self._channels.close()

    @property
    def stopping(self) -> bool:
        """Whether the stop has begun."""
        return self._stopping.begun

    @property
    def waiting(self) -> int:
        """How many callers and stream items wait for a result."""
        return len(self.acceptance.waiters)

    @property
    def hears_results(self) -> bool:
        """Whether the results topic is followed: for readiness."""
        return self.acceptance.hears_results


def _options(settings: Grpc) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", settings.message_bytes_max),
        ("grpc.keepalive_time_ms", round(settings.keepalive_seconds * 1000)),
        ("grpc.http2.min_ping_interval_without_data_ms", round(settings.ping_interval_seconds_min * 1000)),
        ("grpc.http2.max_ping_strikes", PING_STRIKES_MAX),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_concurrent_streams", settings.streams_max),
        ("grpc.max_metadata_size", settings.metadata_bytes_max),
        ("grpc.absolute_max_metadata_size", settings.metadata_bytes_max),
        ("grpc.server_handshake_timeout_ms", round(settings.handshake_seconds_max * 1000)),
        ("grpc.max_connection_idle_ms", round(settings.idle_seconds_max * 1000)),
        ("grpc.max_allowed_incoming_connections", settings.connections_max // COUNT),
    ]
