"""Cordboard in pieces: dispatchers, workers and an ingress as processes of their own on one Kafka, and the sandbox."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import httpx

from tests.e2e.process import free_ports

ACCOUNT: Final = "main"
PATIENCE_SECONDS: Final = 90.0  # For what must happen; nothing is concluded from how soon it does.
_LOOK_SECONDS: Final = 0.05


async def until(holds: Callable[[], Awaitable[bool] | bool], what: str) -> None:
    """Return when it holds; fail the test when it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS) as patience:
        while True:
            met = holds()
            if met if isinstance(met, bool) else await met:
                return
            assert not patience.expired(), f"waited in vain for {what}"
            await asyncio.sleep(_LOOK_SECONDS)


class Piece:
    """One process of the command line, which tells by a file where it is, and what it does by JSON lines."""

    def __init__(self, folder: Path, name: str, words: tuple[str, ...], environment: Mapping[str, str]) -> None:
        folder.mkdir()
        self.name = name
        self._ready, self._output = folder / "ready.json", folder / "output.txt"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cordboard", *words, f"--ready-file={self._ready}"],
                cwd=folder,
                env={name: value for name, value in os.environ.items() if "CORDBOARD" not in name} | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    async def up(self) -> None:
        """Return when it serves and is ready; fail the test when it ends instead."""
        await until(lambda: self._ready.exists() or self._process.poll() is not None, f"{self.name} to be up")
        assert self._process.poll() is None, f"{self.name} ended:\n{self.output}"
        self.places: dict[str, str] = json.loads(self._ready.read_bytes())
        await until(self.is_ready, f"{self.name} to be ready")

    async def is_ready(self) -> bool:
        """What it answers to those who ask whether it is ready."""
        async with httpx.AsyncClient(base_url=self.places["operations"]) as http:
            return (await http.get("/readyz")).status_code == 200

    async def stop(self) -> int:
        """Ask it to stop, as a supervisor would; its exit status."""
        self._process.terminate()
        await until(lambda: self._process.poll() is not None, f"{self.name} to stop")
        return self._process.returncode

    def end(self) -> None:
        """Leave nothing behind."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._output.read_text(errors="replace")

    def said(self, event: str) -> dict[str, Any]:
        """The last line about that; fails the test where there is none."""
        lines = [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]
        found = [line for line in lines if line.get("event") == event]
        assert found, f"{self.name} never said {event}:\n{self.output}"
        return found[-1]


class Pieces:
    """All of them, by name. `async with` starts them side by side and leaves none behind."""

    def __init__(self, folder: Path, servers: str, prefix: str, sandbox_url: str, public_key: str, port: int) -> None:
        account = f"CORDBOARD_ACCOUNTS__{ACCOUNT.upper()}"
        self._folder = folder
        self._environment = {
            "CORDBOARD_LOG__KIND": "kafka",
            "CORDBOARD_LOG__TOPIC_PREFIX": prefix,
            "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": servers,
            f"{account}__API_KEY": "key",
            f"{account}__BASE_URL": sandbox_url,
            f"{account}__WEBHOOK_PUBLIC_KEY": public_key,
            f"{account}__PUBLIC_URL": f"http://127.0.0.1:{port}",
            f"{account}__DIAL_URL_SECRET": "a-secret-of-this-test",
            "CORDBOARD_GRPC__PORT": "0",
            "CORDBOARD_INGRESS__PORT": str(port),
            "CORDBOARD_OPERATIONS__PORT": "0",
            "CORDBOARD_LOGGING__FORMAT": "json",
        }
        self._words = {
            "dispatcher-1": ("dispatcher",),
            "dispatcher-2": ("dispatcher",),
            "worker-1": ("worker", f"--pool={ACCOUNT}"),
            "worker-2": ("worker", f"--pool={ACCOUNT}"),
            "ingress": ("ingress",),
        }
        self._pieces: dict[str, Piece] = {}

    async def __aenter__(self) -> Self:
        for name, words in self._words.items():
            self._pieces[name] = Piece(self._folder / name, name, words, self._environment)
        try:
            await asyncio.gather(*(piece.up() for piece in self._pieces.values()))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for piece in self._pieces.values():
            piece.end()

    def __getitem__(self, name: str) -> Piece:
        return self._pieces[name]

    async def metric(self, name: str, metric: str) -> float:
        """What a process says of itself at /metrics, without labels; -1 where it says nothing of it."""
        async with httpx.AsyncClient() as http:
            text = (await http.get(f"{self[name].places['operations']}/metrics")).text
        return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{metric} ")), -1.0)


def ingress_port() -> int:
    """A port that is known before the ingress is up, because the sandbox and the dials are told of it."""
    return free_ports(1)[0]
