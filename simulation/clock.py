"""The wall clocks: one true time, and for every process its own idea of it."""

from __future__ import annotations

import asyncio
from typing import Final

BEGIN_MS: Final = 1_790_000_000_000


class TrueClock:
    """What time it is. A clock of the product's port."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return BEGIN_MS + int(self._loop.time() * 1000)

    def seconds(self) -> float:
        """Unix seconds."""
        return BEGIN_MS / 1000 + self._loop.time()


class ProcessClock:
    """What a process believes: the true time and its error, which may jump."""

    def __init__(self, true: TrueClock, error_ms: int = 0) -> None:
        self._true = true
        self.error_ms = error_ms

    def now_ms(self) -> int:
        """Unix milliseconds, as this machine has them."""
        return self._true.now_ms() + self.error_ms
