"""docs/limits-of-ports.md names every limit by its setting, and its default as it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from cordboard.http_connection import Bounds
from cordboard.settings import Settings

PAGE: Final = (Path(__file__).parents[2] / "docs/limits-of-ports.md").read_text()
NAMED: Final = {name: float(value) for name, value in re.findall(r"`([a-z]+\.[a-z_]+)` = ([\d.]+)", PAGE)}
# What of the ports' settings is no limit to who is on the other side.
OTHERS: Final = {"host", "port", "advertise", "reflection", "drain_seconds", "stop_seconds"}
OWN: Final = {"spool", "spool_bytes_max", "spool_after_seconds", "remembered_ids_max"}


def test_every_limit_is_named_with_its_default():
    """
    Those of the settings of the four ports; none that is not there any more.
    """
    settings = Settings()
    declared = {
        f"{section}.{name}": float(getattr(getattr(settings, section), name))
        for section in ("grpc", "rest", "ingress", "operations")
        for name in type(getattr(settings, section)).model_fields
        if name not in OTHERS | OWN
    }

    assert declared == NAMED


def test_fixed_limits_are_as_they_are_said():
    """
    Of a head, of what is left of a body, of an answer that is not taken.
    """
    bounds = Bounds()

    assert "32 KiB, 100 headers" in PAGE
    assert (bounds.head_bytes_max, bounds.headers_max) == (32 * 1024, 100)
    assert (bounds.head_seconds_max, bounds.rest_seconds_max, bounds.write_seconds_max) == (10, 2, 30)
