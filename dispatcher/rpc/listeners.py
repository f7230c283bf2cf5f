"""The servers behind one port. gRPC's asyncio server takes in one call at a time, so there are several of them.

Between two calls that one server takes in, its thread and the event loop have to wake each other twice: on a busy
machine a few hundred calls a second are all it can do, whatever else there is room for. The kernel spreads connections
over the servers that listen on the port, so the calls of many clients are taken in side by side; those of one
connection are not, for which there are streams.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

import grpc
import grpc.aio

COUNT: Final = 8


class Listeners:
    """Servers alike. `make` makes one, with the options that it is given besides its own, and all that it serves."""

    def __init__(
        self,
        make: Callable[[tuple[str, int]], grpc.aio.Server],
        credentials: Callable[[], grpc.ServerCredentials | None] = lambda: None,
        count: int = COUNT,
    ) -> None:
        """`credentials` makes some for each of them; None: without encryption."""
        self._make = make
        self._credentials = credentials
        self._count = count
        self._servers: list[grpc.aio.Server] = []

    def bind(self, host: str, port: int) -> int:
        """Take the port (0: any that is free) and return its number. Raises OSError when it cannot be had."""
        _must_be_free(host, port)
        for _ in range(self._count):
            server = self._make(("grpc.so_reuseport", 1))
            self._servers.append(server)
            place = f"{_bracketed(host)}:{port}"
            credentials = self._credentials()
            if credentials is None:
                port = server.add_insecure_port(place)
            else:
                port = server.add_secure_port(place, credentials)
        return port

    async def start(self) -> None:
        """Begin to take calls in."""
        for server in self._servers:
            await server.start()

    async def stop(self, grace_seconds: float) -> None:
        """Take nothing more in; what is under way has so long to end."""
        servers, self._servers = self._servers, []
        await asyncio.gather(*(server.stop(grace_seconds) for server in servers))


def _must_be_free(host: str, port: int) -> None:
    """Sharing is for the servers of one process: a second process on the same port is a mistake, and is told so."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family):
        pass


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
