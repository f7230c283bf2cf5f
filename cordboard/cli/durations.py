"""Times as people type them: 500ms, 30s, 2m, 1h."""

from __future__ import annotations

import re
from typing import Final

from cordboard.cli.exits import Failure, Status

_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_MAX_MS: Final = 10 * 366 * 86_400_000
_UNIT_MS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def milliseconds(text: str, option: str) -> int:
    """A duration in milliseconds. Raises Failure, naming the option."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise Failure(f"{option} must be a duration such as 500ms, 30s, 2m or 1h, but is {text!r}", Status.USAGE)
    wanted = float(found[1]) * _UNIT_MS[found[2]]
    if wanted > _MAX_MS:
        raise Failure(f"{option} must be at most {_MAX_MS // _UNIT_MS['h']}h, but is {text!r:.40}", Status.USAGE)
    return round(wanted)
