"""Runs a command in its own place, as a process that ends with the one that started it, however that ends.

`python -S tied.py PARENT COMMAND...` asks the kernel to be killed with its parent (Linux has that, and it outlives the
exec), and becomes the command. What is frozen is killed, too. It imports nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1

if __name__ == "__main__":
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("whoever started this has ended already")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - no shell is wanted.
