"""Cordboard as a real process: `cordboard serve` on a directory and on ports that stay the same through its deaths."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ACCOUNT: Final = "main"
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")

_COMPLAINING: Final = ('"level":"error"', '"level":"critical"', "Traceback")


class Died(AssertionError):
    """The process ended, and nobody had killed it."""


class Cordboard:
    """One process at a time, started and killed as often as needed."""

    def __init__(self, directory: Path, telnyx_url: str, public_key: str) -> None:
        self._directory = directory
        self._log = directory / "cordboard.log"
        self.grpc_port, self.ingress_port, operations_port = free_ports(3)
        account = f"CORDBOARD_ACCOUNTS__{ACCOUNT.upper()}"
        self._environment = {
            **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            f"{account}__API_KEY": "key",
            f"{account}__BASE_URL": telnyx_url,
            f"{account}__WEBHOOK_PUBLIC_KEY": public_key,
            f"{account}__PUBLIC_URL": f"http://127.0.0.1:{self.ingress_port}",
            f"{account}__DIAL_URL_SECRET": "a-secret-of-this-test",
            "CORDBOARD_LOG__PATH": str(directory / "log.sqlite3"),
            "CORDBOARD_GRPC__PORT": str(self.grpc_port),
            "CORDBOARD_INGRESS__PORT": str(self.ingress_port),
            "CORDBOARD_OPERATIONS__PORT": str(operations_port),
            "CORDBOARD_LOGGING__FORMAT": "json",
            "CORDBOARD_LOGGING__LEVEL": "warning",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def target(self) -> str:
        """Where its gRPC door is."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def webhook_url(self) -> str:
        """Where its ingress takes webhooks of calls that were not dialled."""
        return f"http://127.0.0.1:{self.ingress_port}/webhooks/telnyx/{ACCOUNT}"

    def start(self) -> None:
        """Start it; whoever wants something of it finds out when it is up."""
        self.starts += 1
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cordboard", "serve"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """Let it die on the spot, whatever it is doing."""
        self.check()
        process = self._running()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self._process = None

    def stop(self) -> int:
        """Ask it to stop, as a supervisor would; its exit status."""
        process = self._running()
        process.terminate()
        return process.wait(timeout=60)

    def check(self) -> None:
        """Raise Died where it ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise Died(f"start {self.starts} ended with status {self._process.returncode}:\n{self.last_words()}")

    def abandon(self) -> None:
        """Leave nothing running, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def complaints(self) -> list[str]:
        """The lines by which it says that something happened which should never happen."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line[:2_000] for line in lines if any(sign in line for sign in _COMPLAINING)]

    def last_words(self) -> str:
        """The end of what it wrote."""
        return self._log.read_text(errors="replace")[-6_000:] if self._log.exists() else ""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("it has not been started")
        return self._process


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
