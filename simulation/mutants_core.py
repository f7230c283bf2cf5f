"""Planted bugs of the dispatcher's core: what is remembered, what passes, what doubts and events are worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from cordboard.work import Verdict
from dispatcher.core import admission, completion, dialling, flights, hearing, line, matching, memory, obeying, verdicts
from dispatcher.core.commands import DIAL, Ask
from dispatcher.core.page import Flight, Life, Page
from dispatcher.core.rivals import is_stop
from dispatcher.core.turn import Turn
from simulation.mutation import Change, Mutation, instead, mutation, nothing


def _released_whatever_flies(original: Callable[[Turn], bool]) -> Callable[[Turn], bool]:
    def is_held_up(turn: Turn) -> bool:
        flying, turn.page.flights = turn.page.flights, []
        held_up = original(turn)
        turn.page.flights = flying
        return held_up

    return is_held_up


def _taken_as_if_alive(original: Callable[..., None]) -> Callable[..., None]:
    def take(turn: Turn, asked: Any) -> None:
        life = turn.page.life
        turn.page.life = Life.ANSWERED if life is Life.ENDED else life
        original(turn, asked)
        turn.page.life = life

    return take


def _given_up(turn: Turn, flight: Flight) -> None:
    turn.page.flights.remove(flight)
    if not flight.answered:
        flights._fail(turn, flight)


def _half_a_minute(original: Callable[..., int | None]) -> Callable[..., int | None]:
    def first_expiry(ask: Ask, *, gated: bool) -> int | None:
        return ask.accept_ms + 30_000 if ask.ends_call else original(ask, gated=gated)

    return first_expiry


def _again_with_other_bytes(original: Callable[..., None]) -> Callable[..., None]:
    def release(turn: Turn, flight: Flight) -> None:
        if flight.attempt:
            flight.ask = msgspec.structs.replace(flight.ask, body=flight.ask.body + b" ")
        original(turn, flight)

    return release


def _by_the_last_word(original: Callable[..., Any]) -> Callable[..., Any]:
    def conclude(action: str, attempts: int, outcomes: Any) -> Any:
        latest = next((one for one in outcomes if one.attempt == attempts), None)
        if latest is not None and latest.verdict in verdicts.CERTAIN_NO:
            return verdicts.certain_no(action, latest)
        return original(action, attempts, outcomes)

    return conclude


def _said_and_kept(original: Callable[..., None]) -> Callable[..., None]:
    def complete(turn: Turn, waiting: Any, *rest: Any) -> None:
        original(turn, waiting, *rest)
        turn.page.open.append(waiting)

    return complete


def _gone_at_the_first_success(original: Callable[..., None]) -> Callable[..., None]:
    def judge(turn: Turn, flight: Flight, outcome: Any) -> None:
        original(turn, flight, outcome)
        if flight.answered and flight in turn.page.flights:
            turn.page.flights.remove(flight)

    return judge


def _while_in_time(turn: Turn, flight: Flight) -> bool:
    return turn.page.life is not Life.ENDED and turn.now - flight.first_ms < line.WINDOW_MS


def _only_stops(page: Page, action: str) -> bool:
    return is_stop(action)


def _keeps_in_line(page: Page, held: Any) -> None:
    """Nothing is taken out."""


def _alive_by_any_event(original: Callable[..., None]) -> Callable[..., None]:
    def learn(turn: Turn, heard: Any) -> None:
        original(turn, heard)
        if turn.page.life is Life.ENDED and heard.event_type != "call.hangup":
            turn.page.life = Life.ANSWERED

    return learn


def _over_by_any_no(action: str, outcome: Any) -> bool:
    return outcome.verdict is Verdict.REFUSED and action != DIAL


def _deaf_in_doubt(original: Callable[..., None]) -> Callable[..., None]:
    def hear_own(turn: Turn, clue: Any) -> None:
        doubts = [one for one in turn.page.open if one.doubtful]
        turn.page.open = [one for one in turn.page.open if not one.doubtful]
        original(turn, clue)
        turn.page.open += doubts

    return hear_own


EVERY: Final[tuple[Mutation, ...]] = (
    mutation("long-window", "a release is repeated for 75 s instead of 50 s", instead(line, "WINDOW_MS", 75_000)),
    mutation("short-silence", "silence is judged after 5 s, not 15 s", instead(line, "OUTCOME_WAIT_MS", 5_000)),
    mutation(
        "uncontested",
        "a command in doubt is settled by any event of its kind, though another one of the kind was open",
        *(instead(module, "contest", nothing) for module in (line, flights)),
        *(instead(module, "is_contested", _only_stops) for module in (line, flights)),
    ),
    mutation("deaf-to-late-words", "what a worker reports late is ignored", instead(flights, "_hear_late", nothing)),
    mutation(
        "late-is-no",
        "LATE is taken for a certain no",
        Change(verdicts, "CERTAIN_NO", lambda certain: certain | {Verdict.LATE}),
    ),
    mutation("dial-again", "a silent dial is released again", instead(flights, "_may_go_again", _while_in_time)),
    mutation(
        "impatient-line", "the line does not wait for an outcome", Change(line, "_is_held_up", _released_whatever_flies)
    ),
    mutation("full-at-the-end", "the call's end leaves the line as it was", instead(line, "empty", nothing)),
    mutation(
        "open-to-the-dead",
        "commands enter the line of a call that is over",
        Change(admission, "take", _taken_as_if_alive),
    ),
    mutation("one-hangup", "a hangup in doubt is not tried again", instead(flights, "_hang_up_again", _given_up)),
    mutation(
        "mortal-hangup", "a hangup expires like everything else", Change(admission, "_first_expiry", _half_a_minute)
    ),
    mutation(
        "patient-hangup", "a hangup with placement NOW waits in line", instead(line, "_passes", lambda ask: False)
    ),
    mutation("polite-now", "placement NOW cancels nothing", instead(admission, "_supersede", nothing)),
    mutation(
        "whatever-became",
        "what was required need not have succeeded",
        instead(line, "_has_succeeded", lambda page, command_id: True),
    ),
    mutation(
        "no-numbers", "sequence numbers are not looked at", instead(admission, "_in_sequence", lambda turn, asked: True)
    ),
    mutation(
        "no-memory",
        "what has ended is forgotten",
        instead(memory, "remember", lambda entries, command_id, ended: entries),
    ),
    mutation(
        "blind-to-pending",
        "a repeat of what has no result yet is new",
        instead(admission, "find_pending", lambda page, command_id: None),
    ),
    mutation(
        "same-is-same",
        "other content under the same id is taken for the same command",
        instead(memory.Remembered, "same_content", lambda remembered, fingerprint: True),
    ),
    mutation("cancelled-in-name", "what was cancelled stays in line", instead(obeying, "take_out", _keeps_in_line)),
    mutation(
        "every-event-new",
        "an event that was handed on is handed on again",
        instead(hearing, "event_is_known", lambda page, event_id: False),
    ),
    mutation("deaf-dial", "a dial's own webhooks prove nothing", instead(dialling, "hear_own", nothing)),
    mutation(
        "last-word",
        "the last attempt's no is a no, whatever became of those before",
        Change(verdicts, "conclude", _by_the_last_word),
    ),
    mutation("any-time", "an event completes what was sent after it", instead(matching, "GRACE_MS", 1 << 40)),
    mutation(
        "completed-and-kept",
        "what was completed is awaited further",
        Change(completion, "complete", _said_and_kept),
    ),
    mutation(
        "first-success",
        "the line does not wait for a repeat that is on its way",
        Change(flights, "_judge", _gone_at_the_first_success),
    ),
    mutation(
        "deaf-to-90018",
        "Telnyx's word that a call is over is not believed",
        instead(verdicts, "says_call_is_over", lambda action, outcome: False),
    ),
    mutation(
        "ended-by-the-other",
        "Telnyx's word that the other call of a bridge is over ends the call",
        instead(verdicts, "BRIDGE", ""),
    ),
    mutation(
        "never-again",
        "what is silent is not released again",
        instead(flights, "_may_go_again", lambda turn, flight: False),
    ),
    mutation(
        "never-proven",
        "a dial's own webhooks prove nothing once its result is UNKNOWN",
        Change(dialling, "hear_own", _deaf_in_doubt),
    ),
    mutation(
        "events-prove-nothing",
        "an UNKNOWN command is not settled by its event",
        instead(completion, "_is_proven", lambda waiting, clue: False),
        instead(flights, "match_clues", nothing),
    ),
    mutation(
        "revived", "a call that is over comes alive by a late event", Change(hearing, "_learn", _alive_by_any_event)
    ),
    mutation(
        "over-by-any-no",
        "a call is taken for over when Telnyx refuses anything",
        instead(verdicts, "says_call_is_over", _over_by_any_no),
    ),
    mutation(
        "other-bytes",
        "an attempt has other bytes than the one before",
        Change(line, "release", _again_with_other_bytes),
    ),
)
