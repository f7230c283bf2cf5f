"""Requests as they come over the wire: one that is no message of the contract is a bad request, not a broken server.

gRPC reads a request before any code of ours sees it, and ends the call, or a whole stream, without a word when it
cannot. So it is given a reader that never fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError

from cordboard.validation import Violation
from dispatcher.acceptance.refusals import Refused, invalid

UNREADABLE: Final = object()  # Stands in the place of a request that could not be read.


def tolerant(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """A reader that gives UNREADABLE where `read` fails."""

    def read_or_say_so(raw: bytes) -> Any:
        try:
            return read(raw)
        except (DecodeError, UnicodeDecodeError, RecursionError):
            return UNREADABLE

    return read_or_say_so


def unreadable() -> Refused:
    """What is said to who sent it."""
    sentence = "the request must be a message of cordboard.v1, its texts UTF-8 and its structures not nested too deeply"
    return invalid([Violation("", sentence, "request.readable")])
