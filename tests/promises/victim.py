"""Cordboard in a process of its own, to be killed: `async with Victim(...)` in a test, `main` in the process.

It takes its settings from its standard input as JSON, with a mechanism that is to be taken out (`module:function`), how
many seconds its clock is ahead, and a file: while that is there, the disk acknowledges nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import pytest
import structlog

from cordboard.client import Client
from cordboard.log.store import Store
from cordboard.roles.desk import Desk
from cordboard.settings import Settings
from sandbox.server import Server
from tests.promises.door import MovableClock
from tests.promises.heard import Heard
from tests.promises.stage import ACCOUNT, until

ROOT = Path(__file__).parents[2]


class Victim:
    """Cordboard, to be started, killed and started again on the same log; the sandbox and the watch live on here."""

    def __init__(self, directory: Path, sandbox: Server, without: str = "", **ingress: Any) -> None:
        """`ingress`: further settings of its section."""
        self._ingress = ingress
        self._directory = directory
        self._sandbox = sandbox
        self._without = without
        self._ingress_port = _free_port()
        self._stalled = directory / "stalled"
        self._cursor = ""
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None
        self.heard = Heard()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        await self._hang_up()

    async def start(self, ahead_seconds: int = 0) -> None:
        """Start it, and go on watching; its clock may be ahead, as if it came back later."""
        await self._hang_up()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.promises.victim", cwd=ROOT, stdin=-1, stdout=-1
        )
        told = {"settings": self._settings(), "ahead": ahead_seconds, "without": self._without}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**told, "stalled": str(self._stalled)}).encode() + b"\n")
        port = int(await self._process.stdout.readline())
        self.client = await Client(f"127.0.0.1:{port}").__aenter__()
        self._watch = self.client.watch(cursor=self._cursor)
        self._cursor = await self._watch.positioned()
        self._watching = asyncio.create_task(self._follow())

    async def kill(self) -> None:
        """End it on the spot, as `kill -9` does. Who asked something of it hears so by himself."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()

    async def _hang_up(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            await self.client.close()

    async def ended(self, *command_ids: str, seconds: float = 20.0) -> list[str]:
        """Wait for the results of these commands; says which ones did not come."""
        await until(lambda: all(self.heard.of(one) for one in command_ids), seconds)
        return [f"no result: {one}" for one in command_ids if not self.heard.of(one)]

    async def decided(self, call: str) -> None:
        """Return when everything that was accepted for the call is decided about."""
        await self.client.get_call(call)

    def stall(self) -> None:
        """From now on nothing becomes durable."""
        self._stalled.touch()

    def mend(self) -> None:
        """The disk works again."""
        self._stalled.unlink()

    async def call(self) -> str:
        """Somebody calls, and is answered; returns when that was handed on."""
        call = self.incoming()
        self._sandbox.station.tell(lambda exchange: exchange.find(call).answer())
        assert await until(lambda: self.heard.has("call.answered", call)), "the call was not handed on"
        return call

    def incoming(self) -> str:
        """Somebody calls."""
        self._sandbox.settings.webhook_url = f"http://127.0.0.1:{self._ingress_port}/webhooks/telnyx/{ACCOUNT}"
        tell = self._sandbox.station.tell
        return str(
            tell(lambda exchange: exchange.incoming(from_="+15550100001", to="+15550100000", connection_id="c")).id
        )

    async def _follow(self) -> None:
        async with self._watch as watch:
            async for response in watch:
                self._cursor = watch.cursor
                self.heard.take(response)

    def _settings(self) -> dict[str, Any]:
        account = {
            "api_key": "key",
            "base_url": self._sandbox.base_url,
            "webhook_public_key": self._sandbox.public_key,
            "dial_url_secret": "a-secret-of-this-stage",
        }
        return {
            "accounts": {ACCOUNT: account},
            "log": {"path": str(self._directory / "log.sqlite3"), "partitions": 2},
            "grpc": {"port": 0},
            "ingress": {"port": self._ingress_port, **self._ingress},
            "rest": {"port": 0},
            "operations": {"port": 0},
        }


def _free_port() -> int:
    """One that nobody has, nor is given while the victim is dead: below those for outgoing connections."""
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def _take_out(mechanism: str, patch: pytest.MonkeyPatch) -> None:
    module, _, name = mechanism.partition(":")
    getattr(import_module(module), name)(patch)


def _stall_with(stalled: Path, patch: pytest.MonkeyPatch) -> None:
    commit = Store.commit

    def perhaps(store: Store) -> None:
        while stalled.exists():
            time.sleep(0.005)
        commit(store)

    patch.setattr(Store, "commit", perhaps)


async def main() -> None:
    """Be the victim, until killed or left alone by who started it."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # What it tells on stdout is its port.
    told = json.loads(await asyncio.to_thread(sys.stdin.readline))
    patch, clock = pytest.MonkeyPatch(), MovableClock()
    clock.skipped_ms = told["ahead"] * 1000
    _stall_with(Path(told["stalled"]), patch)
    if told["without"]:
        _take_out(told["without"], patch)
    async with Desk(Settings(**told["settings"]), clock, random.Random(), telnyx_is_local=True) as desk:
        os.write(1, f"{desk.grpc_port}\n".encode())
        await asyncio.to_thread(sys.stdin.read)
    sys.exit(0)


if __name__ == "__main__":
    asyncio.run(main())
