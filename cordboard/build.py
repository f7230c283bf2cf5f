"""Which program this is: its version, for people, metrics and whoever runs several of them side by side."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Info


def _installed() -> str:
    try:
        return version("cordboard")
    except PackageNotFoundError:  # It runs from a folder that nobody has installed.
        return "unknown"


VERSION: Final = _installed()


class BuildMetrics:
    """Shows the version as a metric that is always 1."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        build = Info(
            "cordboard_build", "Always 1; `version` is Cordboard's, `python` what it runs on.", registry=registry
        )
        build.info({"version": VERSION, "python": platform.python_version()})
