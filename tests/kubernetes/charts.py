"""Helm on the chart: rendering with values, installing, upgrading; and what it says where it refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from clusters.tools import program
from deploy.generate.rendering import CHART, NAMESPACE, RELEASE, SHAPES

Values = Mapping[str, Any]


class Refused(Exception):
    """Helm did not do it; what it said."""


class Chart:
    """The chart, on the cluster of a kubeconfig or on none."""

    def __init__(self, config: Path | None = None) -> None:
        self._command: Final = [program("helm"), *([] if config is None else ["--kubeconfig", str(config)])]

    def template(self, shape: str, values: Values | None = None) -> str:
        """What it renders to; with no shape, from the chart's own values. Raises Refused."""
        return self._run("template", RELEASE, str(CHART), values=values or {}, shape=shape)

    def upgrade(self, shape: str, values: Values | None = None, seconds: int = 300) -> None:
        """Install or upgrade, and wait until all is ready. Raises Refused."""
        waiting = ["--install", "--wait", f"--timeout={seconds}s"]
        self._run("upgrade", RELEASE, str(CHART), *waiting, values=values or {}, shape=shape)

    def uninstall(self) -> None:
        """Take the release away. Raises Refused."""
        self._run("uninstall", RELEASE, "--wait", values=None, shape=None)

    def _run(self, *words: str, values: Values | None, shape: str | None) -> str:
        command = [*self._command, *words, "--namespace", NAMESPACE]
        if shape:
            command += ["--values", str(SHAPES / f"{shape}.yaml")]
        if values is not None:
            command += ["--values", "-"]
        given = json.dumps(values)
        ended = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise Refused(ended.stderr.strip())
        return ended.stdout
