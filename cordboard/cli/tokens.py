"""Tokens on the command line: made, and shown to the dispatcher that a command asks."""

from __future__ import annotations

import base64
import os
from contextvars import ContextVar
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from cordboard.cli.exits import Failure, Status

if TYPE_CHECKING:
    from cordboard.cli.screen import Screen

VARIABLE: Final = "CORDBOARD_TOKEN"
HINT: Final = f"  Set {VARIABLE} or CORDBOARD_TOKEN_FILE, or give --token-file before the command."
_BYTES: Final = 32
_PREFIX: Final = "cordboard_"  # So that people, and scanners of repositories, know one when they see it.
_given: Final[ContextVar[tuple[Path | None, bool]]] = ContextVar("before the command", default=(None, False))


def give(file: Path | None, *, in_clear: bool) -> None:
    """Keep what was said before the command."""
    _given.set((file, in_clear))


def shown() -> dict[str, Any]:
    """What a client is to show, as it takes it. Raises Failure for a file that cannot be read."""
    file, in_clear = _given.get()
    if file is None:
        return {"token": os.environ.get(VARIABLE) or None, "token_in_clear": in_clear}
    try:
        file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds no text"
        raise Failure(f"--token-file {file} cannot be read: {why}", Status.USAGE) from None
    return {"token_file": file, "token_in_clear": in_clear}


def make_token(rng: Random, screen: Screen) -> None:
    """Show a new token, and that by which settings know it."""
    from cordboard.access import hash_of  # noqa: PLC0415 - it brings the settings along, and these the contract

    token = _PREFIX + base64.urlsafe_b64encode(rng.randbytes(_BYTES)).decode().rstrip("=")
    digest = hash_of(token).hex()
    if screen.json:
        screen.record({"token": token, "token_sha256": digest})
        return
    screen.line(("token", 14, "dim"), (token, 0, "bold"))
    screen.line(("token_sha256", 14, "dim"), (digest, 0, ""))
    screen.show("The token is shown this once; the settings of the dispatchers hold its hash.")
