"""Released commands: what is heard of them, what silence means, and what an UNKNOWN one really came to.

Silence, 15 s after a release (5 s after `not_after` where the worker said WAITING):

    hangup, reject     released again every 15 s until an outcome or the call's end; UNKNOWN is said at 75 s, and the
                       line goes on without them
    WINDOW, ALWAYS     released again, the same bytes, while the first release is less than 50 s ago; then UNKNOWN
    UNSENT (dial)      UNKNOWN, unless a webhook of its own proved it meanwhile

What waited when the log was backed up, and is found in a log that was restored, counts as released then: it may have
been, in the life that was lost. Nothing of it is ever sent but hangups and rejects: a second one does nothing.

The line waits for the outcome of the latest attempt even when an earlier one has succeeded: a repeat that is still on
its way must not arrive behind the next command.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from cordboard.work import Outcome, Repeat, Verdict
from dispatcher.core import asking, dialling, line, links, verdicts
from dispatcher.core.commands import ANSWER
from dispatcher.core.completion import await_event, begin, match_clues, settle_as_done
from dispatcher.core.ending import end_call
from dispatcher.core.inputs import Told
from dispatcher.core.page import Flight, Held, Life
from dispatcher.core.rivals import contest, is_contested
from dispatcher.core.turn import Ending, Turn, awaiting, give_result, settle
from dispatcher.core.words import Reason, State

HANGUP_UNKNOWN_MS: Final = 75_000
WAITING_GRACE_MS: Final = 5_000
DOUBT_KEPT_MS: Final = 3_600_000
_OUTCOMES_KEPT: Final = 8
_LOST: Final = "The log was restored from a backup in which this waited; it may or may not have been sent since."


def hear_outcome(turn: Turn, told: Told) -> None:
    """Take a worker's report."""
    outcome = _readable(turn, told.outcome)
    flight = next((one for one in turn.page.flights if one.ask.command_id == outcome.command_id), None)
    if flight is None or outcome.attempt > flight.attempt:
        _hear_late(turn, outcome)
        return
    before = next((one for one in flight.outcomes if one.attempt == outcome.attempt), None)
    if before is not None and not _says_more(flight, before, outcome):
        return  # Said before; outcomes come at least once.
    turn.changed = True
    turn.page.asking.reached |= outcome.verdict not in verdicts.UNSENT
    others = [one for one in flight.outcomes if one.attempt != outcome.attempt]
    flight.outcomes = [*others[-_OUTCOMES_KEPT:], msgspec.structs.replace(outcome, response=b"")]
    if outcome.verdict is Verdict.WAITING:
        _grant_time(flight)
        return
    _judge(turn, flight, outcome)


def _says_more(flight: Flight, before: Outcome, outcome: Outcome) -> bool:
    """Of one attempt the first word counts, unless it was none, or the second one is success."""
    if before.verdict is Verdict.WAITING:
        return True
    action = flight.ask.action
    return verdicts.is_success(action, outcome) and not verdicts.is_success(action, before)


def _readable(turn: Turn, outcome: Outcome) -> Outcome:
    """A dial whose answer names no leg rings, but nobody can say where."""
    if turn.page.is_dial and outcome.verdict is Verdict.DONE and not dialling.names_a_leg(outcome.response):
        return msgspec.structs.replace(outcome, verdict=Verdict.BAD_ANSWER)
    return outcome


def _grant_time(flight: Flight) -> None:
    if not flight.ask.ends_call:
        flight.deadline_ms = flight.first_ms + line.WINDOW_MS + WAITING_GRACE_MS


def _judge(turn: Turn, flight: Flight, outcome: Outcome) -> None:
    ask = flight.ask
    succeeded = verdicts.is_success(ask.action, outcome)
    if flight.answered:
        _hear_late(turn, outcome)
    elif succeeded:
        _succeed(turn, flight, verdicts.success(ask.action, outcome))
        flight.answered = True
    if ask.ends_call and not succeeded and outcome.verdict not in (Verdict.REFUSED, Verdict.AMBIGUOUS):
        return  # Not an end for a hangup: it goes out again when its time comes.
    is_over = succeeded and ask.ends_call  # A second hangup does nothing: its outcome need not be awaited.
    if is_over or outcome.attempt == flight.attempt:
        turn.page.flights.remove(flight)
        if not flight.answered:
            _fail(turn, flight)
    if verdicts.says_call_is_over(ask.action, outcome):
        end_call(turn)


def _succeed(turn: Turn, flight: Flight, ending: Ending) -> None:
    ask, page = flight.ask, turn.page
    if page.is_dial:
        ending = dialling.with_legs(turn, ending, ask)
    ending = replace(ending, attempts=_requests(flight))
    give_result(turn, ask, ending)
    links.note_success(turn, ask.action)
    if ask.action == ANSWER and page.heard_ms and page.life is Life.ALIVE:
        page.hold_until_ms = turn.now + turn.limits.answer_hold_ms
    begin(turn, flight, ending)


def _fail(turn: Turn, flight: Flight, message: str = "") -> None:
    ending = verdicts.conclude(flight.ask.action, flight.attempt, flight.outcomes)
    ending = replace(ending, message=message or ending.message)
    if ending.state is State.UNKNOWN and flight.clues and turn.page.is_dial:
        _succeed(turn, flight, dialling.proven_by(flight.clues, flight.ask.new_legs, ending))
        return
    give_result(turn, flight.ask, replace(ending, attempts=_requests(flight)))
    if ending.state is State.UNKNOWN:
        _keep_in_doubt(turn, flight)
    else:
        links.tell_joined(turn, flight.ask.joins, over=True)


def _requests(flight: Flight) -> int:
    """How many requests were, or may have been, sent: an attempt of which nothing was heard counts as one."""
    heard = [one for one in flight.outcomes if one.verdict is not Verdict.WAITING]
    return sum(one.tries for one in heard) + flight.attempt - len(heard)


def _keep_in_doubt(turn: Turn, flight: Flight) -> None:
    certain = {one.attempt for one in flight.outcomes if one.verdict in verdicts.CERTAIN_NO}
    doubt = awaiting(flight, turn.now + DOUBT_KEPT_MS)
    doubt.doubtful = True
    asking.doubt(turn)
    doubt.attempts = [attempt for attempt in range(1, flight.attempt + 1) if attempt not in certain]
    doubt.contested = flight.contested or is_contested(turn.page, doubt.action)
    contest(turn.page, doubt.action)
    await_event(turn, doubt)
    match_clues(turn, doubt, flight.clues)


def give_up_lost(turn: Turn) -> None:
    """Where the log was restored from a backup: end what waited then, before anything else could be said of it."""
    page = turn.page
    if not turn.orders.restored_ms:
        return
    for held in [*page.line, *page.early]:
        if turn.orders.has_lost(held.ask.accept_ms) and not held.ask.ends_call:
            line.take_out(page, held)
            _fail(turn, _as_if_released(turn, held), _LOST)


def _as_if_released(turn: Turn, held: Held) -> Flight:
    turn.page.released += 1
    at_ms = held.ask.accept_ms
    return Flight(
        ask=held.ask,
        attempt=1,
        first_ms=at_ms,
        released_ms=at_ms,
        deadline_ms=at_ms,
        contested=is_contested(turn.page, held.ask.action),
        order=turn.page.released,
    )


def judge_silence(turn: Turn, at_ms: int) -> None:
    """Decide about every released command whose deadline has passed."""
    for flight in [one for one in turn.page.flights if one.deadline_ms <= at_ms]:
        turn.changed = True
        if flight.ask.ends_call:
            _hang_up_again(turn, flight)
        elif not flight.answered and _may_go_again(turn, flight):
            line.release(turn, flight)
        else:
            turn.page.flights.remove(flight)
            if not flight.answered:
                _fail(turn, flight)


def _may_go_again(turn: Turn, flight: Flight) -> bool:
    if flight.ask.repeat is Repeat.UNSENT or turn.page.life is Life.ENDED:
        return False
    if flight.expire_ms is not None and flight.expire_ms <= turn.now:
        return False
    if turn.orders.has_lost(flight.first_ms):
        return False  # The next attempt may be made already, and what came of it was lost.
    return turn.now - flight.first_ms < line.WINDOW_MS


def _hang_up_again(turn: Turn, flight: Flight) -> None:
    is_hopeless = flight.answered and turn.now - flight.first_ms >= turn.limits.silence_ms
    if turn.page.life is Life.ENDED or is_hopeless:
        turn.page.flights.remove(flight)
        if not flight.answered:
            _succeed(turn, flight, Ending(state=State.SUCCEEDED, reason=Reason.ALREADY_ENDED, attempts=flight.attempt))
        return
    if not flight.answered and turn.now - flight.first_ms >= HANGUP_UNKNOWN_MS:
        ending = verdicts.conclude(flight.ask.action, flight.attempt, flight.outcomes)
        ending = ending if ending.state is State.UNKNOWN else _unreached(flight)
        give_result(turn, flight.ask, replace(ending, attempts=_requests(flight)))
        _keep_in_doubt(turn, flight)
        flight.answered = flight.passing = True
    line.release(turn, flight)


def _unreached(flight: Flight) -> Ending:
    # Every attempt so far certainly did nothing, but it is being tried on: the end is not known.
    return Ending(state=State.UNKNOWN, reason=Reason.NO_ANSWER, attempts=flight.attempt)


def _hear_late(turn: Turn, outcome: Outcome) -> None:
    """An outcome of a command whose result was given: it may settle an UNKNOWN one."""
    doubt = next((one for one in turn.page.open if one.doubtful and one.command_id == outcome.command_id), None)
    if doubt is None or outcome.verdict is Verdict.WAITING:
        return
    if verdicts.is_success(doubt.action, outcome):
        ending = verdicts.success(doubt.action, outcome)
        settle_as_done(turn, doubt, dialling.found_out(turn, doubt, ending) if turn.page.is_dial else ending)
    elif outcome.verdict in verdicts.CERTAIN_NO and outcome.attempt in doubt.attempts:
        turn.changed = True
        doubt.attempts = [attempt for attempt in doubt.attempts if attempt != outcome.attempt]
        if not doubt.attempts:
            turn.page.open.remove(doubt)
            settle(turn, doubt, verdicts.certain_no(doubt.action, outcome))
            links.tell_joined(turn, doubt.joins, over=True)
    if verdicts.says_call_is_over(doubt.action, outcome):
        end_call(turn)
