"""Real processes: a `cordboard dev` with ports of its own, and the command line run to its end."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0  # For what must happen; nothing is concluded from how soon it does.
_ANY_PORTS = [f"--port-{name}=0" for name in ("grpc", "ingress", "rest", "operations", "sandbox")]

# The command line, and what became of it.
Cordboard = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**more: str) -> dict[str, str]:
    """Ours, without settings of whoever runs the tests."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("CORDBOARD_", "TELNYX_"))}
    return {**mine, "PYTHONUNBUFFERED": "1", **more}


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Return when it holds; fail the test when it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def own_port() -> int:
    """A free port that stays free between a stop and a start: the system gives those above 32767 to anybody."""
    for port in random.SystemRandom().sample(range(20_000, 30_000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


class Dev:
    """A `cordboard dev` of its own: a real process with real ports."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.data = folder / "data"
        self.ready_file = folder / "ready.json"
        self._output = (folder / "output.txt").open("w+")
        command = [sys.executable, "-m", "cordboard", "dev", *_ANY_PORTS, "--speed=10", f"--data={self.data}"]
        self.process = subprocess.Popen(
            [*command, f"--ready-file={self.ready_file}", *options],
            stdout=self._output,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
        wait_until(lambda: self.ready_file.exists() or self.process.poll() is not None, "the ready file")
        assert self.process.poll() is None, self.output
        self.places: dict[str, Any] = json.loads(self.ready_file.read_bytes())

    @property
    def target(self) -> str:
        return str(self.places["grpc"])

    @property
    def sandbox(self) -> str:
        return str(self.places["sandbox"])

    @property
    def output(self) -> str:
        """What it has said so far."""
        return Path(self._output.name).read_text()

    def stop(self) -> int:
        """Ask it to stop, and give its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def end(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._output.close()


def a_dial() -> tuple[str, ...]:
    """The fields of a dial that is answered at once."""
    return "--to", "+12025559908", "--from", "+12025550199", "--connection-id", "test"


def block_of(text: str, language: str, number: int = 0) -> str:
    """The first block of a language in a page of Markdown, or a later one."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[number]
