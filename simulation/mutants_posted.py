"""Planted bugs of what becomes of webhooks beside the dispatcher: posted on to an endpoint, and kept in the spool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from cordboard.log.port import LogError
from dispatcher.ingress.spool import Spool, SpoolFailed
from simulation.mutation import Change, Mutation, instead, mutation, nothing
from workers.core.forwarding import Backlog, Parcel
from workers.forwarding import endpoint, line

AsyncMethod = Callable[..., Coroutine[Any, Any, Any]]
_ALL: Final = 1 << 50


def _at_once(original: Callable[..., bool]) -> Callable[..., bool]:
    def take(backlog: Backlog, parcel: Parcel) -> bool:
        before = len(backlog)
        original(backlog, parcel)
        return len(backlog) > before

    return take


def _by_itself(original: Callable[..., Parcel | None]) -> Callable[..., None]:
    def done(backlog: Backlog, parcel: Parcel) -> None:
        waiting = backlog._lines[parcel.line]
        waiting.remove(parcel)
        waiting.appendleft(parcel)
        original(backlog, parcel)

    return done


def _taken_for_written(original: AsyncMethod) -> AsyncMethod:
    async def into_log(spool: Spool, some: Any) -> None:
        try:
            await original(spool, some)
        except LogError:
            spool._done = some

    return into_log


def _acknowledged_at_once(original: AsyncMethod) -> AsyncMethod:
    async def put(spool: Spool, records: Any) -> None:
        asyncio.get_running_loop().create_task(original(spool, records))

    return put


def _swept_first(original: AsyncMethod) -> AsyncMethod:
    async def start(spool: Spool) -> None:
        await spool._on_thread(spool._file.remove, _ALL)
        await original(spool)

    return start


async def _refused(spool: Spool, records: Any) -> None:
    raise SpoolFailed("the spool is not used")


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "posted-once", "an event that its endpoint did not take is not posted again", instead(line, "judge", nothing)
    ),
    mutation(
        "posted-at-once",
        "the events of a call are posted side by side",
        Change(Backlog, "take", _at_once),
        Change(Backlog, "done", _by_itself),
    ),
    mutation(
        "posted-in-one-line",
        "the events of all calls stand in one line",
        instead(Parcel, "line", property(lambda parcel: b"")),
    ),
    mutation(
        "posted-too-far",
        "what was read counts as posted when a partition moves",
        instead(Backlog, "settled", property(lambda backlog: backlog.position)),
    ),
    mutation("unsigned-posts", "an event is posted on without its signature", instead(endpoint, "_CARRIED", ())),
    mutation(
        "forgetful-spool",
        "the spool forgets a webhook that the log did not take",
        Change(Spool, "_into_log", _taken_for_written),
    ),
    mutation(
        "hasty-spool",
        "a webhook is acknowledged before it is in the spool",
        Change(Spool, "put", _acknowledged_at_once),
    ),
    mutation("swept-spool", "a process that begins anew empties its spool", Change(Spool, "_start", _swept_first)),
    mutation("no-spool", "the spool takes nothing", instead(Spool, "put", _refused)),
)
