"""Cordboard in pieces: dispatchers, workers and an ingress as processes of their own, on Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import httpx

from tests.e2e.process import ACCOUNT, NOTHING, Process, account_settings, free_ports, webhook_url

PATIENCE_SECONDS: Final = 90.0  # For what must happen; nothing is concluded from how soon it does.
_LOOK_SECONDS: Final = 0.05
WORDS: Final = {"dispatcher": ("dispatcher",), "worker": ("worker", f"--pool={ACCOUNT}"), "ingress": ("ingress",)}
NAMES: Final = ("dispatcher-1", "dispatcher-2", "worker-1", "worker-2", "ingress")


async def until(holds: Callable[[], Awaitable[bool] | bool], what: str) -> None:
    """Return when it holds; fail the test when it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS) as patience:
        while True:
            met = holds()
            if met if isinstance(met, bool) else await met:
                return
            assert not patience.expired(), f"waited in vain for {what}"
            await asyncio.sleep(_LOOK_SECONDS)


class Pieces:
    """All of them, by name. `async with` starts them side by side and leaves none behind.

    Ports for which somebody is told stay the same through the lives of a piece. `names` are roles with a number.
    """

    def __init__(
        self,
        folder: Path,
        servers: str,
        prefix: str,
        sandbox_url: str,
        public_key: str,
        names: Sequence[str] = NAMES,
        more: Mapping[str, str] = NOTHING,
    ) -> None:
        self._folder = folder
        dispatchers = [name for name in names if name.startswith("dispatcher")]
        self._ingress_port, *doors = free_ports(1 + len(dispatchers))
        self._doors = dict(zip(dispatchers, doors, strict=True))
        self._environment = account_settings(sandbox_url, public_key, self._ingress_port) | {
            "CORDBOARD_LOG__KIND": "kafka",
            "CORDBOARD_LOG__TOPIC_PREFIX": prefix,
            "CORDBOARD_KAFKA__BOOTSTRAP_SERVERS": servers,
            "CORDBOARD_OPERATIONS__PORT": "0",
            "CORDBOARD_LOGGING__FORMAT": "json",
            **more,
        }
        self._pieces = {name: self._made(name) for name in names}

    async def __aenter__(self) -> Self:
        for piece in self:
            piece.start()
        try:
            await asyncio.gather(*(ready(piece) for piece in self))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for piece in self:
            piece.abandon()

    def __getitem__(self, name: str) -> Process:
        return self._pieces[name]

    def __iter__(self) -> Iterator[Process]:
        return iter(self._pieces.values())

    @property
    def target(self) -> str:
        """All gRPC doors, between which a client may choose."""
        return "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in self._doors.values())

    @property
    def webhook_url(self) -> str:
        """Where webhooks of calls that were not dialled go."""
        return webhook_url(self._ingress_port)

    def another(self, role: str) -> Process:
        """One more of a role, not started yet; it is ended with the others."""
        name = f"{role}-{len(self._pieces) + 1}"
        self._pieces[name] = piece = self._made(name)
        return piece

    async def metric(self, name: str, metric: str) -> float:
        """What a process says of itself at /metrics, without labels; -1 where it says nothing of it."""
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(f"{self[name].places['operations']}/metrics")).text
        return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(f"{metric} ")), -1.0)

    def _made(self, name: str) -> Process:
        own = {"CORDBOARD_GRPC__PORT": str(self._doors.get(name, 0))}
        return Process(self._folder / name, name, WORDS[name.partition("-")[0]], self._environment | own)


async def up(piece: Process) -> Process:
    """Return a piece when it serves; fails the test when it ends instead."""
    await until(lambda: piece.up, f"{piece.name} to be up")
    return piece


async def ready(piece: Process) -> Process:
    """Return a piece when it says that it is ready, too."""
    await up(piece)
    said = ""

    async def is_ready() -> bool:
        nonlocal said
        piece.check()
        answer = await http.get("/readyz")
        said = answer.text
        return answer.status_code == httpx.codes.OK

    async with httpx.AsyncClient(base_url=piece.places["operations"], trust_env=False, timeout=20) as http:
        try:
            await until(is_ready, f"{piece.name} to be ready")
        except TimeoutError:
            raise AssertionError(f"{piece.name} is not ready, and says {said}") from None
    return piece
