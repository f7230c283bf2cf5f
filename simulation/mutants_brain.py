"""Planted bugs around the core: the owner and its batches, the door, the watch, the ingress."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from cordboard.log.ledger import Ledger, PageWritten
from cordboard.log.port import Appended, LogError, LogUnavailable
from cordboard.tail import positions_at_end
from dispatcher import batch as batches
from dispatcher import owner as owners
from dispatcher.acceptance import intake
from dispatcher.acceptance.intake import Intake
from dispatcher.batch import Batch
from dispatcher.ingress.answers import Result
from dispatcher.ingress.door import Ingress
from dispatcher.ingress.records import records_of
from dispatcher.ingress.signature import Verifier
from dispatcher.owner import Owner
from dispatcher.rpc.watch import Watching
from simulation.mutation import Change, Mutation, instead, mutation, nothing

_EARLY_MS: Final = 5_000
_NEVER_MS: Final = 1 << 50
Method = Callable[..., Any]
AsyncMethod = Callable[..., Awaitable[Any]]


class _Heedless:
    """A reader that has always read past every time."""

    async def read_past(self, time_ms: int) -> bool:
        """Yes."""
        return True


class _Ahead:
    """A clock that runs ahead of another."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return int(self._clock.now_ms()) + _EARLY_MS


def _whatever_is_unread(original: AsyncMethod) -> AsyncMethod:
    async def fire_timers(owner: Owner, batch: Batch, reader: Any) -> None:
        await original(owner, batch, _Heedless())

    return fire_timers


def _too_soon(original: AsyncMethod) -> AsyncMethod:
    async def fire_timers(owner: Owner, batch: Batch, reader: Any) -> None:
        clock, owner._clock = owner._clock, _Ahead(owner._clock)
        try:
            await original(owner, batch, _Heedless())
        finally:
            owner._clock = clock

    return fire_timers


def _settled_in_any_case(original: AsyncMethod) -> AsyncMethod:
    async def settle(owner: Owner, claim: Any, batch: Batch) -> None:
        try:
            await original(owner, claim, batch)
        except LogError:
            batch.commit()

    return settle


def _without_timers(original: AsyncMethod) -> AsyncMethod:
    async def restore(owner: Owner, claim: Any) -> None:
        await original(owner, claim)
        for key, value in list(owner._pages._pages.items()):
            owner._pages.put(key, value, _NEVER_MS)

    return restore


def _one_too_far(original: Method) -> Method:
    def take(batch: Batch, record: Any) -> None:
        original(batch, record)
        batch.positions[record.topic] += 1

    return take


def _applied_one_too_far(original: Method) -> Method:
    def note_applied(page: Any, index: int, offset: int, inputs: int) -> None:
        original(page, index, offset + 1, inputs)

    return note_applied


def _at_home_everywhere(original: Method) -> Method:
    def decide(batch: Batch, record: Any, reading: Any) -> None:
        practice = batch._practice
        batch._practice = replace(practice, home=lambda topic, key: batch._partition)
        original(batch, record, reading)
        batch._practice = practice

    return decide


def _accepted_in_any_case(original: AsyncMethod) -> AsyncMethod:
    async def append(door: Intake, records: Any) -> Any:
        try:
            return await door._log.append(records)
        except LogError:
            return [Appended(0, 0, door._clock.now_ms()) for _ in records]

    return append


def _nothing_was_written(original: Method) -> Method:
    return lambda error: original(LogUnavailable(str(error)))


def _kept_at_once(original: AsyncMethod) -> AsyncMethod:
    async def keep(ingress: Ingress, webhook: Any, delivery: Any) -> Any:
        identity = (delivery.account, delivery.command_id, webhook.id)
        if identity in ingress._kept:
            return Result.REPEATED
        ingress._kept.add(identity)
        await ingress._log.append(records_of(webhook, delivery, ingress._topic))
        return Result.ACCEPTED

    return keep


def _answered_at_once(original: AsyncMethod) -> AsyncMethod:
    async def write(ingress: Ingress, webhook: Any, delivery: Any) -> None:
        try:
            await ingress._log.append(records_of(webhook, delivery, ingress._topic))
        except LogError:
            pass  # It was answered already.

    async def keep(ingress: Ingress, webhook: Any, delivery: Any) -> Any:
        asyncio.get_running_loop().create_task(write(ingress, webhook, delivery))
        return Result.ACCEPTED

    return keep


async def _from_now_on(watching: Watching, given: str) -> Any:
    return await positions_at_end(watching._log, *watching._topics)


def _counted_at_once(original: Method) -> Method:
    def take(ledger: Ledger, offset: int, entry: Any) -> None:
        original(ledger, offset, entry)
        if isinstance(entry, PageWritten) and entry.epoch == ledger.epoch:
            ledger.pages.pop(entry.key, None)
            if entry.value is not None:
                ledger.pages[entry.key] = entry.value

    return take


EVERY: Final[tuple[Mutation, ...]] = (
    mutation(
        "heedless-timers",
        "a timer does not wait until the inputs are read past its time (4)",
        Change(Owner, "_fire_timers", _whatever_is_unread),
    ),
    mutation("early-timers", "timers fire 5 s early", Change(Owner, "_fire_timers", _too_soon)),
    mutation(
        "settled-anyway", "a settle that failed counts as settled", Change(Owner, "_settle", _settled_in_any_case)
    ),
    mutation(
        "no-timers-restored",
        "a new owner does not know when its pages want to be seen",
        Change(Owner, "_restore", _without_timers),
    ),
    mutation("position-off-by-one", "an owner's position is one record too far", Change(Batch, "take", _one_too_far)),
    mutation(
        "applied-off-by-one",
        "a page takes the next record for one that it has",
        Change(batches, "_note_applied", _applied_one_too_far),
    ),
    mutation(
        "at-home-everywhere",
        "a command on the wrong partition is not routed on",
        Change(Batch, "_decide", _at_home_everywhere),
    ),
    mutation(
        "pages-first",
        "a settle's pages count before it is said what they owe",
        Change(Ledger, "take", _counted_at_once),
    ),
    mutation(
        "accepted-anyway",
        "a command whose write failed is acknowledged",
        Change(Intake, "append", _accepted_in_any_case),
    ),
    mutation(
        "refused-anyway",
        "a write that perhaps happened is told as one that did not",
        Change(intake, "of_log", _nothing_was_written),
    ),
    mutation(
        "watch-from-now", "a watch goes on from now, not from its cursor", instead(Watching, "_positions", _from_now_on)
    ),
    mutation("no-signatures", "webhooks are not verified", instead(Verifier, "check", nothing)),
    mutation(
        "kept-before-written",
        "an event is remembered before it is written, so its repeat is answered 200",
        Change(Ingress, "_keep", _kept_at_once),
    ),
    mutation(
        "answered-before-written",
        "a webhook is answered 200 before it is written",
        Change(Ingress, "_keep", _answered_at_once),
    ),
    mutation(
        "spinning-owner",
        "an owner behind a timer that is due reads on without a pause (found in the product once)",
        instead(owners, "BEHIND_SECONDS", 0.0),
    ),
)
