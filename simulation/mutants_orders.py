"""Planted bugs of orders: pauses and cancels of groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cordboard.control import Control
from cordboard.orders import Orders
from cordboard.work import Work
from dispatcher.core import line, obeying
from simulation.mutation import Change, Mutation, instead, mutation, nothing
from workers.core.attempt import PAUSED
from workers.pace import AccountPace, Hold

_LOOK_MS: Final = 200


def _for_all(original: Callable[..., Hold | None]) -> Callable[..., Hold | None]:
    def hold(pace: AccountPace, work: Work, now_ms: int) -> Hold | None:
        return Hold(_LOOK_MS, PAUSED) if pace._paused() else original(pace, work, now_ms)

    return hold


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "pause-of-all",
        "a worker holds hangups back, too, while its account is paused",
        Change(AccountPace, "hold", _for_all),
    ),
    mutation(
        "pause-unsent", "a worker sends though its account is paused", instead(Control, "is_paused", lambda *_: False)
    ),
    mutation(
        "pause-unheeded",
        "an owner releases though the account is paused",
        instead(line, "_is_paused", lambda *_: False),
    ),
    mutation(
        "pause-of-hangups",
        "a hangup waits behind what a pause holds back",
        instead(line, "_end_call_all_the_same", nothing),
    ),
    mutation(
        "group-forgotten",
        "what was accepted before its group was cancelled goes all the same",
        instead(Orders, "cancels", lambda *_: False),
    ),
    mutation(
        "group-unseen",
        "what waits when its group is cancelled is not looked at again",
        instead(obeying, "obey", nothing),
    ),
)
