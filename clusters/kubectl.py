"""kubectl on one cluster: what it is told, what it answers, and waiting until something is so."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

_POLL_SECONDS: Final = 0.3


class KubectlFailed(Exception):
    """It ended with an error; what it said."""


class Kubectl:
    """Speaks to the cluster of one kubeconfig."""

    def __init__(self, program: str, config: Path) -> None:
        self.config = config
        self._command = (program, "--kubeconfig", str(config))

    def __call__(self, *words: str, given: str | None = None) -> str:
        """Run it to its end, with `given` as its input. Raises KubectlFailed."""
        command = [*self._command, *words]
        ended = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise KubectlFailed(ended.stderr.strip())
        return ended.stdout + ended.stderr  # Warnings are said there.

    def get(self, *words: str) -> list[dict[str, Any]]:
        """The objects that it gets, as they are. Raises KubectlFailed."""
        ended = subprocess.run(
            [*self._command, "get", "-o", "json", *words], capture_output=True, text=True, check=False
        )
        if ended.returncode != 0:
            raise KubectlFailed(ended.stderr.strip())
        told = json.loads(ended.stdout)
        found: list[dict[str, Any]] = told["items"] if told["kind"] == "List" else [told]
        return found

    def until(self, holds: Callable[[], Any], what: str, seconds: float) -> float:
        """Ask until it holds; how many seconds that took. Raises TimeoutError that says what did not come."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds:
                raise TimeoutError(f"{what}: not within {seconds:g} s")
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - began
