"""An HTTP server inside our process: it starts, tells its port, and stops when told; signals are the process's own.

Uvicorn serves; what is added is what a port open to the world needs and uvicorn leaves to a proxy: the bounds of
http_connection.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
import ssl
from collections.abc import Iterator
from functools import partial
from typing import Final, Self

import uvicorn
from starlette.types import ASGIApp

from cordboard.http_connection import BoundedConnection, Bounds, Peers

_HANDSHAKE_SECONDS_MAX: Final = 10.0
_BACKLOG: Final = 1024
_ATTACH_TURNS: Final = 3  # The task that attaches, then the callback that tells the protocol, and one to spare.


class HttpServer:
    """Serves one ASGI application on one address. `async with` starts and stops it."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        bounds: Bounds | None = None,
        drain_seconds: float = 5.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Prepare; port 0 lets the system pick one. With `tls` it speaks HTTPS and nothing else."""
        self._app = app
        self._host = host
        self._port = port
        self._bounds = bounds or Bounds()
        self._drain_seconds = drain_seconds
        self._tls = tls
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """The port: the bound one once started."""
        return self._port

    @property
    def url(self) -> str:
        """Where it can be reached on this machine, without a slash at the end."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104  # compared, not bound
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://[{host}]:{self._port}" if ":" in host else f"{scheme}://{host}:{self._port}"

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self._port), family=family, backlog=_BACKLOG)
        self._port = listener.getsockname()[1]
        self._server = _Server(self._config())
        self._serving = asyncio.create_task(self._server.serve([listener]), name=f"http {self._port}")
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        if not self._server.listening.is_set():
            listening.cancel()
            listener.close()
            self._serving.result()  # Raises what kept it from listening.

    async def stop(self) -> None:
        """Take no new requests, let those in hand end for the drain time, then close. Safe to call twice."""
        if self._server is None or self._serving is None:
            return
        self._server.stopping.set()
        await self._serving

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _config(self) -> uvicorn.Config:
        tls = self._tls
        return uvicorn.Config(
            self._app,
            http=partial(BoundedConnection, peers=Peers(self._bounds)),  # type: ignore[arg-type]  # it is only called
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=math.ceil(self._drain_seconds),
            ssl_context_factory=None if tls is None else lambda *_: tls,
        )


class _Server(uvicorn.Server):
    """Uvicorn's server with events where it polls, and without its hands on the process's signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.servers = []
        self.listening = asyncio.Event()
        self.stopping = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # As uvicorn's, but for the bound of handshakes: until one is over no connection is made that had bounds.
        config, loop = self.config, asyncio.get_running_loop()
        made = {"config": config, "server_state": self.server_state, "app_state": self.lifespan.state}
        bound = None if config.ssl is None else _HANDSHAKE_SECONDS_MAX
        for listener in sockets or ():
            server = await loop.create_server(
                partial(config.http_protocol_class, **made),
                sock=listener,
                ssl=config.ssl,
                ssl_handshake_timeout=bound,
                backlog=config.backlog,
            )
            self.servers.append(server)
        self.started = True
        self.listening.set()

    async def main_loop(self) -> None:
        while not self.stopping.is_set():
            await self.on_tick(0)  # Renews the Date header.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A connection that asyncio has accepted but not yet attached when its server closes is lost, yet stays open
        # (Python 3.11): its client would wait in vain. So stop accepting first, and let the last ones be attached.
        for listener in sockets or ():
            with contextlib.suppress(RuntimeError):  # Loops that do not accept by reader, such as uvloop, have no gap.
                asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(_ATTACH_TURNS):
            await asyncio.sleep(0)
        await super().shutdown(sockets)
