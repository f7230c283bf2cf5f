"""Several listeners where one is asked for: metrics and logs hear the same events, and know nothing of each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

E = TypeVar("E")


def each_of(*observers: Callable[[E], None]) -> Callable[[E], None]:
    """Let several listen."""

    def observe(event: E) -> None:
        for observer in observers:
            observer(event)

    return observe
