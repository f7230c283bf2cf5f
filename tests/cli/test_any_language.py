"""The contract from outside Python: the README's grpcurl lines as a shell takes them; the Go example, built and run.

Where grpcurl or Go is not to be had these tests are skipped, and the run says so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.processes import Dev, block_of, environment

ROOT = Path(__file__).parents[2]
GRPCURL = shutil.which("grpcurl", path=f"{ROOT / 'build' / 'tools'}:{environment()['PATH']}")
BUILD_SECONDS = 240  # A first build brings its modules.

needs_grpcurl = pytest.mark.skipif(GRPCURL is None, reason="grpcurl is not here, and no Go to build it")
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="Go is not here")


def run(words: Sequence[str], folder: Path = ROOT) -> str:
    """Run to the end; what it wrote."""
    tools = f"{ROOT / 'build' / 'tools'}:{ROOT / '.venv' / 'bin'}:{environment()['PATH']}"
    ended = subprocess.run(
        words,
        cwd=folder,
        env=environment(PATH=tools),
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def contains(given: Any, expected: Any) -> bool:
    """Whether all that is expected is given, except what is different each time."""
    if isinstance(expected, dict):
        return all(name in given and contains(given[name], value) for name, value in expected.items())
    return bool(given == expected) or (isinstance(expected, str) and expected.startswith("v3:"))


@needs_grpcurl
def test_the_readmes_grpcurl_prints_what_it_says(dev: Dev) -> None:
    """
    The server tells grpcurl what it takes; the answer has all that the README shows. Said again, it is a replay.
    """
    readme = (ROOT / "README.md").read_text()
    section = readme[readme.index("### With grpcurl") :]
    line = block_of(section, "sh").replace("127.0.0.1:50051", dev.target)

    first, again = (json.loads(run(["sh", "-c", line])) for _ in range(2))

    assert contains(first, json.loads(block_of(section, "json"))), first
    assert again["result"]["replayed"] is True


@needs_go
@pytest.mark.timeout(BUILD_SECONDS + 60)
def test_the_go_example_leads_a_call(dev: Dev) -> None:
    """
    Generated from the contract by buf, built, run: it dials, speaks and hangs up.
    """
    run(["make", "example-go"])

    printed = run([str(ROOT / "build" / "go-example"), "-target", dev.target, "-to", "+12025559908"])

    assert printed.splitlines() == [
        "dial STATE_SUCCEEDED COMPLETION_STATE_COMPLETED call.answered",
        "speak STATE_SUCCEEDED COMPLETION_STATE_COMPLETED call.speak.ended",
        "hangup STATE_SUCCEEDED COMPLETION_STATE_COMPLETED call.hangup",
    ]
