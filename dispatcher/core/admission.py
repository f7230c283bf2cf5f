"""Whether a command may enter its line, and where: decided from the page alone.

The order of the questions is part of the contract:

1. The same command again is answered with what the first came to (or will come to); the same id with other content is
   refused. This is asked first, so that a repeat is never judged by a page that has moved on since.
2. A call has one account.
3. What is over stays over: nothing enters the line of an ended call.
4. What was cancelled before it was read, by a NOW of its call or with its whole group, ends so.
5. A destination that the account's owner does not allow is refused.
6. A sequence number that is too high waits for those before it; one that was used is turned away. A command uses its
   number once it is accepted, whatever becomes of it. A hangup or reject with placement NOW waits for no number, and
   uses all below its own: what had them and was accepted before is superseded.
7. A full line refuses, except hangup and reject: they get through.

Refusals are not remembered, so their ids may come again. Everything else ends once and stays so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from dispatcher.core import memory, obeying
from dispatcher.core.commands import Ask
from dispatcher.core.decision import Result
from dispatcher.core.inputs import Asked
from dispatcher.core.line import is_awaited
from dispatcher.core.page import Held, Life, Page
from dispatcher.core.turn import Ending, Turn, call_of, give_result, refuse
from dispatcher.core.words import SENTENCES, Placement, Reason, State

_ORIGINS_MAX: Final = 8
_OUTLINE: Final = "It was answered before; of that answer the outline is remembered."


def take(turn: Turn, asked: Asked) -> None:
    """Let a command in, answer it from memory, or turn it away."""
    page, ask = turn.page, asked.ask
    if _is_repeat(turn, asked):
        return
    if page.account and ask.account != page.account:
        message = f"The call belongs to account {page.account!r}; the command names {ask.account!r}."
        give_result(turn, ask, Ending(state=State.REJECTED, reason=Reason.ACCOUNT_MISMATCH, message=message))
        return
    if page.life is Life.ENDED:
        give_result(turn, ask, _after_the_end(ask))
        return
    if (reason := obeying.cancelled_by(turn, ask)) is not None:
        give_result(turn, ask, Ending(state=State.CANCELLED, reason=reason))
        _use(turn, ask.sequence)
        return
    if not turn.limits.guards_of(ask.account).allows(ask.destinations):
        give_result(turn, ask, Ending(state=State.REJECTED, reason=Reason.DESTINATION_REFUSED))
        return
    passes = ask.ends_call and ask.placement is Placement.NOW  # It waits for nobody, so for no number either.
    if ask.sequence and not passes and not _in_sequence(turn, asked):
        return
    if _is_full(turn, ask):
        refuse(turn, ask, Reason.LINE_FULL, asked.origin)
        return
    _enter(turn, ask)


def _after_the_end(ask: Ask) -> Ending:
    if ask.ends_call:
        return Ending(state=State.SUCCEEDED, reason=Reason.ALREADY_ENDED)
    return Ending(state=State.REJECTED, reason=Reason.CALL_ENDED)


def _is_repeat(turn: Turn, asked: Asked) -> bool:
    ask = asked.ask
    pending = find_pending(turn.page, ask.command_id)
    if pending is not None:
        if pending.fingerprint != ask.fingerprint:
            _refuse_reuse(turn, asked, pending.accept_ms)
        else:
            _note_repeat(turn, asked)
        return True
    known = memory.recall(turn.page.ended, ask.command_id)
    if known is None or (asked.again and known.reason is Reason.INTERNAL):
        return False  # What failed here was never decided about; how it ends now takes that one's place in the memory.
    if known.same_content(ask.fingerprint):
        _replay(turn, asked, known)
    else:
        _refuse_reuse(turn, asked, known.accept_ms)
    return True


def _note_repeat(turn: Turn, asked: Asked) -> None:
    """The one result is still to come, and will be heard by whoever asks again; a refusal is said to each by itself."""
    for held in turn.page.early:
        if held.ask.command_id == asked.ask.command_id and len(held.origins) < _ORIGINS_MAX:
            held.origins.append(asked.origin)
            turn.changed = True


def find_pending(page: Page, command_id: str) -> Ask | None:
    """The command of this id that has no result yet."""
    for held in (*page.line, *page.early):
        if held.ask.command_id == command_id:
            return held.ask
    for flight in page.flights:
        if flight.ask.command_id == command_id and not flight.answered:
            return flight.ask
    return None


def _refuse_reuse(turn: Turn, asked: Asked, first_ms: int) -> None:
    first = _iso(first_ms)
    message = f"Another command was accepted under this command_id at {first}; choose a new id for a new command."
    refuse(turn, asked.ask, Reason.COMMAND_ID_REUSED, asked.origin, message=message, related=asked.ask.command_id)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _replay(turn: Turn, asked: Asked, known: memory.Remembered) -> None:
    """Say again what the first one came to. Nothing is written, so the page does not change."""
    ask, page = asked.ask, turn.page
    turn.outputs.append(
        Result(
            kind="replayed",
            command_id=ask.command_id,
            page=page.key,
            call=call_of(page, page.legs),
            account=ask.account,
            action=ask.action,
            state=known.state,
            reason=known.reason,
            message=f"{SENTENCES[known.reason]} {_OUTLINE}".lstrip(),
            http_status=known.http_status,
            legs=tuple(page.legs),
            accept_ms=known.accept_ms,
            finish_ms=known.finish_ms,
            source=ask.source,
            group=ask.group,
            origin=asked.origin,
            traceparent=ask.traceparent,
        )
    )


def _in_sequence(turn: Turn, asked: Asked) -> bool:
    """Whether it is this number's turn; if not, the command is held back for a while or turned away."""
    page, ask = turn.page, asked.ask
    others = (*page.used, *(held.ask.sequence for held in page.early))
    if ask.sequence <= page.sequence or ask.sequence in others:
        message = f"Sequence number {ask.sequence} is taken; the next one is {page.sequence + 1}."
        give_result(turn, ask, Ending(state=State.REJECTED, reason=Reason.SEQUENCE_TAKEN, message=message))
        return False
    if ask.sequence == page.sequence + 1:
        return True
    if _is_full(turn, ask):
        refuse(turn, ask, Reason.LINE_FULL, asked.origin)
        return False
    wait_until_ms = turn.now + turn.limits.sequence_wait_ms
    page.early.append(
        Held(ask=ask, expire_ms=_explicit_expiry(ask), wait_until_ms=wait_until_ms, origins=[asked.origin])
    )
    page.early.sort(key=lambda held: held.ask.sequence)
    page.account = page.account or ask.account
    turn.changed = True
    return False


def _is_full(turn: Turn, ask: Ask) -> bool:
    """Hangup and reject get through a full line. As a page has to have a greatest size, they have one of their own."""
    page, limits = turn.page, turn.limits
    asks = [held.ask for held in (*page.line, *page.early)]
    if ask.ends_call:
        asks = [one for one in (*asks, *(flight.ask for flight in page.flights)) if one.ends_call]
    size = sum(one.size for one in asks)
    return len(asks) >= limits.line_commands_max or size + ask.size > limits.line_bytes_max


def _enter(turn: Turn, ask: Ask) -> None:
    page = turn.page
    turn.changed = True
    page.account = page.account or ask.account
    if page.life is Life.STRANGER:
        page.life = Life.ALIVE
    gate = page.last if ask.after_completed else ""
    held = Held(ask=ask, expire_ms=_first_expiry(ask, gated=bool(gate)), gate=gate)
    if ask.placement is Placement.NOW:
        _supersede(turn, ask)
    if ask.placement is Placement.LAST:
        page.line.append(held)
    else:
        held.gate = ""
        page.line.insert(_behind_those_placed_next(page), held)
    # What comes next comes after this one. What was placed NEXT is in the way of nobody who waits for another.
    if page.line[-1] is held and not (ask.placement is Placement.NEXT and is_awaited(page, page.last)):
        page.last = ask.command_id
    _use(turn, ask.sequence)


def _first_expiry(ask: Ask, *, gated: bool) -> int | None:
    """A default expiry runs from acceptance, or else from the gate's opening; one that was set always runs."""
    if ask.expire_ms is not None or ask.expire_after_ms is None or ask.ends_call or gated:
        return _explicit_expiry(ask)
    return ask.accept_ms + ask.expire_after_ms


def _explicit_expiry(ask: Ask) -> int | None:
    """What ends a call is worth sending for as long as the call may live, whatever its sender set."""
    return None if ask.ends_call else ask.expire_ms


def _behind_those_placed_next(page: Page) -> int:
    at = 0
    while at < len(page.line) and page.line[at].ask.placement is not Placement.LAST:
        at += 1
    return at


def _supersede(turn: Turn, by: Ask) -> None:
    """Cancel what waits. What comes after a numbered one by its own number is not before it, and waits on."""
    page = turn.page
    if by.accept_ms >= page.now_ms:
        page.now_ms, page.now_sequence = by.accept_ms, by.sequence
    ending = Ending(state=State.CANCELLED, reason=Reason.SUPERSEDED, related=by.command_id)
    waiting, page.line = page.line, []
    before = [held for held in page.early if not by.sequence or held.ask.sequence < by.sequence]
    page.early = [held for held in page.early if held not in before]
    if not by.sequence:
        page.sequence = max([page.sequence, *(held.ask.sequence for held in before)])
    for held in (*waiting, *before):
        give_result(turn, held.ask, ending)


def _use(turn: Turn, number: int) -> None:
    """A number was used, and so are all below it; who waited for them goes on."""
    page = turn.page
    if not number:
        return
    page.sequence = max(page.sequence, number)
    while page.sequence + 1 in page.used:
        page.sequence += 1
    page.used = [one for one in page.used if one > page.sequence]
    _let_in_the_next(turn)


def _let_in_the_next(turn: Turn) -> None:
    if turn.page.early and turn.page.early[0].ask.sequence == turn.page.sequence + 1:
        _enter(turn, turn.page.early.pop(0).ask)


def give_up_gaps(turn: Turn, at_ms: int) -> None:
    """Refuse those whose predecessors did not come in time; the line stays as it was."""
    page = turn.page
    for held in [held for held in page.early if held.wait_until_ms <= at_ms]:
        page.early.remove(held)
        turn.changed = True
        message = f"Sequence number {held.ask.sequence} came, but {page.sequence + 1} did not in time."
        for origin in held.origins:
            refuse(turn, held.ask, Reason.SEQUENCE_GAP, origin, message=message)


def end_poisoned(turn: Turn, ask: Ask) -> None:
    """End a command that the core failed on, unless it is a repeat of one that has its own end, or will have."""
    if find_pending(turn.page, ask.command_id) is None and memory.recall(turn.page.ended, ask.command_id) is None:
        give_result(turn, ask, Ending(state=State.FAILED, reason=Reason.INTERNAL))
