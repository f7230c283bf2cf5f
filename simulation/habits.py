"""How the account of a history is set up, and what its Telnyx never does: drawn from the seed, and so all along."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from dispatcher.core.limits import Limits
from simulation.chance import stream

ACCOUNT: Final = "main"
_SOON: Final = 15.0  # Of silence, in seconds: histories take minutes, not hours.
_AGAIN: Final = 12.0
_HOUR: Final = 3_600.0

Post = Callable[[str, dict[str, str], bytes], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Habits:
    """`asks_after` seconds of silence; `tells_no_ends`: no call.hangup of any call ever comes."""

    asks_after: float
    hangs_up_late: bool
    tells_no_ends: bool

    @property
    def asks_soon(self) -> bool:
        """Whether a silence is asked about while a history lasts."""
        return self.asks_after == _SOON

    def limits(self, limits: Limits) -> Limits:
        """The limits of the core, as this history has them."""
        asks_after_ms = round(self.asks_after * 1000)
        again_ms = round(_AGAIN * 1000) if self.asks_soon else limits.ask_again_ms
        late = frozenset({ACCOUNT}) if self.hangs_up_late else frozenset[str]()
        return replace(limits, ask_after_ms=asks_after_ms, ask_again_ms=again_ms, late_dials_hung_up=late)

    def heard(self, post: Post) -> Post:
        """The way of webhooks, on which some never arrive."""

        async def post_all_but_ends(url: str, headers: dict[str, str], body: bytes) -> int:
            if b'"call.hangup"' in body:
                raise ConnectionRefusedError("nobody hears of the end of a call")
            return await post(url, headers, body)

        return post_all_but_ends if self.tells_no_ends else post


NO_HABITS: Final = Habits(asks_after=4 * _HOUR, hangs_up_late=False, tells_no_ends=False)


def habits_of(seed: int) -> Habits:
    """The habits of a seed: in every third history calls are asked for soon, and often that is the only way to know."""
    rng = stream(seed, "habits")
    soon = rng.random() < 0.35
    return Habits(
        asks_after=_SOON if soon else 4 * _HOUR,
        hangs_up_late=rng.random() < 0.5,
        tells_no_ends=soon and rng.random() < 0.6,
    )
