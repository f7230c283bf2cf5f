"""One broker for several processes that come and go: the first starts it, and it ends when the last has let go.

For test runs that are spread over worker processes. Nothing is counted: each user holds a shared lock on a file, which
the system takes back when a process dies, and the leash of the broker waits for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brokers.cluster import Cluster


@contextmanager
def shared_broker(folder: Path) -> Iterator[str]:
    """The bootstrap address of the one broker of this folder. Raises Missing, BrokerFailed."""
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder):
        joined = _join(folder) or _begin(folder)
    address, held = joined
    try:
        yield address
    finally:
        held.close()


def _join(folder: Path) -> tuple[str, contextlib.ExitStack] | None:
    """A place beside those who use what is running; None where nothing is, or where it is about to end."""
    with contextlib.ExitStack() as held:
        try:
            address, users = (folder / "running").read_text().splitlines()
            lock = os.open(users, os.O_RDWR | os.O_CLOEXEC)
            held.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            host, port = address.split(":")
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError:
            return None
        return address, held.pop_all()


def _begin(folder: Path) -> tuple[str, contextlib.ExitStack]:
    cluster = Cluster(folder / uuid.uuid4().hex[:8], forget=True)
    cluster.start()
    draft = folder / "running.new"
    draft.write_text(f"{cluster.bootstrap_servers}\n{cluster.lock_file}\n")
    draft.replace(folder / "running")
    held = contextlib.ExitStack()
    held.callback(cluster.leave)
    return cluster.bootstrap_servers, held


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    with (folder / "starting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
