"""The beginning of the end: whoever serves something long is told once that this process stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopping:
    """Told once; `begun` says so to those who ask."""

    def __init__(self) -> None:
        self.begun = False
        self._listeners: dict[object, Callable[[], object]] = {}

    def begin(self) -> None:
        """Tell everybody."""
        self.begun = True
        for listener in list(self._listeners.values()):
            listener()

    @contextmanager
    def telling(self, listener: Callable[[], object]) -> Iterator[None]:
        """Have the listener told, once, while the block lasts."""
        name = object()
        self._listeners[name] = listener
        if self.begun:
            listener()
        try:
            yield
        finally:
            del self._listeners[name]
