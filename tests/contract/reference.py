"""The reference that the contract is held against, where it lies beside the repository."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

REFERENCE_FILE = Path(__file__).parents[3] / "shared" / "telnyx" / "commands.json"


def reference() -> dict[str, dict[str, Any]]:
    """The 28 operations by action name; none where the reference is not there."""
    if not REFERENCE_FILE.exists():
        return {}
    operations = json.loads(REFERENCE_FILE.read_text())["commands"]
    return {_name(operation): operation for operation in operations}


def _name(operation: dict[str, Any]) -> str:
    last = operation["http"]["path"].rsplit("/", 1)[-1]
    return "dial" if last == "calls" else str(last)
