"""What the tests of the command line share: a running `cordboard dev`, and the command itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.processes import PATIENCE_SECONDS, Cordboard, Dev, a_dial, environment


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Dev]]:
    """Starts `cordboard dev`s, all in the test's folder."""
    started: list[Dev] = []

    def start_one(*options: str) -> Dev:
        started.append(Dev(tmp_path, *options))
        return started[-1]

    yield start_one
    for one in started:
        one.end()


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """One for all the tests of a file that leave it as it was."""
    one = Dev(tmp_path_factory.mktemp("dev"))
    yield one
    one.end()


@pytest.fixture
def cordboard(tmp_path: Path) -> Cordboard:
    """Runs the command line to its end, in a folder without settings."""

    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "cordboard", *words],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            env=environment(**variables),
            cwd=tmp_path,
            check=False,
        )

    return run


@pytest.fixture
def dialled(dev: Dev, cordboard: Cordboard) -> str:
    """A call that has been answered."""
    ended = cordboard("send", "dial", *a_dial(), "--wait=completion", f"--target={dev.target}")
    assert ended.returncode == 0, ended.stderr
    return str(json.loads(ended.stdout)["result"]["dialed"][0]["call_control_id"])
