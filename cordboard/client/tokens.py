"""The token by which a client is known: given, or read anew, and shown with each call on a channel."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import grpc.aio

Token = str | Callable[[], str]
_KINDS: Final = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


def token_of(token: Token | None, file: Path | str | None) -> Callable[[], str] | None:
    """What gives the token at each call; None where there is none. Raises ValueError where both are set."""
    if token is not None and file is not None:
        raise ValueError("token must not be set beside token_file: one of the two")
    if file is not None:
        path = Path(file)
        return lambda: path.read_text().strip()
    return (lambda: token) if isinstance(token, str) else token


def check_in_clear(target: str) -> None:
    """Keep a token from a network without TLS. Raises ValueError."""
    if not is_near(target):
        raise ValueError(
            "token must not be set without TLS: it would travel in the clear. "
            "Where something else encrypts, such as a mesh, token_in_clear=True says so"
        )


def is_near(target: str) -> bool:
    """Whether what is sent to a target of gRPC's stays on this machine."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    place = target.removeprefix("ipv4:").removeprefix("ipv6:").rpartition("/")[2]
    host = place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Showing:
    """A channel that shows the token with each call, as it is then. Stubs take it for the channel itself."""

    def __init__(self, channel: grpc.aio.Channel, token: Callable[[], str]) -> None:
        for kind in _KINDS:
            setattr(self, kind, self._showing(getattr(channel, kind), token))

    @staticmethod
    def _showing(make: Callable[..., Any], token: Callable[[], str]) -> Callable[..., Any]:
        def made(*args: Any, **named: Any) -> Callable[..., Any]:
            call = make(*args, **named)

            def shown(*given: Any, metadata: Any = None, **more: Any) -> Any:
                return call(*given, metadata=(*(metadata or ()), _header(token())), **more)

            return shown

        return made


def _header(token: str) -> tuple[str, str]:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("token must be one word of printable ASCII characters")
    return "authorization", f"Bearer {token}"
