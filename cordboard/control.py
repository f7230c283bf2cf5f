"""The control topic, read by every dispatcher and worker: from its beginning, to its end, and then as it grows.

Nothing is decided or sent before it was read to its end once, or a process that starts would not know of a pause. While
it cannot be read afterwards, the orders known so far hold, and the process is not ready. Where its last word is void
(see cordboard.orders), whoever `restates` says again what is in force.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Gauge

from cordboard.log.port import Log, LogError, Record
from cordboard.orders import NO_ORDERS, Orders
from cordboard.tail import Tail, positions_at_end

_READ_SECONDS: Final = 1.0
_REACH_SECONDS: Final = 2.0  # Beyond, an order is given all the same: what it does not know of is a clock's affair.
_log: Final = structlog.get_logger(__name__)


class ControlMetrics:
    """What is in force, of this process's accounts."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._paused = Gauge(
            "cordboard_account_paused", "1 while nothing but hangups is sent.", ("account",), registry=registry
        )

    def tell(self, accounts: frozenset[str], orders: Orders) -> None:
        """Show which of these accounts are paused."""
        for account in accounts:
            self._paused.labels(account).set(account in orders.paused)


class Control:
    """Keeps the orders in force. `on_change` is called whenever they are others than before."""

    def __init__(
        self,
        log: Log,
        topic: str,
        on_change: Callable[[Orders], None] = lambda orders: None,
        *,
        restates: bool = False,
    ) -> None:
        self._log = log
        self._topic = topic
        self._listeners = [on_change]
        self._tail = Tail(log, topic, self._hear)
        self._restates = restates
        self._following = False
        self._restating: asyncio.Task[None] | None = None
        self.orders: Orders = NO_ORDERS

    def listen(self, on_change: Callable[[Orders], None]) -> None:
        """Be told of changes, too."""
        self._listeners.append(on_change)

    def is_paused(self, account: str) -> bool:
        """Whether nothing but hangups and rejects may be sent for it."""
        return account in self.orders.paused

    async def order_ms(self, account: str, now_ms: int) -> int:
        """When an order that is given now is given: after all that the log has. Raises LogError."""
        await self._tail.reach(await positions_at_end(self._log, self._topic), _REACH_SECONDS)
        return self.orders.next_ms(account, now_ms)

    async def start(self) -> None:
        """Read what there is, and follow. Raises LogError."""
        ends = await positions_at_end(self._log, self._topic)
        reader = self._log.reader({at: await self._log.start(at) for at in ends})
        try:
            while any(reader.positions()[at] < end for at, end in ends.items()):
                for record in await reader.read(_READ_SECONDS):
                    self._hear(record)
            positions = dict(reader.positions())
        finally:
            await reader.close()
        await self._tail.start(positions)
        self._following = True
        self._restate()

    async def stop(self) -> None:
        """Follow no more; what is known holds."""
        await self._tail.stop()
        if self._restating is not None:
            await self._restating

    def trouble(self) -> str | None:
        """For readiness."""
        return None if self._tail.healthy else f"the topic {self._topic} is not being read"

    def _hear(self, record: Record) -> None:
        known, self.orders = self.orders, self.orders.after(record)
        if self.orders != known:
            for listener in self._listeners:
                listener(self.orders)
        self._restate()

    def _restate(self) -> None:
        is_busy = self._restating is not None and not self._restating.done()
        if self._restates and self._following and self.orders.void and not is_busy:
            self._restating = asyncio.create_task(self._say_again(), name="restating orders")

    async def _say_again(self) -> None:
        accounts = sorted(self.orders.void)
        _log.warning("an order arrived too late to count; the one in force is written again", accounts=accounts)
        try:
            await self._log.append(self.orders.restated(self._topic))
        except LogError as error:
            _log.warning("the order in force could not be written again", accounts=accounts, why=str(error))
