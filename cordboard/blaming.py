"""Exceptions as they may be written into the logs: where they came from, and what they say only where that is known.

An exception's text may hold anything that its code had in hand: what a caller said, a card's digits. So it is shown
only where its kind is known to hold nothing of the kind; of all others the type and the traceback are enough.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Final

# Errors of the code itself, of the system, and our own, which repeat nothing that came from outside.
_HARMLESS: Final = (AttributeError, ImportError, NameError, OSError, TypeError)
_OURS: Final = frozenset({"cordboard", "dispatcher", "workers"})


def told(error: BaseException) -> str:
    """The traceback, the cause of each exception before it."""
    return "\n".join(_lines(error))


def _lines(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _lines(cause)
        yield "which led to:"
    yield "".join(traceback.format_tb(error.__traceback__)) + _name(error)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield "of which one is:"
            yield from _lines(one)


def _name(error: BaseException) -> str:
    kind = type(error)
    if isinstance(error, _HARMLESS) or kind.__module__.partition(".")[0] in _OURS:
        return f"{kind.__qualname__}: {error}"
    return f"{kind.__qualname__} (its text is not written down)"
