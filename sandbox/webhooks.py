"""Webhooks on their way: signed, delivered, tried again, and struck by faults.

Without faults the first attempts for one call are made in the order of its events, one after another; a second attempt,
and whatever a fault touches, may be passed by later ones. (Telnyx promises no order at all; faults show that.)
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson

from sandbox.core.ids import Ids
from sandbox.core.life import Event
from sandbox.faults import Faults, WebhookFault
from sandbox.scheduler import Scheduler
from sandbox.settings import Settings
from sandbox.signing import Signer
from sandbox.truth import Delivery, Truth

# Delivers a body to a URL and returns the status; raises OSError, TimeoutError or aiohttp.ClientError.
Post = Callable[[str, dict[str, str], bytes], Awaitable[int]]

_NO_FAULT = WebhookFault()
_RECEIVED = 200  # Telnyx's callbacks ask for exactly this.


def stamp(unix_seconds: float) -> str:
    """A time as Telnyx writes it: ISO 8601 with microseconds, in UTC."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class HttpPost:
    """Delivery over HTTP."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> int:
        """Deliver, and return the status."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        timeout = aiohttp.ClientTimeout(total=self._settings.webhook_timeout_seconds)
        async with self._session.post(url, data=body, headers=headers, timeout=timeout) as answer:
            return answer.status

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class Webhooks:
    """Takes events and sees to it that they arrive."""

    def __init__(
        self,
        settings: Settings,
        scheduler: Scheduler,
        faults: Faults,
        truth: Truth,
        signer: Signer,
        rng: random.Random,
        post: Post,
    ) -> None:
        self._settings = settings
        self._scheduler = scheduler
        self._faults = faults
        self._truth = truth
        self._signer = signer
        self._forger = Signer(rng.randbytes(32))
        self._rng = rng
        self._ids = Ids(rng)
        self._post = post
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: dict[str, asyncio.Event] = {}  # By call: set when its latest webhook has had its first attempt.

    def send(self, events: list[Event]) -> None:
        """Begin to deliver events, in this order."""
        if not self._settings.quiet:
            for event in events:
                self._start(event)

    async def send_first(self, events: list[Event]) -> None:
        """Deliver events, and return when each has had its first attempt."""
        self.send(events)
        turns = [turn for event in events if (turn := self._last.get(event.call_control_id))]
        for turn in turns:
            await turn.wait()

    async def drained(self) -> None:
        """Return when nothing is on its way."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def abandon(self) -> None:
        """Deliver nothing of what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._last.clear()

    def _start(self, event: Event) -> None:
        before, mine = self._last.get(event.call_control_id), asyncio.Event()
        self._last[event.call_control_id] = mine
        task = asyncio.get_running_loop().create_task(self._deliver(event, before, mine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, event: Event, before: asyncio.Event | None, mine: asyncio.Event) -> None:
        fault = self._faults.for_webhook(event.event_type, event.call_control_id) or _NO_FAULT
        data = self._data(event)
        try:
            if before is not None:
                await before.wait()
            if fault is not _NO_FAULT:
                mine.set()
                await asyncio.sleep((fault.delay_ms + self._rng.uniform(0, fault.shuffle_ms)) / 1000)
            url = event.webhook_url or self._settings.webhook_url
            if fault.drop or url is None:
                self._note(event, data, url, 0, None, None if fault.drop else "no webhook_url is known", fault)
                return
            urls = [url, *filter(None, event.more_urls)] * (1 + fault.duplicate)
            copies = (self._attempts(event, data, to, fault, mine) for to in urls)
            await asyncio.gather(*copies)
        finally:
            mine.set()
            if self._last.get(event.call_control_id) is mine:
                del self._last[event.call_control_id]

    def _data(self, event: Event) -> dict[str, Any]:
        return {
            "record_type": "event",
            "event_type": event.event_type,
            "id": self._ids.uuid(),
            "occurred_at": stamp(self._scheduler.unix_at(event.at)),
            "payload": event.payload,
        }

    async def _attempts(
        self, event: Event, data: dict[str, Any], url: str, fault: WebhookFault, mine: asyncio.Event
    ) -> None:
        failover = self._settings.webhook_failover_url
        attempts = itertools.count(1)
        for pause in (0.0, *self._pauses(event)):
            if pause:
                await asyncio.sleep(pause)
            for address in (url, failover) if failover else (url,):
                attempt = next(attempts)
                status, error = await self._attempt(data, address, attempt, fault)
                self._note(event, data, address, attempt, status, error, fault)
                mine.set()
                if status == _RECEIVED:
                    return

    def _pauses(self, event: Event) -> list[float]:
        """Seconds before each further round of attempts."""
        if event.retries_ms is not None:
            return [pause / 1000 for pause in event.retries_ms]
        first = self._settings.webhook_backoff_seconds
        return [first * 2**n for n in range(self._settings.webhook_attempts_max - 1)]

    async def _attempt(
        self, data: dict[str, Any], url: str, attempt: int, fault: WebhookFault
    ) -> tuple[int | None, str | None]:
        body = orjson.dumps({"data": data, "meta": {"attempt": attempt, "delivered_to": url}})
        signer = self._forger if fault.bad_signature else self._signer
        headers = signer.headers(body, self._scheduler.unix())
        headers["content-type"] = "application/json"
        headers["user-agent"] = "telnyx-webhooks"
        try:
            return await self._post(url, headers, body), None
        except (OSError, TimeoutError, aiohttp.ClientError, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"

    def _note(
        self,
        event: Event,
        data: dict[str, Any],
        url: str | None,
        attempt: int,
        status: int | None,
        error: str | None,
        fault: WebhookFault,
    ) -> None:
        self._truth.deliveries.append(
            Delivery(
                n=self._truth.next_delivery(),
                time=self._scheduler.unix(),
                event_id=data["id"],
                event_type=event.event_type,
                call_control_id=event.call_control_id,
                url=url,
                attempt=attempt,
                status=status,
                error=error,
                fault=None if fault is _NO_FAULT else fault.label,
                cause=event.cause,
            )
        )
