"""The processes that are measured: the sandbox, Cordboard as `cordboard serve`, a broker, and a load process for each
system. Cordboard in pieces is started as the end-to-end tests do it (`tests/e2e/apart.py`).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.cells import Cell, Measured
from brokers import THROUGHPUT, Cluster

LOG: Final = "log.sqlite3"  # In Cordboard's folder.
_START_SECONDS_MAX: Final = 60.0
_CELL_SECONDS_MAX: Final = 120.0  # More than any command may take, so that it is told which one did.
_LINE_BYTES_MAX: Final = 4 * 1024 * 1024


async def _python(*arguments: str, stdin: int = DEVNULL, stdout: int = DEVNULL, stderr: int | None = None) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, limit=_LINE_BYTES_MAX, stdin=stdin, stdout=stdout, stderr=stderr
    )


@asynccontextmanager
async def _running(process: Process) -> AsyncIterator[Process]:
    """A process that is asked to stop at the end, and killed if it does not."""
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
                await process.wait()


@asynccontextmanager
async def sandbox() -> AsyncIterator[tuple[str, int]]:
    """The sandbox, which sends no webhooks: its URL without a path, and its process."""
    started = await _python(
        "-m", "cordboard", "sandbox", "--port", "0", "--quiet", "--output", "json", stdout=PIPE, stderr=DEVNULL
    )
    async with _running(started) as process:
        assert process.stdout is not None
        said = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS_MAX)
        assert said, "the sandbox has ended"
        yield msgspec.json.decode(said)["ready"]["api"].removesuffix("/v2"), process.pid


@asynccontextmanager
async def broker(folder: Path) -> AsyncIterator[tuple[str, dict[str, int]]]:
    """One broker, set up for throughput: where it is, and its process by name.

    With KAFKA_BOOTSTRAP_SERVERS it is what that names, and nobody knows its processes.
    """
    if given := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield given, {}
        return
    cluster = Cluster(folder, tuning=THROUGHPUT)
    await asyncio.to_thread(cluster.start)
    try:
        yield cluster.bootstrap_servers, {"broker": cluster.node(1).pid}
    finally:
        await asyncio.to_thread(cluster.kill)
        cluster.leave()


@asynccontextmanager
async def cordboard(folder: Path, sandbox_url: str) -> AsyncIterator[tuple[str, int]]:
    """Every role in one process, by the settings that anybody starts with: its gRPC target, and its process."""
    config, ready = _written(folder, sandbox_url), folder / "ready.json"
    started = await _python(
        "-m", "cordboard", "serve", "--config", str(config), "--ready-file", str(ready), stderr=DEVNULL
    )
    async with _running(started) as process:
        async with asyncio.timeout(_START_SECONDS_MAX):
            while not ready.exists():
                assert process.returncode is None, "cordboard serve has ended"
                await asyncio.sleep(0.02)
        yield msgspec.json.decode(ready.read_bytes())["grpc"], process.pid


def _written(folder: Path, sandbox_url: str) -> Path:
    """The settings as a file: what must be set, ports that are free, and else the defaults."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "cordboard.toml"
    key = base64.b64encode(bytes(32)).decode()  # Nothing is verified: the sandbox is quiet.
    config.write_text(f"""
[accounts.bench]
api_key = "bench"
base_url = "{sandbox_url}/v2"
webhook_public_key = "{key}"
[log]
path = "{folder / LOG}"
[grpc]
port = 0
[ingress]
port = 0
[rest]
port = 0
[operations]
port = 0
[logging]
level = "warning"
""")
    return config


class Load:
    """A load process that measures one cell at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def measure(self, cell: Cell) -> Measured:
        """Have a cell measured."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(cell) + b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), _CELL_SECONDS_MAX)
        assert line, f"the load process of {cell.system} has ended"
        return msgspec.json.decode(line, type=Measured)


@asynccontextmanager
async def load(place: Path) -> AsyncIterator[Load]:
    """A load process; `place` is the file that tells it where everything is."""
    async with _running(await _python("-m", "bench.load", str(place), stdin=PIPE, stdout=PIPE)) as process:
        yield Load(process)


async def reported(module: str, *arguments: str) -> Any:
    """Run a module of the bench to its end; what it says in its last line, which is JSON."""
    process = await _python("-m", module, *arguments, stdout=PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0, f"{module} has failed"
    return msgspec.json.decode(said.splitlines()[-1])


def resident_bytes(pid: int) -> int:
    """Memory of a process that is its own: what it shares with nobody and with no file."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} has no memory (of {os.uname().sysname})")
