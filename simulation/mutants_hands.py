"""Planted bugs of the workers: what is reserved, what is a copy, what is sent when, and what an answer means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, Final, cast
from weakref import WeakKeyDictionary

import httpx
import msgspec

from cordboard.log.port import Log
from cordboard.work import Lane, Repeat, Verdict, Work
from simulation.mutation import Change, Mutation, instead, mutation, nothing_async
from workers import settings, telnyx
from workers.core import attempt
from workers.core.attempt import Attempt
from workers.core.outcome import Meaning, NoAnswer, Rule
from workers.lane import LaneWorker
from workers.pace import AccountPace, Hold
from workers.seat import Seat
from workers.tenancy import Tenancy

Method = Callable[..., Any]
AsyncMethod = Callable[..., Coroutine[Any, Any, Any]]
Table = Mapping[Meaning, Rule]
_REST_SECONDS: Final = 4.0
_SAFE: Final = frozenset({Repeat.ALWAYS, Repeat.WINDOW})


def _blind_to(**forgotten: None) -> Callable[[Method], Method]:
    def make(original: Method) -> Method:
        def barred(plan: Attempt, starts_ms: int) -> Any:
            work, plan._work = plan._work, msgspec.structs.replace(plan._work, **forgotten)
            try:
                return original(plan, starts_ms)
            finally:
                plan._work = work

        return barred

    return make


def _short_memory(original: Method) -> Method:
    return lambda tenancy, partition, memory_ms: original(tenancy, partition, memory_ms // 10)


async def _taken_for_committed(seat: Seat, wanted: Mapping[Tenancy, int]) -> set[Tenancy]:
    return set(wanted)


def _reserved_afterwards(original: AsyncMethod) -> AsyncMethod:
    async def reserve(seat: Seat, works: Any, positions: Mapping[Tenancy, int]) -> None:
        for taken in works:
            taken.tenancy.reserve((taken.offset,))
        asyncio.get_running_loop().create_task(original(seat, (), positions))

    return reserve


def _one_too_few(original: AsyncMethod) -> AsyncMethod:
    async def commit(seat: Seat, wanted: Mapping[Tenancy, int]) -> set[Tenancy]:
        covered: set[Tenancy] = await original(seat, {tenancy: offset - 1 for tenancy, offset in wanted.items()})
        return covered

    return commit


def _one_too_many(original: Method) -> Method:
    def give_back(tenancy: Tenancy) -> int | None:
        lowest = original(tenancy)
        if lowest is not None:
            return int(lowest) - 1
        return None if tenancy.position is None else tenancy.position - 1

    return give_back


def _row(meaning: Meaning, **changed: Any) -> Change:
    """A row of the workers' table that says something else."""
    return Change(attempt, "TABLE", lambda table: {**table, meaning: replace(table[meaning], **changed)})


def _doubt_forgotten(plan: Attempt, clear: Verdict) -> Any:
    return clear, plan._last


def _silence_is_unsent(original: AsyncMethod) -> AsyncMethod:
    async def send(client: Any, work: Any, timeout_ms: int) -> Any:
        reply = await original(client, work, timeout_ms)
        return NoAnswer(unsent=True, why=reply.why) if isinstance(reply, NoAnswer) else reply

    return send


def _like_the_others(original: AsyncMethod) -> AsyncMethod:
    async def admitted(worker: LaneWorker, *given: Any) -> None:
        lane, worker._lane = worker._lane, Lane.ACTION
        try:
            await original(worker, *given)
        finally:
            worker._lane = lane

    return admitted


def _as_an_action(original: Method) -> Method:
    def hold(pace: AccountPace, work: Work, now_ms: int) -> Hold | None:
        paced = msgspec.structs.replace(work, lane=Lane.ACTION) if work.lane is Lane.URGENT else work
        return cast("Hold | None", original(pace, paced, now_ms))

    return hold


def _after_a_rest(original: AsyncMethod) -> AsyncMethod:
    async def admitted(worker: LaneWorker, *given: Any) -> None:
        await original(worker, *given)
        if worker._lane is Lane.URGENT:
            await asyncio.sleep(_REST_SECONDS)

    return admitted


def _one_for_all_lanes(original: AsyncMethod) -> AsyncMethod:
    turns: WeakKeyDictionary[Log, asyncio.Semaphore] = WeakKeyDictionary()

    async def carry(worker: LaneWorker, taken: Any) -> None:
        async with turns.setdefault(worker._log, asyncio.Semaphore(1)):
            await original(worker, taken)

    return carry


def _never_again(meaning: Meaning) -> Change:
    return _row(meaning, again=frozenset[Repeat]())


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "no-not-after",
        "a worker does not look at not_after (7)",
        Change(Attempt, "_barred", _blind_to(not_after_ms=None)),
    ),
    mutation(
        "no-expiry", "a worker does not look at the expiry", Change(Attempt, "_barred", _blind_to(expire_ms=None))
    ),
    mutation(
        "no-reading-back",
        "a worker that takes over does not read back 90 s (6)",
        instead(Seat, "_learn", nothing_async),
    ),
    mutation(
        "short-memory", "a worker knows a copy for 9 s instead of 90 s (6)", Change(Tenancy, "__init__", _short_memory)
    ),
    mutation(
        "copies-count",
        "a copy of a work record is work (6)",
        instead(Tenancy, "is_first", lambda tenancy, work_id, time_ms: True),
    ),
    mutation(
        "no-commit", "a worker does not commit what it reserves (6)", instead(Seat, "_commit", _taken_for_committed)
    ),
    mutation("sent-then-reserved", "a worker sends, then reserves (6)", Change(Seat, "reserve", _reserved_afterwards)),
    mutation("reserved-off-by-one", "a worker reserves one record too few (6)", Change(Seat, "_commit", _one_too_few)),
    mutation(
        "given-back-off-by-one",
        "a worker gives back one record too many (6)",
        Change(Tenancy, "give_back", _one_too_many),
    ),
    mutation(
        "dial-resent", "a dial that was not answered is sent again", _row(Meaning.UNANSWERED, again=frozenset(Repeat))
    ),
    mutation(
        "5xx-is-no",
        "a 5xx is taken for a certain no",
        _row(Meaning.FAULT, ends=Verdict.UNSENT, doubted=None, doubt=False),
    ),
    mutation(
        "4xx-is-no",
        "a 4xx to a repeat of what was not answered is taken for a certain no",
        _row(Meaning.REFUSED, doubted=Verdict.REFUSED),
    ),
    mutation(
        "broken-is-unsent",
        "a request whose connection broke counts as not sent",
        Change(telnyx, "_UNSENT", lambda kinds: (*kinds, httpx.RemoteProtocolError)),
    ),
    mutation(
        "silence-is-unsent",
        "a request that was not answered counts as not sent",
        Change(telnyx.Telnyx, "send", _silence_is_unsent),
    ),
    mutation(
        "doubt-forgotten",
        "a release that is given up forgets that a try is in doubt",
        instead(Attempt, "_given_up", _doubt_forgotten),
    ),
    mutation(
        "no-resend",
        "a worker tries nothing again",
        *(_never_again(one) for one in (Meaning.UNANSWERED, Meaning.FAULT, Meaning.UNREACHED)),
    ),
    mutation(
        "paced-hangups",
        "the urgent lane waits for the pace, as the others do",
        Change(LaneWorker, "_admitted", _like_the_others),
        Change(AccountPace, "hold", _as_an_action),
    ),
    mutation(
        "one-hangup-at-a-time",
        "the urgent lane has one request in flight at a time",
        Change(settings, "CONCURRENCY", lambda of: {**of, Lane.URGENT: 1}),
    ),
    mutation(
        "one-pair-of-hands",
        "the lanes of a worker have one request in flight together",
        Change(LaneWorker, "_carry", _one_for_all_lanes),
    ),
    mutation("rest", "a worker rests before each hangup", Change(LaneWorker, "_admitted", _after_a_rest)),
)
