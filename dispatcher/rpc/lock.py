"""The secret of a deployment's dispatchers: shown with each question among them, and asked for by who answers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Any, Final

import structlog

from cordboard.clock import Clock

HEADER: Final = "cordboard-peer"
_READ_MS: Final = 1_000
# A replaced file comes to the processes one after the other; this is how long they still take the secret before it.
_BOTH_MS: Final = 10 * 60_000
_log: Final = structlog.get_logger(__name__)

Secret = Callable[[], str | None]
"""The secret as it is now; None: there is none. Raises OSError, or ValueError, where it cannot be read now."""


def no_secret() -> None:
    """Nothing is asked for."""


def key_of(secret: Secret) -> tuple[tuple[str, str], ...]:
    """The metadata of a question."""
    try:
        word = secret()
    except (OSError, ValueError) as error:
        _log.error("the secret of the dispatchers cannot be read", error=type(error).__name__)
        return ()
    return () if word is None else ((HEADER, word),)


class Lock:
    """Opens to who shows the secret, or for a while the one before it; where there is none, as `without` says."""

    def __init__(self, secret: Secret, clock: Clock, without: Callable[[], bool] = lambda: True) -> None:
        """Raises as `secret` does, for what cannot be read at the start."""
        self._without = without
        self._secret = secret
        self._clock = clock
        self._now, self._before = _hash(secret()), b""
        self._read_ms = self._replaced_ms = clock.now_ms()

    def opens(self, metadata: Iterable[tuple[str, Any]] | None) -> bool:
        """Whether a question may be answered."""
        now_ms = self._clock.now_ms()
        if not 0 <= now_ms - self._read_ms < _READ_MS:
            self._read_ms = now_ms
            self._look(now_ms)
        if not self._now:
            return self._without()
        shown = _hash(next((str(value) for name, value in metadata or () if name == HEADER), ""))
        still = self._before if now_ms - self._replaced_ms < _BOTH_MS else b""
        return hmac.compare_digest(shown, self._now) or hmac.compare_digest(shown, still)

    def _look(self, now_ms: int) -> None:
        try:
            found = _hash(self._secret())
        except (OSError, ValueError):
            return  # It is being replaced, or gone: a lock never opens by that.
        if found != self._now:
            self._before, self._now, self._replaced_ms = self._now, found, now_ms


def _hash(word: str | None) -> bytes:
    return b"" if word is None else hashlib.sha256(word.encode()).digest()
