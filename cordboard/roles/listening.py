"""Opening ports, with a word about which one it was that could not be had."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager


class CannotListen(Exception):
    """A port cannot be had; the sentence names its setting."""


@contextmanager
def naming(setting: str, host: str, port: int) -> Iterator[None]:
    """Raise CannotListen for what goes wrong while listening on the address that `setting` ("grpc") holds."""
    try:
        yield
    except (OSError, RuntimeError) as error:  # grpc says it by RuntimeError, and by nothing else.
        # uvloop and grpc leave the number out, but never the words.
        taken = getattr(error, "errno", None) == errno.EADDRINUSE or "in use" in str(error).lower()
        why = "something else has that port already" if taken else str(error)
        raise CannotListen(f"cannot listen on {host}:{port} ({setting}.port): {why}") from error
