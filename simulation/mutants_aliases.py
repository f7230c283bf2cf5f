"""Planted bugs of what comes by another name: links of legs, and what becomes of transfers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from cordboard.catalogue import CATALOGUE
from dispatcher.core import aliases, completion, ending, links, stops, transfers
from dispatcher.core.decision import HandOn
from dispatcher.core.ending import end_call
from dispatcher.core.page import Clue
from dispatcher.core.turn import Turn
from simulation.mutation import Change, Mutation, instead, mutation, nothing


def _settled_by_the_end() -> Any:
    mortal = dict(CATALOGUE)
    rule = mortal["record_stop"]
    mortal["record_stop"] = replace(rule, completion=replace(rule.completion, outlives_call=False))
    return mortal


def _handed_on_at_once(original: Callable[..., None]) -> Callable[..., None]:
    def hear(turn: Turn, heard: Any) -> None:
        original(turn, heard)
        aliases.give_up_waiting(turn, turn.now + turn.limits.untied_wait_ms)

    return hear


def _handed_on_by_the_alias(original: Callable[..., None]) -> Callable[..., None]:
    def hear(turn: Turn, heard: Any) -> None:
        original(turn, heard)
        if heard.raw is not None and turn.page.link:
            turn.say(HandOn(heard=heard, command_id="", late=False))

    return hear


def _ended_by_its_leg(original: Callable[..., None]) -> Callable[..., None]:
    def hear(turn: Turn, clue: Clue) -> None:
        original(turn, clue)
        if clue.event_type == "call.hangup":
            end_call(turn, clue)

    return hear


def _told_only_when_asked(original: Callable[..., None]) -> Callable[..., None]:
    def spread(turn: Turn, clue: Clue) -> None:
        original(turn, clue)
        turn.page.legs_heard = []

    return spread


def _without_legs(original: Callable[..., None]) -> Callable[..., None]:
    def announce(turn: Turn) -> None:
        turn.page.leg_told = True
        original(turn)

    return announce


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "mortal-record-stop",
        "a record_stop is settled by its call's end",
        *(instead(module, "CATALOGUE", _settled_by_the_end()) for module in (ending, completion)),
    ),
    mutation(
        "shared-recording",
        "one recording completes every record_stop of its call",
        *(instead(module, "ends_one", lambda _: False) for module in (stops, completion)),
    ),
    mutation("impatient-alias", "what names no call waits for none", Change(aliases, "hear", _handed_on_at_once)),
    mutation(
        "twice-by-name",
        "what is written on under its call is handed on by the alias as well",
        Change(aliases, "hear", _handed_on_by_the_alias),
    ),
    mutation(
        "nameless-calls", "a call does not make itself known to its leg", Change(links, "announce", _without_legs)
    ),
    mutation("ended-by-its-leg", "the end of a new leg ends the call", Change(transfers, "hear", _ended_by_its_leg)),
    mutation(
        "forgetful-session",
        "a session keeps nothing for calls that are not interested yet",
        Change(aliases, "_spread", _told_only_when_asked),
    ),
    mutation("deaf-to-legs", "nothing that new legs say is heard", instead(transfers, "hear", nothing)),
)
