"""The ways to the other dispatchers: one gRPC channel to each, opened at the first question and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any, Final

import grpc.aio

from cordboard.log.port import LogError
from cordboard.settings import Grpc
from dispatcher.rpc.answering import METHOD, SERVICE
from dispatcher.rpc.lock import Secret, key_of, no_secret

ANSWER_SECONDS_MAX: Final = 3.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024  # More than any page that a ledger takes.
KEEPALIVE_TIMEOUT_SECONDS: Final = 5.0
RECONNECT_SECONDS_MAX: Final = 1.0  # gRPC's own two minutes would outlast the restart of a peer by far.

Connect = Callable[[str], grpc.aio.Channel]
"""Opens a channel to the peer at an address (host:port)."""
Renewed = Callable[[], object]
"""Gives another thing once channels are to be opened anew, because what they show or trust has changed."""


class Unreachable(LogError):
    """A peer gave no answer: it cannot be reached, or it took too long."""


class Channels:
    """Asks peers by their addresses."""

    def __init__(self, connect: Connect, renewed: Renewed = lambda: None, secret: Secret = no_secret) -> None:
        """`renewed` gives another object when channels are to be opened anew; `secret` is shown with each question."""
        self._secret = secret
        self._connect = connect
        self._renewed = renewed
        self._opened_with = renewed()
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._closing: set[asyncio.Task[None]] = set()  # The loop itself keeps only weak references.

    async def ask(self, name: str, question: bytes) -> bytes:
        """Bring a question to a peer, and its answer back. Raises Unreachable, at the latest after 3 s."""
        if (shown := self._renewed()) is not self._opened_with:
            self._opened_with = shown
            self.keep(())
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = self._connect(name)
        find: Any = channel.unary_unary(f"/{SERVICE}/{METHOD}")
        try:
            answer: bytes = await find(question, timeout=ANSWER_SECONDS_MAX, metadata=key_of(self._secret))
        except grpc.aio.AioRpcError as error:
            why = f"{error.code().name}, {error.details()}"
            raise Unreachable(f"the dispatcher at {name} does not answer: {why}") from error
        return answer

    def keep(self, names: Collection[str]) -> None:
        """Close the channels to all others: those peers are gone."""
        for name in self._channels.keys() - names:
            # What was asked there before may still be answered.
            closing = asyncio.ensure_future(self._channels.pop(name).close(ANSWER_SECONDS_MAX))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Close all channels; what is being asked is broken off."""
        channels, self._channels = list(self._channels.values()), {}
        await asyncio.gather(*(channel.close() for channel in channels), *self._closing, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._channels)


def insecure(settings: Grpc) -> Connect:
    """Channels without encryption, to peers whose doors have the same settings as this one's."""
    options = channel_options(settings)
    return lambda name: grpc.aio.insecure_channel(name, options=options)


def channel_options(settings: Grpc) -> list[tuple[str, Any]]:
    """What gRPC is told of a channel to a peer."""
    # Who asks whether a connection lives more often than the other side allows is cut off by it.
    keepalive_seconds = max(settings.keepalive_seconds, settings.ping_interval_seconds_min)
    return [
        ("grpc.max_receive_message_length", ANSWER_BYTES_MAX),
        ("grpc.keepalive_time_ms", round(keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", round(KEEPALIVE_TIMEOUT_SECONDS * 1000)),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", round(RECONNECT_SECONDS_MAX * 1000)),
        ("grpc.enable_http_proxy", 0),  # A peer is a neighbour, whatever proxy the environment names.
    ]
