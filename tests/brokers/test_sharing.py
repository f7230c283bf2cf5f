"""One broker for many processes: the first starts it, the last ends it, whoever dies in between."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.brokers.test_cluster import gone, wait_until

# Says the broker's address once it has one, and holds on until its input ends.
USER = """
import pathlib, sys
from brokers.sharing import shared_broker
with shared_broker(pathlib.Path(sys.argv[1])) as servers:
    print(servers, flush=True)
    sys.stdin.read()
"""


class User:
    """A process that uses the shared broker."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )

    @property
    def servers(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def leave(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def users(own_brokers: None, tmp_path: Path) -> Iterator[list[User]]:
    """Three that come at the same moment."""
    started = [User(tmp_path) for _ in range(3)]
    yield started
    for user in started:
        user.end()


def brokers_in(folder: Path) -> list[int]:
    """The Java processes with data below a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"kafka.Kafka" in words and words[0].endswith(b"java") and os.fsencode(folder) in words[-2]:
                found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes where Linux shows them")
def test_one_for_all_and_it_ends_with_the_last(users: list[User], tmp_path: Path) -> None:
    """
    Three get the same address; it outlives the one that started it, and one that is killed, but not the last.
    """
    assert len({user.servers for user in users}) == 1
    [broker] = brokers_in(tmp_path)
    users[0].leave()
    users[1].process.kill()
    users[1].process.wait()
    late = User(tmp_path)
    try:
        assert late.servers != ""
        assert brokers_in(tmp_path) == [broker]
    finally:
        late.end()
    users[2].leave()

    wait_until(lambda: gone(broker), "the broker to end with its last user")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes where Linux shows them")
def test_another_is_started_where_the_last_one_is_dead(users: list[User], tmp_path: Path) -> None:
    """
    A broker that died under its users is not handed to those who come later.
    """
    [address] = {user.servers for user in users}
    [broker] = brokers_in(tmp_path)
    os.kill(broker, 9)
    wait_until(lambda: gone(broker), "the broker to be dead")
    late = User(tmp_path)
    try:
        assert late.servers not in ("", address)
    finally:
        late.end()
