"""How the account of a history is set up, and what its Telnyx never does: drawn from the seed, and so all along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from dispatcher.core.limits import Guards, Limits
from simulation.chance import stream
from simulation.faults import Road, Spell

ACCOUNT: Final = "main"
CHANNELS: Final = 1  # Of an account that has few: one call that was dialled lives at a time.
ROOM: Final = 1  # Of its dials that may be out from one partition.
CAMPAIGN: Final = ("campaign", 0.12)  # The stream and the odds of such an account; its histories have more dials.
_SOON: Final = 15.0  # Of silence, in seconds: histories take minutes, not hours.
_AGAIN: Final = 12.0
_HOUR: Final = 3_600.0
_LATE: Final = 4.0

Post = Callable[[str, dict[str, str], bytes], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Habits:
    """`asks_after` seconds of silence; `tells_no_ends`: no call.hangup of any call ever comes.

    `forwards`: events are posted on to an endpoint; `spools`: webhooks are kept while the log is away.
    `loses_dials`: each dial is answered by a 503 though it rings; `tells_late`: what is told of such calls comes late.
    `has_few_channels`: dials wait for the calls of others; `has_little_room`: for the results of others.
    `is_operated`: it is paused now and then, and groups are cancelled.
    """

    asks_after: float
    hangs_up_late: bool
    tells_no_ends: bool
    loses_dials: bool = False
    tells_late: bool = False
    forwards: bool = False
    spools: bool = False
    has_few_channels: bool = False
    has_little_room: bool = False
    is_operated: bool = False

    @property
    def faults(self) -> tuple[Spell, ...]:
        """What goes wrong besides the plan."""
        return (Spell(0.0, _HOUR, "dial", Road.ERROR_WITH),) if self.loses_dials else ()

    @property
    def asks_soon(self) -> bool:
        """Whether a silence is asked about while a history lasts."""
        return self.asks_after == _SOON

    def limits(self, limits: Limits) -> Limits:
        """The limits of the core, as this history has them."""
        asks_after_ms = round(self.asks_after * 1000)
        again_ms = round(_AGAIN * 1000) if self.asks_soon else limits.ask_again_ms
        late = frozenset({ACCOUNT}) if self.hangs_up_late else frozenset[str]()
        guards = {ACCOUNT: Guards(dials_in_progress_max=CHANNELS)} if self.has_few_channels else {}
        return replace(
            limits, ask_after_ms=asks_after_ms, ask_again_ms=again_ms, late_dials_hung_up=late, guards=guards
        )

    @property
    def rooms(self) -> dict[str, int]:
        """How many dials may be out from one partition."""
        return {ACCOUNT: ROOM} if self.has_little_room else {}

    def heard(self, post: Post) -> Post:
        """The way of webhooks, on which some never arrive."""

        async def post_all_but_ends(url: str, headers: dict[str, str], body: bytes) -> int:
            if b'"call.hangup"' in body:
                raise ConnectionRefusedError("nobody hears of the end of a call")
            return await post(url, headers, body)

        async def post_late(url: str, headers: dict[str, str], body: bytes) -> int:
            if b'"outgoing"' in body:
                await asyncio.sleep(_LATE)
            return await heard(url, headers, body)

        heard = post_all_but_ends if self.tells_no_ends else post
        return post_late if self.tells_late else heard


NO_HABITS: Final = Habits(asks_after=4 * _HOUR, hangs_up_late=False, tells_no_ends=False)


def habits_of(seed: int) -> Habits:
    """The habits of a seed: in every third history calls are asked for soon, and often that is the only way to know."""
    rng, campaign = stream(seed, "habits"), stream(seed, CAMPAIGN[0])
    has_campaign, has_few_channels = campaign.random() <= CAMPAIGN[1], campaign.random() < 0.5
    soon = rng.random() < 0.35
    hangs_up_late, tells_no_ends = rng.random() < 0.5, soon and rng.random() < 0.6
    loses_dials = rng.random() < 0.25
    return Habits(
        asks_after=_SOON if soon else 4 * _HOUR,
        hangs_up_late=hangs_up_late,
        tells_no_ends=tells_no_ends,
        loses_dials=loses_dials,
        tells_late=loses_dials and rng.random() < 0.5,
        forwards=stream(seed, "forwards").random() < 0.3,
        spools=stream(seed, "spools").random() < 0.3,
        has_few_channels=has_campaign and has_few_channels,
        has_little_room=has_campaign and not has_few_channels,
        is_operated=stream(seed, "operator").random() < 0.2,
    )
