"""Asking Telnyx whether a call lives (`GET /calls/{id}`), where nothing else says.

A question is work like any other, under an id that no sender can use, and its outcome comes back like any other's. It
is no command: it waits in no line, holds up nothing, and has no result. At most one of a call is out at a time.

    silence   nothing was heard of the call, and nothing asked for, for 4 h; every hour while no answer tells
    doubt     a command ended UNKNOWN: if the call is over, that settles what only the end can tell

What an answer is worth:

    422 with 90018 or 90015, 404 in Telnyx's own words         it has ended
    is_alive false, with an end_time, or of a call that was    it has ended
    answered when it was asked for
    is_alive true                                              it lives: its silence begins anew
    anything else                                              nothing is learned. So with is_alive false alone: a call
                                                               that still rings is not alive either
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import msgspec

from cordboard.work import Lane, Outcome, Repeat, Verdict, Work
from dispatcher.core.decision import Learned, Release
from dispatcher.core.ending import end_call
from dispatcher.core.limits import Limits
from dispatcher.core.page import Life, Page
from dispatcher.core.turn import Turn
from dispatcher.core.words import Answer

QUESTION: Final = "?alive"  # No command id has a question mark.
ACTION: Final = "call_status"  # What metrics and logs call it.
ANSWER_WAIT_MS: Final = 60_000
DOUBT_WAIT_MS: Final = 5_000  # After the UNKNOWN: what was in doubt may end the call, and that takes a moment.
DOUBT_APART_MS: Final = 60_000
_SENT_WITHIN_MS: Final = 45_000
_SILENCE: Final = "silence"
_DOUBT: Final = "doubt"
_OTHER_PAGES: Final = ("dial:", "event:", "leg:", "limit:", "session:")  # Their keys are no calls.
_OVER: Final = frozenset({"90018", "90015"})
_PATH_SAFE: Final = "!$&'()*+,;=:@"  # As in the path of a command.


class _Status(msgspec.Struct):
    is_alive: bool
    end_time: str | None = None


class _Reply(msgspec.Struct):
    data: _Status


_decoder = msgspec.json.Decoder(_Reply)


def next_ms(page: Page, limits: Limits) -> int | None:
    """When there is something to ask, or a question has waited long enough for its answer; None for never."""
    if page.asking.why:
        return page.asking.asked_ms + ANSWER_WAIT_MS
    moments = [at for at in (page.asking.doubt_ms, _silent_ms(page, limits)) if at]
    return min(moments) if moments and _may_ask(page) else None


def doubt(turn: Turn) -> None:
    """A command has ended UNKNOWN: ask once, soon."""
    asking = turn.page.asking
    asking.reached = True  # Or perhaps so, which is what is in doubt.
    if not asking.doubt_ms and _may_ask(turn.page):
        apart_ms = asking.asked_ms + DOUBT_APART_MS if asking.asked_ms else 0
        asking.doubt_ms = max(turn.now + DOUBT_WAIT_MS, apart_ms)


def pass_time(turn: Turn, at_ms: int) -> None:
    """Give up on an answer that did not come; ask what is to be asked by now."""
    page, asking = turn.page, turn.page.asking
    if asking.why and asking.asked_ms + ANSWER_WAIT_MS <= at_ms:
        _close(turn, Answer.NONE)
    if 0 < asking.doubt_ms <= at_ms and not any(waiting.doubtful for waiting in page.open):
        asking.doubt_ms, turn.noted = 0, True  # It was settled meanwhile.
    due_ms = next_ms(page, turn.limits)
    if due_ms is not None and due_ms <= at_ms and not asking.why:
        _ask(turn, _DOUBT if 0 < asking.doubt_ms <= at_ms else _SILENCE)


def hear_answer(turn: Turn, outcome: Outcome) -> None:
    """Take what a worker reports. One that was given up tells no less that a call has ended; nothing else."""
    page = turn.page
    if outcome.verdict is Verdict.WAITING:
        return
    is_latest = outcome.attempt == page.asking.attempt
    # Not what is known now: the call may have been answered while the question was on its way.
    answer = _read(outcome, was_answered=is_latest and page.asking.answered)
    is_awaited = bool(page.asking.why) and is_latest
    if is_awaited:
        _close(turn, answer)
        turn.changed = turn.changed or answer is Answer.ALIVE
    if answer is Answer.ENDED and page.life is not Life.ENDED:
        end_call(turn)


def _may_ask(page: Page) -> bool:
    if page.key.startswith(_OTHER_PAGES) or not page.account:
        return False
    return page.life in (Life.ALIVE, Life.ANSWERED) or (page.life is Life.UNHEARD and page.asking.reached)


def _silent_ms(page: Page, limits: Limits) -> int:
    """When its silence is to be asked about; 0 where it is dropped before that."""
    asked_ms = page.asking.asked_ms
    again_ms = asked_ms + limits.ask_again_ms if asked_ms > page.touched_ms else 0
    ask_ms = max(page.touched_ms + limits.ask_after_ms, again_ms)
    return ask_ms if ask_ms < page.touched_ms + limits.silence_ms else 0


def _ask(turn: Turn, why: str) -> None:
    page, asking = turn.page, turn.page.asking
    asking.attempt += 1
    asking.asked_ms, asking.doubt_ms, asking.why = turn.now, 0, why
    asking.answered = page.life is Life.ANSWERED
    turn.noted = True
    turn.say(
        Release(
            work=Work(
                key=page.key,
                command_id=QUESTION,
                attempt=asking.attempt,
                account=page.account,
                action=ACTION,
                lane=Lane.ACTION,
                repeat=Repeat.ALWAYS,
                method="GET",
                path=f"/calls/{quote(page.key, safe=_PATH_SAFE)}",
                body=b"",
                released_ms=turn.now,
                not_after_ms=turn.now + _SENT_WITHIN_MS,
                expire_ms=None,
            )
        )
    )


def _close(turn: Turn, answer: Answer) -> None:
    turn.learned.append(Learned(turn.page.asking.why, answer))
    turn.page.asking.why = ""
    turn.noted = True


def _read(outcome: Outcome, *, was_answered: bool) -> Answer:
    if outcome.verdict is Verdict.DONE:
        return _read_status(outcome.response, was_answered=was_answered)
    codes = {error.code for error in outcome.errors}
    # A 404 of somebody else's, between us and Telnyx, names no error.
    if (outcome.http_status == 422 and codes & _OVER) or (outcome.http_status == 404 and codes):
        return Answer.ENDED
    return Answer.UNCLEAR if outcome.http_status else Answer.NONE


def _read_status(response: bytes, *, was_answered: bool) -> Answer:
    try:
        status = _decoder.decode(response).data
    except msgspec.MsgspecError:
        return Answer.UNCLEAR
    if status.is_alive:
        return Answer.ALIVE
    return Answer.ENDED if status.end_time or was_answered else Answer.UNCLEAR
