"""What can be set about the sandbox, at its start or while it runs."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from sandbox.core.life import Habits


class Settings(Habits, kw_only=True, forbid_unknown_fields=True):
    """Every knob. Those of `Habits` are in sandbox seconds, which pass `speed` times as fast as others.

    What the client and the sandbox agree about in time (the memory of command_ids, limits, retries of webhooks, faults)
    is in real seconds whatever the speed: the client's clock does not run faster because calls do.
    """

    host: str = "127.0.0.1"
    port: int = 8012  # 0: any free one.
    speed: float = 1.0
    seed: int | None = None  # None: different ids and keys every time.
    api_keys: tuple[str, ...] = ()  # Accepted bearer keys; none: any that is not empty.
    connection_ids: tuple[str, ...] = ()  # Known applications; none: any.
    webhook_url: str | None = None  # The application's own address, where a call has none.
    signing_key: str | None = None  # Base64 of an Ed25519 seed, 32 bytes; None: a new pair.
    quiet: bool = False  # No webhooks at all.
    webhook_failover_url: str | None = None  # Tried next whenever the first address fails.
    webhook_attempts_max: int = 4  # At each address.
    webhook_backoff_seconds: float = 0.5  # Before the second attempt; then twice as long each time.
    webhook_timeout_seconds: float = 5.0
    command_window_seconds: float = 60.0
    dials_per_second: float | None = None  # Counted over five seconds, as Telnyx does (30 there); None: no limit.
    refused_dials_count: bool = True  # Whether a dial that this limit refused counts towards it.
    requests_per_second: float | None = None  # Of any kind; None: no limit.
    effects_max: int = 100_000  # The oldest are forgotten first.
    deliveries_max: int = 100_000
    ended_calls_max: int = 100_000

    def __post_init__(self) -> None:
        if self.speed <= 0:
            raise ValueError("speed must be greater than 0")
        for name in ("dials_per_second", "requests_per_second", "speech_chars_per_second"):
            if (rate := getattr(self, name)) is not None and rate <= 0:
                raise ValueError(f"{name} must be greater than 0")
        if self.webhook_attempts_max < 1:
            raise ValueError("webhook_attempts_max must be at least 1")


_FIXED: Final = {"host", "port", "seed", "signing_key", "effects_max", "deliveries_max", "ended_calls_max"}


def change(settings: Settings, patch: dict[str, Any]) -> None:
    """Set some knobs while running, in place. Raises ValueError naming what is unknown, wrong or fixed."""
    if fixed := _FIXED & patch.keys():
        raise ValueError(f"cannot be changed while running: {', '.join(sorted(fixed))}")
    changed = msgspec.convert({**msgspec.to_builtins(settings), **patch}, Settings)
    for name in Settings.__struct_fields__:
        setattr(settings, name, getattr(changed, name))
