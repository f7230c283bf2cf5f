"""Planted bugs of what waits in its line: cancel requests, placement NEXT, gaps of numbers, the hold, a full line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from dispatcher.core import admission, flights, obeying
from dispatcher.core.page import Page
from dispatcher.core.turn import Turn
from simulation.mutation import Change, Mutation, instead, mutation, nothing

_NEVER_MS: Final = 1 << 52


def _of_nobody(original: Callable[..., None]) -> Callable[..., None]:
    return lambda turn, wanted: original(turn, replace(wanted, command_ids=(), group="nobody's"))


def _at_the_end(page: Page) -> int:
    return len(page.line)


def _refused_at_once(original: Callable[..., bool]) -> Callable[..., bool]:
    def in_sequence(turn: Turn, asked: Any) -> bool:
        is_its_turn = original(turn, asked)
        admission.give_up_gaps(turn, _NEVER_MS)
        return is_its_turn

    return in_sequence


def _not_held(original: Callable[..., None]) -> Callable[..., None]:
    def succeed(turn: Turn, *given: Any) -> None:
        original(turn, *given)
        turn.page.hold_until_ms = 0

    return succeed


def _full_for_all(turn: Turn, ask: Any) -> bool:
    return len(turn.page.line) + len(turn.page.early) >= turn.limits.line_commands_max


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "cancel-nothing", "a cancel request is answered, and cancels nothing", Change(obeying, "cancel", _of_nobody)
    ),
    mutation(
        "next-is-last",
        "placement NEXT goes behind the line",
        instead(admission, "_behind_those_placed_next", _at_the_end),
    ),
    mutation(
        "gap-at-once",
        "a number that comes too early is refused at once",
        Change(admission, "_in_sequence", _refused_at_once),
    ),
    mutation(
        "gap-for-good",
        "a number that came too early is not let in when those before it come",
        instead(admission, "_let_in_the_next", nothing),
    ),
    mutation("no-hold", "after answer the line goes on at once", Change(flights, "_succeed", _not_held)),
    mutation("full-for-hangups", "a full line refuses hangups, too", instead(admission, "_is_full", _full_for_all)),
    mutation(
        "endless-line",
        "a line takes in any number of commands",
        instead(admission, "_is_full", lambda turn, ask: False),
    ),
)
