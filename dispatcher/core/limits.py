"""The limits and waits that an operator may set. Those that a promise hangs on are constants beside their rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """What an account's owner allows of it, whatever its senders ask for; as it stands, everything."""

    destinations: tuple[str, ...] = ()  # What a destination must begin with one of.
    dry_run: bool = False  # Nothing is sent but hangups and rejects.
    dials_per_minute_max: int | None = None
    dials_per_number_max: int | None = None
    number_window_ms: int = 24 * _HOUR_MS
    dials_in_progress_max: int | None = None  # The account's channels.

    def allows(self, destinations: tuple[str, ...]) -> bool:
        """Whether all of these may be called."""
        return not self.destinations or all(one.startswith(self.destinations) for one in destinations)


_NO_GUARDS: Final = Guards()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times in milliseconds, sizes in bytes."""

    line_commands_max: int = 64
    line_bytes_max: int = 256 * 1024
    sequence_wait_ms: int = 2_000
    answer_hold_ms: int = 5_000
    cleared_wait_ms: int = 5_000  # For the event of what was stopped, or taken out of Telnyx's queue.
    call_memory_ms: int = _HOUR_MS  # After the call's end; also for events of calls that nobody opened.
    dial_memory_ms: int = 24 * _HOUR_MS
    untied_wait_ms: int = 60_000  # How long a webhook that names no call waits for its leg's call to be known.
    alias_memory_ms: int = _HOUR_MS  # After the latest that a leg's or a session's page heard.
    link_memory_ms: int = 25 * _HOUR_MS  # After a leg's call was known: calls last a day at most.
    silence_ms: int = 24 * _HOUR_MS  # A call of which nothing was heard or asked for so long is dropped.
    ask_after_ms: int = 4 * _HOUR_MS  # A call that was silent for so long: Telnyx is asked whether it lives.
    ask_again_ms: int = _HOUR_MS  # Where that question had no answer that tells.
    late_dials_hung_up: frozenset[str] = frozenset()  # Accounts whose dials are hung up when they ring too late.
    guards: Mapping[str, Guards] = field(default_factory=dict)  # By account.

    def guards_of(self, account: str) -> Guards:
        """What the owner of an account allows of it."""
        return self.guards.get(account, _NO_GUARDS)


DEFAULT_LIMITS: Final = Limits()
