"""The README, done by its text."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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

    def test_its_curl_dials(self, dev: Dev) -> None:
        """
        Telnyx's own API, as it is known to who has used it.
        """
        if shutil.which("curl") is None:
            pytest.skip("curl is not on this machine")
        blocks = re.findall(r"```sh\n(curl .*?)```", README.read_text(), re.DOTALL)
        (command,) = (one.replace("\\\n", "").replace("http://127.0.0.1:8081/v2", dev.places["rest"]) for one in blocks)
        ended = subprocess.run(shlex.split(command), capture_output=True, text=True, check=False)

        assert json.loads(ended.stdout)["data"]["record_type"] == "call", ended.stderr
