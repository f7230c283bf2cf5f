"""One HTTP connection, within bounds: of connections at once, of a request's head, and of every silence.

Whoever is on the other side, a connection is held only as long as something is under way on it. What bounds it, from
its first moment to its last:

    opened               too many in all, or from one address: 503, and closed at once
    the head             so many bytes, so many headers, so many seconds
    the body             its reader's affair while the request is served; once it is answered, a moment more
    between requests     so long idle
    the answer           who does not take it is cut off; so is who does not let himself be closed
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import structlog

from cordboard.http_caller import KnownCaller

_TOO_MANY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
_FRAMING_MAX: Final = 8  # Bytes around each byte of a body, where it comes in the smallest pieces.
_SAID_SECONDS: Final = 60.0
_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of a port. `rest_seconds_max`: for what is left of a body once its request was answered."""

    connections_max: int = 4096
    connections_per_peer_max: int = 4096
    idle_seconds_max: float = 75.0
    head_bytes_max: int = 32 * 1024
    headers_max: int = 100
    head_seconds_max: float = 10.0
    rest_seconds_max: float = 2.0
    write_seconds_max: float = 30.0


class Peers:
    """The connections of one port, by who is at their other ends."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._open: Counter[str] = Counter()
        self._said: float | None = None

    def come(self, peer: str, now: float) -> bool:
        """One more from there; whether it may stay."""
        self._open[peer] += 1
        in_all, from_there = self._open.total(), self._open[peer]
        if in_all <= self.bounds.connections_max and from_there <= self.bounds.connections_per_peer_max:
            return True
        if self._said is None or now >= self._said + _SAID_SECONDS:
            self._said = now
            _log.warning("connections are refused: there are too many", in_all=in_all, from_there=from_there, peer=peer)
        return False

    def go(self, peer: str) -> None:
        """One less."""
        self._open[peer] -= 1
        if not self._open[peer]:
            del self._open[peer]


class BoundedConnection(KnownCaller):
    """A connection of a port's `peers`."""

    def __init__(self, *given: Any, peers: Peers, **named: Any) -> None:
        super().__init__(*given, **named)
        self._peers = peers
        self._bounds = peers.bounds
        self.timeout_keep_alive = self._bounds.idle_seconds_max  # type: ignore[assignment]  # uvicorn's own is whole
        self._peer = ""
        self._refused = False
        self._head_bytes = 0
        self._in_head = True
        self._in_message = False
        self._body_total = 0  # Of all requests; what follows is of the one in hand.
        self._body_bytes = self._around_bytes = 0
        self._timer: asyncio.TimerHandle | None = None  # Of what the other side owes us.
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """Count it; turn it away where it is one too many."""
        super().connection_made(transport)
        self._peer = _counted_as(self.client[0] if self.client else "")
        self._refused = not self._peers.come(self._peer, self.loop.time())
        if self._refused:
            transport.write(_TOO_MANY)
            self._end()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._peers.go(self._peer)
        self._stop_waiting()
        self._written()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, within the bounds of a head."""
        if self._refused or self.transport.is_closing():
            return
        before = self._body_total
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._bounds.head_bytes_max:
                self._refuse_head("The head of the request is too large.")
        elif self._in_message:
            # What frames a body is bounded by it; trailers, which nobody here wants, are like a head.
            self._around_bytes += len(data) - (self._body_total - before)
            if self._around_bytes > 2 * self._bounds.head_bytes_max + _FRAMING_MAX * self._body_bytes:
                self._end()
        elif self._timer is None and self._is_answered():
            self._await_head()  # Something came between two requests that begins none.

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_message = True
        self._body_bytes = self._around_bytes = 0
        self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one more header, if that is not one too many; trailers are none, whatever they are named."""
        if not self._in_head:
            return
        super().on_header(name, value)
        if len(self.headers) > self._bounds.headers_max:
            self._refuse_head("The request has too many headers.")

    def on_headers_complete(self) -> None:
        """A head is whole: serve it, unless it was refused."""
        self._in_head = False
        self._stop_waiting()
        if not self.transport.is_closing():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._body_bytes += len(body)
        self._body_total += len(body)
        if self.cycle is not None:  # There is none where its head was refused.
            super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._in_message = False
        if self.cycle is None:
            return
        super().on_message_complete()
        if self._is_answered():
            self._stop_waiting()

    def on_response_complete(self) -> None:
        """It is answered; what is still to come of its body nobody wants."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._cut_off_later()
        elif self._in_message and self._is_answered():
            self._wait(self._bounds.rest_seconds_max)

    def timeout_keep_alive_handler(self) -> None:
        """It has rested for long enough."""
        self._end()

    def pause_writing(self) -> None:
        """The other side takes nothing just now."""
        super().pause_writing()
        self._cut_off_later()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._written()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, and close."""
        super().send_400_response(msg)
        self._cut_off_later()

    def _refuse_head(self, why: str) -> None:
        if not self.transport.is_closing():
            self.send_400_response(why)

    def _is_answered(self) -> bool:
        # Uvicorn's type does not say that there is none at first.
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # as said above

    def _await_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._wait(self._bounds.head_seconds_max)

    def _wait(self, seconds: float) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(seconds, self._end)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        """Close; who does not take what is still to be written is not waited for."""
        if not self.transport.is_closing():
            self.transport.close()
        self._cut_off_later()

    def _cut_off_later(self) -> None:
        self._written()
        self._write_timer = self.loop.call_later(self._bounds.write_seconds_max, self.transport.abort)

    def _written(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def _counted_as(host: str) -> str:
    """An address; of IPv6 the network of 64 bits, which is what one customer has."""
    if ":" not in host:
        return host
    try:
        address = ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
