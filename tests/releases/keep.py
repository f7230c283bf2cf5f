"""Keeps what a version wrote, for later ones to be held to: a history on real processes, broken off in the middle.

    python -m tests.releases.keep NAME [COMMIT]

It runs `cordboard serve` of that commit (HEAD unless named; its files, with what is installed here) on the sandbox,
leads calls into every state that a page knows, kills it, and writes into tests/releases/NAME: the log's file, what that
version itself says is in it (tell.py), and a ledger's entries and a spool as it writes them (samples.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from cordboard.client import Client, CommandRefused
from cordboard.v1 import PLACEMENT_NEXT, START_AFTER_PREVIOUS_COMPLETED, Command
from sandbox.server import Server
from sandbox.settings import Settings
from tests.e2e.process import ROOT, Process, account_settings, free_ports
from tests.promises.stage import ANSWERS_AT_ONCE, RINGS_ON, command, dial

HERE: Final = Path(__file__).parent
_PATIENCE_SECONDS: Final = 60.0
_RECORDING: Final = {"format": "mp3", "channels": "single"}
_PLAYING: Final = {"audio_url": "https://example.test/tone-60s.wav"}
_PEOPLE: Final = {"from_": "+15550100001", "to": "+15550100000", "connection_id": "c"}


def tree_of(commit: str, folder: Path) -> Path:
    """The files of a commit."""
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def named(commit: str) -> str:
    """The whole name of a commit."""
    found = subprocess.run(["git", "rev-parse", commit], cwd=ROOT, capture_output=True, check=True, text=True)
    return found.stdout.strip()


def told_by(tree: Path, script: str, *words: str) -> bytes:
    """What a script of ours says when that version runs it."""
    command = [sys.executable, str(HERE / script), *words]
    return subprocess.run(
        command, env={"PYTHONPATH": str(tree), "PATH": ""}, cwd=tree, capture_output=True, check=True
    ).stdout


def process_of(tree: Path, folder: Path, sandbox: Server) -> tuple[Process, str, str]:
    """All roles of that version in one process; its gRPC door and its ingress."""
    grpc_port, ingress_port, operations_port = free_ports(3)
    environment = account_settings(sandbox.base_url, sandbox.public_key, ingress_port) | {
        "PYTHONPATH": str(tree),
        "CORDBOARD_LOG__PATH": str(folder / "log.sqlite3"),
        "CORDBOARD_LOG__PARTITIONS": "2",
        "CORDBOARD_GRPC__PORT": str(grpc_port),
        "CORDBOARD_OPERATIONS__PORT": str(operations_port),
    }
    if (tree / "dispatcher" / "rest").exists():  # Those before have no such setting.
        environment["CORDBOARD_REST__PORT"] = "0"
    ingress = f"http://127.0.0.1:{ingress_port}/webhooks/telnyx/main"
    return Process(folder, "cordboard", ("serve",), environment), f"127.0.0.1:{grpc_port}", ingress


async def until(holds: Callable[[], Any]) -> None:
    """Wait for a condition. Raises TimeoutError."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - another process has to do it.
            await asyncio.sleep(0.02)


class History:
    """Calls in every state."""

    def __init__(self, sandbox: Server, client: Client) -> None:
        self._sandbox = sandbox
        self._client = client
        self.sent: list[str] = []

    async def send(self, *commands: Command) -> None:
        """Have these accepted."""
        for one in commands:
            await self._client.submit(one, timeout=_PATIENCE_SECONDS)
            self.sent.append(one.command_id)

    async def results(self, *commands: Command) -> None:
        """Have these come to a result."""
        for one in commands:
            self.sent.append(one.command_id)
            await self._client.execute(one, timeout=_PATIENCE_SECONDS)

    async def call(self) -> str:
        """Somebody calls, and is answered by a command."""
        call = str(self._sandbox.station.tell(lambda exchange: exchange.incoming(**_PEOPLE)).id)
        await self.known(call)
        await self.results(command(f"answer-{call[-6:]}", call, "answer"))
        return call

    async def known(self, call: str) -> None:
        """Until its webhook was read."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                with contextlib.suppress(CommandRefused):
                    await self._client.get_call(call)
                    return
                await asyncio.sleep(0.02)

    async def happen(self) -> None:
        """All of it."""
        faults = self._sandbox.station.faults
        quiet, busy, ended = await self.call(), await self.call(), await self.call()
        recording = Command(command_id="recording", call_control_id=quiet, record_start=_RECORDING)
        playing = Command(command_id="playing", call_control_id=quiet, playback_start=_PLAYING)
        await self.results(command("spoken", quiet), recording, playing, command("over", ended, "hangup"))
        await self.send(command("too-late", ended), command("early", quiet, sequence=7))
        await self.results(dial("answered", to=ANSWERS_AT_ONCE), dial("ringing", to=RINGS_ON))
        faults.set([{"match": {"action": "dial"}, "cut": "after"}, {"match": {"action": "send_dtmf"}, "status": 422}])
        digits = Command(command_id="refused", call_control_id=quiet, send_dtmf={"digits": "1"})
        await self.results(dial("unanswered", to=RINGS_ON), digits)
        faults.set([{"match": {"action": "speak"}, "latency_ms": 60_000}])
        await self.send(
            command("in-flight", busy),
            command("waiting", busy, group="campaign"),
            command("gated", busy, start_after=START_AFTER_PREVIOUS_COMPLETED),
            command("next", busy, placement=PLACEMENT_NEXT, requires_command_id="in-flight"),
        )
        await self._client.get_command("next", busy)  # It is answered when all before it is decided.


async def keep(name: str, commit: str, tree: Path, folder: Path) -> None:
    """Run the history, kill the process, and write down what it left."""
    async with Server(Settings(port=0, speed=1.0)) as sandbox:
        process, target, ingress = process_of(tree, folder, sandbox)
        sandbox.settings.webhook_url = ingress
        process.start()
        try:
            await until(lambda: process.up)
            async with Client(target) as client:
                history = History(sandbox, client)
                await history.happen()
            process.kill()
        finally:
            process.abandon()
    written = HERE / name
    written.mkdir(exist_ok=True)
    with contextlib.closing(sqlite3.connect(folder / "log.sqlite3")) as log:
        log.execute("VACUUM INTO ?", (str(folder / "one.sqlite3"),))
    (written / "log.sqlite3.gz").write_bytes(gzip.compress((folder / "one.sqlite3").read_bytes(), mtime=0))
    (written / "told.jsonl").write_bytes(told_by(tree, "tell.py", str(folder / "one.sqlite3")))
    (written / "commit.txt").write_text(commit + "\n")
    (written / "commands.txt").write_text("\n".join(history.sent) + "\n")
    (written / "samples.jsonl").write_bytes(told_by(tree, "samples.py", str(folder / "spool")))


def main() -> None:
    """Keep one version."""
    name, *rest = sys.argv[1:]
    commit = rest[0] if rest else "HEAD"
    with tempfile.TemporaryDirectory() as temporary:
        tree, folder = Path(temporary) / "tree", Path(temporary) / "run"
        tree_of(commit, tree)
        asyncio.run(keep(name, named(commit), tree, folder))


if __name__ == "__main__":
    main()
