"""Planted bugs of what asks Telnyx whether calls live, and of what hangs up dials that ring too late."""

from __future__ import annotations

from typing import Final

from dispatcher.core import asking, dialling
from dispatcher.core.page import Open
from dispatcher.core.turn import Ending, Turn
from dispatcher.core.words import Answer
from simulation.mutation import Mutation, instead, mutation, nothing


def _alive_or_over(response: bytes, *, was_answered: bool) -> Answer:
    return Answer.ALIVE if b'"is_alive":true' in response.replace(b" ", b"") else Answer.ENDED


def _in_time(turn: Turn, doubt: Open, ending: Ending) -> Ending:
    return dialling.with_legs(turn, ending, doubt)


def _too_late(turn: Turn, ending: Ending) -> Ending:
    given_up = Open(
        command_id="", action="dial", account="", source="", group="", accept_ms=0, sent_ms=0, deadline_ms=0
    )
    return dialling.found_out(turn, given_up, ending)


EVERY: Final[tuple[Mutation, ...]] = (
    mutation("never-asks", "Telnyx is not asked for calls", instead(asking, "_may_ask", lambda page: False)),
    mutation("deaf-to-answers", "what Telnyx says of a call is not heard", instead(asking, "hear_answer", nothing)),
    mutation("ringing-is-over", "a call that is not alive is over", instead(asking, "_read_status", _alive_or_over)),
    mutation("asks-again", "a question is given up after 2 s", instead(asking, "ANSWER_WAIT_MS", 2_000)),
    mutation(
        "late-in-use", "a late call is hung up though it is in use", instead(dialling, "_is_in_use", lambda page: False)
    ),
    mutation("late-rings-on", "a late call is left alone", instead(dialling, "found_out", _in_time)),
    mutation("never-late", "every dial is hung up as if it were late", instead(dialling, "with_legs", _too_late)),
)
