"""The sandbox as a server: in a process of its own, or started and stopped inside another's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.app import HANG_UP, App
from sandbox.scheduler import Scheduler
from sandbox.settings import Settings
from sandbox.station import Station
from sandbox.webhooks import Post

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 2048


class _CuttableProtocol(HttpToolsProtocol):
    """HTTP that lets the application close the connection under a request."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[Any, Any] = {HANG_UP: self.transport.close}
        self.scope["extensions"] = extensions


class _GuestServer(uvicorn.Server):
    """A server that leaves signals to its host, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Server:
    """A sandbox that listens. `async with Server(Settings(port=0)) as sandbox: ... sandbox.base_url`."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        scheduler: Scheduler | None = None,
        rng: random.Random | None = None,
        post: Post | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self._ports = {"scheduler": scheduler, "rng": rng, "post": post}
        self._station: Station | None = None
        self._server: _GuestServer | None = None
        self._task: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None

    @property
    def station(self) -> Station:
        """What stands behind the doors; there once it was started."""
        if self._station is None:
            raise RuntimeError("the sandbox has not been started")
        return self._station

    @property
    def public_key(self) -> str:
        """The key against which its webhooks verify, in Base64."""
        return self.station.signer.public_key

    @property
    def root_url(self) -> str:
        """Where its own routes begin: http://host:port."""
        if self._socket is None:
            raise RuntimeError("the sandbox has not been started")
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def base_url(self) -> str:
        """What takes the place of https://api.telnyx.com/v2."""
        return f"{self.root_url}/v2"

    async def start(self) -> str:
        """Listen, and return the base URL. Raises OSError when the port is taken."""
        self._socket = _listener(self.settings.host, self.settings.port)
        self._station = Station(self.settings, **self._ports)  # type: ignore[arg-type]  # a dict has one value type
        config = uvicorn.Config(
            App(self._station),
            http=_CuttableProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        self._server = server = _GuestServer(config)
        self._task = asyncio.get_running_loop().create_task(server.serve([self._socket]))
        self._task.add_done_callback(lambda _: server.ready.set())
        await server.ready.wait()
        if self._task.done():
            self._task.result()  # It could not start: raise what stopped it.
        return self.base_url

    async def stop(self) -> None:
        """Stop listening, and drop what is on its way."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        if self._station is not None:
            await self._station.close()
        if self._socket is not None:
            self._socket.close()

    async def wait(self) -> None:
        """Return when the server has stopped."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: asyncio switches off Nagle's algorithm only where it is, and else an answer's body
    # waits 40 ms for the acknowledgement of its head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(settings: Settings, announce: Callable[[Server], None] | None = None) -> None:
    """Serve until cancelled; `announce` is called once it listens."""
    async with Server(settings) as server:
        if announce:
            announce(server)
        await server.wait()
