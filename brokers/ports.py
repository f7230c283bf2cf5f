"""Ports of one's own: free, and still so when a process that had one comes back to it."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Sequence
from typing import Final

# Below those that the system hands out for outgoing connections, which may be anybody's a moment later.
_RANGE: Final = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """So many different ports of loopback on which nobody listens now. Raises OSError where there are not as many."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        # Chance, so that processes that choose at the same moment hardly choose the same.
        for port in random.SystemRandom().sample(_RANGE, len(_RANGE)):
            if len(ports) == count:
                return ports
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                ports.append(port)
    raise OSError(f"no {count} ports between {_RANGE.start} and {_RANGE.stop} are free")


def taken(ports: Sequence[int]) -> list[int]:
    """Those on which somebody listens now."""
    held = []
    for port in ports:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            held.append(port)
    return held
