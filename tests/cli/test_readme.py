"""The README, done by its text."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.processes import PATIENCE_SECONDS, Dev, block_of, environment

README = Path(__file__).parents[2] / "README.md"


class TestReadme:
    def test_its_python_prints_what_it_says(self, dev: Dev) -> None:
        """
        The first program that a newcomer copies runs as it stands, but for the port.
        """
        program = block_of(README.read_text(), "python").replace("127.0.0.1:50051", dev.target)
        ended = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            env=environment(),
            check=False,
        )

        assert (ended.returncode, ended.stdout) == (0, "call.speak.ended\n"), ended.stderr
