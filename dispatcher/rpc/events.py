"""What the door lets be seen of itself: small events, for metrics and logs. None holds a command's content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import grpc


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC. `kind` is unary, client_stream, server_stream or bidi_stream, as the usual metrics name them."""

    service: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Started:
    """A call came in."""

    method: Method


@dataclass(frozen=True, slots=True)
class Handled:
    """A call has ended; `reason` is that of a refusal, else empty."""

    method: Method
    code: grpc.StatusCode
    seconds: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A question about a page was asked of a peer. `outcome` is the answer's word, or unreachable."""

    outcome: str


Event = Started | Handled | Forwarded
Observer = Callable[[Event], None]


def ignore(_: Event) -> None:
    """Look away."""
