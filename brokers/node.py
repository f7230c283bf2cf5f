"""One broker as a process: started, killed, frozen, thawed, started again on its data and ports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from brokers import leash

# The broker says so once it is a member of the cluster that serves; its words are those of the pinned version.
_UP: Final = "Kafka Server started"
_KILL_SECONDS: Final = 30
_LOG_LINES_SHOWN: Final = 40
_LOOK_SECONDS: Final = 0.02
_LOGGING: Final = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
    "-Dorg.slf4j.simpleLogger.showThreadName=false",
)


class BrokerFailed(Exception):
    """A broker that did not come up, or did not go; the message ends with the last lines of its log."""


class Node:
    """A broker process. Signals go to nothing but the process that it started itself, while that lives."""

    def __init__(self, number: int, address: str, java: list[str], properties: Path, lock: Path) -> None:
        self.number = number
        self.address = address
        self.log_file = properties.with_name("log.txt")
        self._command = [*java, *_LOGGING, "kafka.Kafka", str(properties)]
        self._lock = lock
        self._leash: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._began_at = 0

    @property
    def alive(self) -> bool:
        """Whether its process is there, frozen or not."""
        return self._leash is not None and self._leash.poll() is None

    @property
    def pid(self) -> int:
        """The Java process, for whoever measures it. Raises BrokerFailed when there is none."""
        if not self.alive:
            raise BrokerFailed(f"broker {self.number} is not running")
        return self._pid

    def start(self, forget: Path | None = None) -> None:
        """Begin to start; `wait_until_up` waits for the rest. `forget` is removed once nobody holds the lock."""
        if self.alive:
            raise BrokerFailed(f"broker {self.number} is running already")
        self._began_at = self.log_file.stat().st_size if self.log_file.exists() else 0
        command = [sys.executable, "-S", leash.__file__, str(self._lock), str(forget or ""), *self._command]
        with self.log_file.open("ab") as log:
            # In a session of its own: a Ctrl-C is for us, and we end it in order.
            self._leash = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self._leash.stdout is not None  # noqa: S101 - asked for above
        with self._leash.stdout as told:
            self._pid = int(told.readline() or 0)
        if not self._pid:
            raise BrokerFailed(self._with_log("could not be started"))

    def wait_until_up(self, patience_seconds: float = 60) -> None:
        """Return when it serves. Raises BrokerFailed when it ends instead, or takes longer than the patience."""
        deadline = time.monotonic() + patience_seconds
        while _UP not in self._said():
            if not self.alive:
                raise BrokerFailed(self._with_log("ended while starting"))
            if time.monotonic() > deadline:
                raise BrokerFailed(self._with_log(f"was not up after {patience_seconds:g} s"))
            time.sleep(_LOOK_SECONDS)

    def kill(self) -> None:
        """kill -9: it ends without a word, and this returns when it has."""
        self._signal(signal.SIGKILL)
        self._wait_for_the_end(_KILL_SECONDS)

    def ask_to_stop(self) -> None:
        """Ask it to hand over its partitions and end, and return at once."""
        self.thaw()
        self._signal(signal.SIGTERM)

    def stop(self, patience_seconds: float = 60) -> None:
        """Ask it to stop and wait; kill it where it takes longer than the patience."""
        self.ask_to_stop()
        self._wait_for_the_end(patience_seconds)

    def freeze(self) -> None:
        """SIGSTOP: it stands still, its connections open. Returns when it does."""
        self._signal(signal.SIGSTOP)
        while self.alive and not self._stands_still():
            time.sleep(_LOOK_SECONDS)

    def thaw(self) -> None:
        """SIGCONT: it goes on where it stood."""
        self._signal(signal.SIGCONT)

    def restart(self, patience_seconds: float = 60) -> None:
        """Start it again after `kill` or `stop`, on its data and ports, and return when it serves."""
        self.start()
        self.wait_until_up(patience_seconds)

    def log(self, lines: int = _LOG_LINES_SHOWN) -> str:
        """The last lines it logged."""
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    def _wait_for_the_end(self, patience_seconds: float) -> None:
        if self._leash is None:
            return
        try:
            self._leash.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._leash.wait()

    def _signal(self, number: signal.Signals) -> None:
        # The leash is the process's parent and ends with it: while it is there, the id is nobody else's.
        if self.alive:
            os.kill(self._pid, number)

    def _stands_still(self) -> bool:
        """Whether every thread has stopped; where the system does not show them (not Linux), they are taken to have."""
        threads = Path(f"/proc/{self._pid}/task").glob("*/stat")
        try:
            return all(thread.read_text().rpartition(")")[2].split()[0] == "T" for thread in threads)
        except OSError:  # One ended between its name and its state: the others are still on their way, too.
            return False

    def _said(self) -> str:
        with self.log_file.open("rb") as log:
            log.seek(self._began_at)
            return log.read().decode(errors="replace")

    def _with_log(self, what: str) -> str:
        return f"broker {self.number} ({self.address}) {what}; the end of {self.log_file}:\n{self.log()}"

    def __repr__(self) -> str:
        return f"<Node {self.number} at {self.address}, {'alive' if self.alive else 'not running'}>"
