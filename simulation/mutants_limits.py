"""Planted bugs of what is counted for a whole account: slots, and the credit of lanes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dispatcher.core import limiting, permits
from dispatcher.core.inputs import Permit, Step
from dispatcher.core.turn import Turn
from dispatcher.credit import LaneCredit
from simulation.mutation import Change, Mutation, instead, mutation


def _back_at_once(turn: Turn) -> None:
    page = turn.page
    if not page.line and not page.flights:
        permits._say(turn, page.slot, Permit(Step.RETURNED))
        page.slot, turn.changed = "", True


def _without_rooms(original: object) -> object:
    def init(credit: LaneCredit, rooms: Mapping[str, int]) -> None:
        original(credit, {})  # type: ignore[operator] # It is the class's own __init__.

    return init


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "slots-for-all", "a slot is granted though none is free", instead(limiting, "_has_slots", lambda *_: True)
    ),
    mutation(
        "slot-back-at-once",
        "a slot is given back when the dial has its result",
        instead(permits, "_settle_dial", _back_at_once),
    ),
    mutation("credit-for-all", "a lane has room for every dial", Change(LaneCredit, "__init__", _without_rooms)),
)
