"""The command line as real processes: started, killed, frozen, asked to stop; and all of Cordboard as one of them."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tests.e2e import tied

ROOT: Final = Path(__file__).parents[2]
ACCOUNT: Final = "main"
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_STOP_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.05

_COMPLAINING: Final = ('"level":"error"', '"level":"critical"', "Traceback")
# A broker that is away is no news of ours: aiokafka says so at every try, and goes on. When it is not waited for any
# longer, it leaves behind tasks of its own that fail. And uvloop complains of TLS to one that was killed.
_OF_OTHERS: Final = (
    '"logger":"aiokafka',
    "coro=<GroupCoordinator._do_commit_offsets()",
    '"event":"Fatal error on SSL protocol',
)


class Died(AssertionError):
    """The process ended, and nobody had killed it."""


class Process:
    """One process at a time of one command, in a folder of its own. It never outlives us."""

    def __init__(self, folder: Path, name: str, words: Sequence[str], environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.starts = 0
        self._folder = folder
        self._log = folder / "output.txt"
        self._ready = folder / "ready.json"
        self._words = tuple(words)
        self._environment = {one: os.environ[one] for one in _PASSED_ON if one in os.environ} | dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._frozen = False

    def runs(self, tree: Path | None) -> None:
        """From the next start on it is the program in that folder; None: the one that is installed here."""
        self._environment.pop("PYTHONPATH", None)
        if tree is not None:
            self._environment["PYTHONPATH"] = str(tree)

    def start(self) -> None:
        """Start it; whoever wants something of it finds out when it is up."""
        self.starts += 1
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "cordboard", *self._words, f"--ready-file={self._ready}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-S", tied.__file__, str(os.getpid()), *command],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def up(self) -> bool:
        """Whether it says that it serves. Raises Died where it ended instead."""
        self.check()
        return self._ready.exists()

    @property
    def ended(self) -> bool:
        """Whether there is no process, or one that has ended."""
        return self._process is None or self._process.poll() is not None

    @property
    def places(self) -> dict[str, str]:
        """Where it is, by what it serves there; once it is up."""
        told: dict[str, str] = json.loads(self._ready.read_bytes())
        return told

    @property
    def pid(self) -> int:
        """The process, for whoever measures it."""
        return self._running().pid

    def kill(self) -> None:
        """Let it die on the spot, whatever it is doing."""
        self.check()
        process = self._running()
        process.kill()
        process.wait()
        self._process = None
        self._frozen = False

    def freeze(self) -> None:
        """SIGSTOP: it stands still, its connections open."""
        self.check()
        self._running().send_signal(signal.SIGSTOP)
        self._frozen = True

    def thaw(self) -> None:
        """SIGCONT: it goes on where it stood."""
        self._running().send_signal(signal.SIGCONT)
        self._frozen = False

    @property
    def frozen(self) -> bool:
        """Whether it stands still."""
        return self._frozen

    async def stop(self) -> int:
        """Ask it to stop, as a supervisor would; its exit status. Raises TimeoutError."""
        process = self._running()
        process.terminate()
        async with asyncio.timeout(_STOP_SECONDS):
            while process.poll() is None:  # noqa: ASYNC110 - the system tells nobody else of it.
                await asyncio.sleep(_LOOK_SECONDS)
        self._process = None
        return process.returncode

    def check(self) -> None:
        """Raise Died where it ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            status = self._process.returncode
            raise Died(f"{self.name}, start {self.starts}, ended with status {status}:\n{self.last_words()}")

    def abandon(self) -> None:
        """Leave nothing running, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def complaints(self, excused: Sequence[str] = ()) -> list[str]:
        """The lines by which it says that something happened which should never happen, but for those excused."""
        passed = (*_OF_OTHERS, *excused)
        ours = (line for line in self.output.splitlines() if not any(sign in line for sign in passed))
        return [line[:2_000] for line in ours if any(sign in line for sign in _COMPLAINING)]

    def last_words(self) -> str:
        """The end of what it wrote."""
        return self.output[-6_000:]

    @property
    def output(self) -> str:
        """All that it has said so far, through all its lives."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def said(self, event: str) -> dict[str, Any]:
        """The last line about that; fails the test where there is none."""
        lines = [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]
        found = [line for line in lines if line.get("event") == event]
        assert found, f"{self.name} never said {event}:\n{self.output}"
        return found[-1]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} has not been started")
        return self._process


class Cordboard(Process):
    """All roles as one process: `cordboard serve` on a directory and on ports that stay the same through its deaths."""

    def __init__(self, directory: Path, telnyx_url: str, public_key: str, more: Mapping[str, str] = NOTHING) -> None:
        self.grpc_port, self.ingress_port, self.rest_port, operations_port = free_ports(4)
        environment = account_settings(telnyx_url, public_key, self.ingress_port) | {
            "CORDBOARD_LOG__PATH": str(directory / "log.sqlite3"),
            "CORDBOARD_GRPC__PORT": str(self.grpc_port),
            "CORDBOARD_REST__PORT": str(self.rest_port),
            "CORDBOARD_OPERATIONS__PORT": str(operations_port),
            "CORDBOARD_LOGGING__FORMAT": "json",
            "CORDBOARD_LOGGING__LEVEL": "warning",
            **more,
        }
        super().__init__(directory, "cordboard", ("serve",), environment)

    @property
    def target(self) -> str:
        """Where its gRPC door is."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def webhook_url(self) -> str:
        """Where its ingress takes webhooks of calls that were not dialled."""
        return webhook_url(self.ingress_port)


def webhook_url(ingress_port: int) -> str:
    """Where an ingress takes webhooks of calls that were not dialled."""
    return f"http://127.0.0.1:{ingress_port}/webhooks/telnyx/{ACCOUNT}"


def account_settings(telnyx_url: str, public_key: str, ingress_port: int) -> dict[str, str]:
    """The one account, as all processes are told of it."""
    account = f"CORDBOARD_ACCOUNTS__{ACCOUNT.upper()}"
    return {
        f"{account}__API_KEY": "key",
        f"{account}__BASE_URL": telnyx_url,
        f"{account}__WEBHOOK_PUBLIC_KEY": public_key,
        f"{account}__PUBLIC_URL": f"http://127.0.0.1:{ingress_port}",
        f"{account}__DIAL_URL_SECRET": "a-secret-of-this-test",
        "CORDBOARD_INGRESS__PORT": str(ingress_port),
    }


def free_ports(count: int) -> list[int]:
    """Ports that nobody has, and that nobody is given while our process is dead: below those for outgoing connections.

    While nothing listens on a port from that range, any client on this machine may be given it, even for a connection
    to that very port.
    """
    found: list[int] = []
    choose = random.SystemRandom()
    while len(found) < count:
        port = choose.randrange(20_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found
