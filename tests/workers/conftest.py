"""What the workers' tests share: a work to vary, a clock to set, and a raw server that misbehaves on request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from cordboard.work import Lane, Repeat, Work
from tests.workers.world import CLOCK, World

MakeWork = Callable[..., Work]


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def now_ms(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def make_work(clock: SetClock) -> MakeWork:
    standard = Work(
        key="v3:call",
        command_id="c1",
        attempt=1,
        account="main",
        action="speak",
        lane=Lane.ACTION,
        repeat=Repeat.WINDOW,
        method="POST",
        path="/calls/v3:call/actions/speak",
        body=b'{"payload":"hello","voice":"female","command_id":"c1"}',
        released_ms=clock.ms,
        not_after_ms=clock.ms + 50_000,
        expire_ms=clock.ms + 30_000,
    )

    def make(**changes: object) -> Work:
        return msgspec.structs.replace(standard, **changes)

    return make


@pytest.fixture
def dial(make_work: MakeWork) -> Work:
    return make_work(key="dial:main/d1", action="dial", lane=Lane.DIAL, repeat=Repeat.UNSENT, path="/calls")


@dataclass
class RawServer:
    """Answers each request with the next thing it was told: bytes, then perhaps the connection's end; or nothing."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    _script: list[tuple[bytes | None, bool]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2"

    def then(self, *answers: bytes, hang_up: bool = False) -> None:
        """Answer the coming requests so."""
        self._script += [(answer, hang_up) for answer in answers]

    def then_nothing(self) -> None:
        """Take the next request and say nothing."""
        self._script.append((None, False))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line[15:] for line in head.lower().splitlines() if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        self.requests.append(head + body)
        answer, hang_up = self._script.pop(0)
        if answer is None:
            await reader.read()  # Until the other side goes.
            return False
        writer.write(answer)
        await writer.drain()
        return not hang_up


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    raw = RawServer()
    listening = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.port = listening.sockets[0].getsockname()[1]
    yield raw
    listening.close()


@pytest.fixture
def answer() -> Iterator[Callable[..., bytes]]:
    def build(status: int = 200, body: bytes = b'{"data":{"result":"ok"}}', *headers: str) -> bytes:
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    return build


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path / "log.db")
    await world.open()
    yield world
    await world.close()


@pytest.fixture
def work(make_work: MakeWork) -> MakeWork:
    """Work that was released just now."""

    def make(command_id: str, **changes: object) -> Work:
        now_ms = CLOCK.now_ms()
        times = {"released_ms": now_ms, "not_after_ms": now_ms + 50_000, "expire_ms": now_ms + 30_000}
        return make_work(**{"command_id": command_id, **times, **changes})

    return make
