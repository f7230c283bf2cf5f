"""A program that is a part of a cluster: started with its output in a file, ended by its id, gone when we are."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_STOP_SECONDS: Final = 15


class Program:
    """One process. Its name is that of its output."""

    def __init__(self, name: str, command: Sequence[str], folder: Path) -> None:
        """Start it; what it says goes to NAME.log in the folder."""
        self.name = name
        self._output = folder / f"{name}.log"
        with self._output.open("wb") as file:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                preexec_fn=_die_with_us,  # noqa: PLW1509 - no thread runs yet
            )

    @property
    def pid(self) -> int:
        """The id by which it is ended, and no other."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The end of what it said."""
        return self._output.read_text(errors="replace")[-2000:]

    def stop(self) -> None:
        """Ask it to end, and end it where it does not."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _die_with_us() -> None:
    if sys.platform == "linux":  # Elsewhere one that is killed leaves its cluster behind.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
