"""Runs a command for as long as anybody holds a shared lock on a file; a process that dies lets go of its locks.

`python leash.py LOCK FORGET COMMAND...` writes the command's process id to standard output, the command's output to
standard error, and ends with its status. When the last holder has gone the command is killed, and the folder FORGET is
removed (empty: nothing is). The leash keeps the file locked meanwhile, so that nobody can join what is about to end.

It imports nothing but the standard library, because one stands beside every broker.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main(lock: Path, forget: Path | None, command: list[str]) -> int:
    """Run it to its end, or to that of all who need it."""
    # The thread that starts the child must outlive it: what the kernel watches is the thread.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=_die_with_the_leash)  # noqa: PLW1509 - no thread runs yet
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.close()
    unwanted = threading.Event()

    def hold() -> None:
        held = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(held, fcntl.LOCK_EX)
        unwanted.set()
        child.kill()

    threading.Thread(target=hold, daemon=True).start()
    status = child.wait()
    if unwanted.is_set() and forget is not None:
        shutil.rmtree(forget, ignore_errors=True)
    return status


def _die_with_the_leash() -> None:
    if sys.platform == "linux":  # Elsewhere only a leash that is itself killed leaves its child behind.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None, sys.argv[3:]))
